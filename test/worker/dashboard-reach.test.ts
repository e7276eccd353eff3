// The page of who reaches whom, and what a server's own page says of it.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, useWorld } from "./world.ts";

const use = useWorld();
let cookie = "";

async function request(path: string, init: RequestInit): Promise<Response> {
  const headers = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin", Accept: "text/html", Cookie: cookie };
  return makeApp().fetch(new Request(`${ORIGIN}${path}`, { redirect: "manual", headers, ...init }), env);
}

/** A page as its text, without the marks that split it. */
async function read(path: string): Promise<string> {
  const response = await request(path, { method: "GET" });
  expect(response.status).toBe(200);
  return (await response.text()).replace(/<[^>]+>/g, "").replaceAll("&#39;", "'");
}

async function signIn(token: string): Promise<void> {
  const response = await request("/sign-in", { method: "POST", body: new URLSearchParams({ token }) });
  cookie = response.headers.get("Set-Cookie")?.split(";")[0] ?? "";
}

beforeEach(async () => {
  cookie = "";
  await signIn(ADMIN);
});

const ANSWERS = { answers: true, rttMs: 12.3, loss: 0, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };

const found = (to: number, change: object = {}) => ({
  ...{ to: identity(to).node, ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" },
  ...change,
});

async function enrol(number: number, name: string): Promise<string> {
  const { json } = await use.world.enrol({ number, name });
  return String(json["token"]);
}

const tell = (number: number, token: string, probes: object) =>
  use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, {
    ...{ token, body: { state: "ok", probes } },
  });

it("in the list and on its page, a server that calls itself well says whom it does not answer", async () => {
  const web = await enrol(0, "web1");
  const db = await enrol(1, "db1");
  const app = await enrol(2, "app1");
  const none = { ipv4: SILENT, ipv6: SILENT };
  await tell(0, web, { secondsAgo: 0, pairs: [found(1, none), found(2)] });
  await tell(1, db, { secondsAgo: 0, pairs: [found(0), found(2)] });
  await tell(2, app, { secondsAgo: 0, pairs: [found(1, { ipv6: SILENT }), found(0)] });
  expect(await read("/")).toContain("activedoes not answer app1 and web1");
  expect(await read(`/servers/${identity(1).node}`)).toContain("active, does not answer app1 and web1");
  const places = (text: string) => ["Reach", "Addresses"].map((title) => text.lastIndexOf(title));
  const [reach = 0, addresses = 0] = places(await read(`/servers/${identity(1).node}`));
  expect(reach).toBeLessThan(addresses);
  const [below = 0, above = 0] = places(await read(`/servers/${identity(2).node}`));
  expect(below).toBeGreaterThan(above);
  expect(await read(`/servers/${identity(0).node}`)).not.toContain("active, ");
  await tell(1, db, { secondsAgo: 0, pairs: [found(0, none), found(2, none)] });
  expect(await read("/")).toContain("activegets no answer at all from any of the 2 that it probed");
});

it("the first ping is of two servers that have not stopped", async () => {
  const web = await enrol(0, "web1");
  await enrol(1, "db1");
  await enrol(2, "app1");
  await use.world.settle();
  await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
    ...{ token: web, body: { state: "failed", step: "docker" } },
  });
  expect(await read("/first-ping")).toContain("From a container on app1 to one on db1");
});

it("whoever may not read has the list without what probes say", async () => {
  const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["nodes"] });
  await enrol(0, "web1");
  await signIn(String(json["token"]));
  expect(await read("/")).toContain("web1");
});

describe("the page of reach", () => {
  it("leads on who has no servers, or one", async () => {
    expect(await read("/reach")).toContain("A link takes two servers, and there is none. Add one");
    await enrol(0, "web1");
    expect(await read("/reach")).toContain("there is one");
  });

  it("says that nobody has probed yet", async () => {
    await enrol(0, "web1");
    await enrol(1, "db1");
    expect(await read("/reach")).toContain("Nobody has probed yet");
  });

  it("has a cell for each pair, and in words what is wrong", async () => {
    const web = await enrol(0, "web1");
    const db = await enrol(1, "db1");
    const app = await enrol(2, "app1");
    const relayed = found(2, { path: "relayed", ipv4: { ...ANSWERS, rttMs: 0.84 } });
    await tell(0, web, { secondsAgo: 0, pairs: [found(1, { ipv6: SILENT }), relayed] });
    await tell(1, db, {
      secondsAgo: 0,
      pairs: [found(0, { ipv4: SILENT, ipv6: SILENT }), found(2, { ipv4: { ...ANSWERS, mtu: null } })],
    });
    await tell(2, app, { secondsAgo: 0, fault: "no-ping", pairs: [] });
    const text = await read("/reach");
    for (const words of [
      "web1 does not reach db1 over IPv6",
      "db1 does not reach web1 (just now)",
      "full packets of db1's do not reach app1 over IPv4, small ones do: a lower MTU on both",
      "app1 has no ping of iputils, and probes nobody: apt-get install iputils-ping there",
      "12, no IPv6",
      "0.8, relayed",
      "none",
      "12, small packets alone",
    ])
      expect(text).toContain(words);
  });

  it("says that all is well", async () => {
    const web = await enrol(0, "web1");
    await enrol(1, "db1");
    await tell(0, web, { secondsAgo: 0, pairs: [found(1)] });
    const text = await read("/reach");
    expect(text).toContain("All who were probed answer.");
    expect(text).toContain("“?”: not probed.");
  });

  it("does not say so where nothing was probed", async () => {
    const web = await enrol(0, "web1");
    await enrol(1, "db1");
    await tell(0, web, { secondsAgo: 0, pairs: [found(1, { ipv4: null, ipv6: null })] });
    const text = await read("/reach");
    expect(text).not.toContain("All who were probed answer.");
    expect(text).toContain("Nobody has probed yet");
  });

  it("is asked for again when a server's probes are news", async () => {
    for (const path of ["/reach", "/reach?name=web1"])
      expect(await (await request(path, { method: "GET" })).text()).toContain('data-live="servers"');
  });

  it("of a large mesh has who gets no answer alone, and any server by its name", async () => {
    const web = await enrol(0, "web1");
    const db = await enrol(1, "db1");
    await tell(0, web, { secondsAgo: 0, pairs: [found(1, { ipv4: SILENT })] });
    await tell(1, db, { secondsAgo: 0, pairs: [found(0)] });
    for (let number = 0; number < 24; number++)
      await use.world.admin("PUT", `/v1/nodes/5e2${String(number).padStart(7, "0")}`, {
        name: `other${number}`,
      });
    const text = await read("/reach");
    expect(text).toContain("web1 does not reach db1 over IPv4");
    expect(text).not.toContain("round trip in ms");
    expect(text).not.toContain("other7");
    const one = await read("/reach?name=DB1");
    for (const words of ["Reach of db1", "12 ms, 1500 bytes", "direct"]) expect(one).toContain(words);
    expect(await read("/reach?name=nobody")).toContain("No server is called so.");
    expect(await read("/reach?name=other7")).toContain("Nobody has probed yet.");
  });

  it("shows a name as text, whatever somebody asks for", async () => {
    const response = await request("/reach?name=%3Cb%3E", { method: "GET" });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("<b>");
  });
});

describe("a server's page", () => {
  it("has whom it reaches", async () => {
    const web = await enrol(0, "web1");
    await enrol(1, "db1");
    await tell(0, web, {
      secondsAgo: 120,
      pairs: [found(1, { ipv6: SILENT, ipv4: { ...ANSWERS, loss: 33 } })],
    });
    const text = await read(`/servers/${identity(0).node}`);
    for (const words of [
      "12 ms, 1500 bytes, 33 % lost",
      "no answer",
      "web1 does not reach db1 over IPv6",
      "2 minutes ago",
    ])
      expect(text).toContain(words);
  });

  it("has it not for whom may not read it", async () => {
    await enrol(0, "web1");
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["nodes"] });
    await signIn(String(json["token"]));
    expect(await read(`/servers/${identity(0).node}`)).not.toContain("Reach");
  });
});

describe("the first ping", () => {
  it("has what the second server found of the first by itself, and leads to all of it", async () => {
    await enrol(0, "web1");
    const db = await enrol(1, "db1");
    expect(await read("/first-ping")).toMatch(/What db1 has found by itself.*Nobody has probed yet/s);
    await tell(1, db, { secondsAgo: 0, pairs: [found(0)] });
    const response = await request("/first-ping", { method: "GET" });
    const text = await response.text();
    expect(text).toMatch(/>web1<[\s\S]*12 ms, 1500 bytes/);
    expect(text).toContain('<a href="/reach">');
    expect(text).toContain('data-live="servers"');
  });

  it("has the commands alone for whom may not read it", async () => {
    await enrol(0, "web1");
    await enrol(1, "db1");
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["nodes"] });
    await signIn(String(json["token"]));
    const text = await read("/first-ping");
    expect(text).toContain("docker run");
    expect(text).not.toContain("by itself");
  });
});

it("the list and a server's page are there also where the Worker refuses what probes say", async () => {
  await enrol(0, "web1");
  const stub = env.NETWORK.getByName(env.ZEROTIER_NETWORK);
  const asked: PropertyKey[] = [];
  const object = new Proxy(stub, {
    get(target, name) {
      asked.push(name);
      if (name === "silences") return () => Promise.reject(new Error("the object is away"));
      return (...given: unknown[]) => Reflect.apply(Reflect.get(target, name), target, given);
    },
  });
  const bindings = { ...env, NETWORK: { getByName: () => object } };
  for (const path of ["/", `/servers/${identity(0).node}`]) {
    asked.length = 0;
    const headers = { Accept: "text/html", Cookie: cookie, "Sec-Fetch-Site": "same-origin" };
    const response = await makeApp().fetch(new Request(`${ORIGIN}${path}`, { headers }), bindings);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("web1");
    expect(asked).toContain("silences");
  }
});
