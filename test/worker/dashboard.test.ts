// The pages as they are without a script: what they show, and what their forms do.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { Pages } from "../../worker/dashboard/pages.ts";
import { poolPage } from "../../worker/dashboard/pool.tsx";
import STYLE from "../../worker/dashboard/style.css";
import type { App } from "../../worker/http/context.ts";
import { OpenAPIHono } from "../../worker/schema/openapi.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
let cookie = "";

beforeEach(() => {
  cookie = "";
});

const OURS = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };

/** Asks as a browser does, which keeps the cookie and goes nowhere by itself. `settings`: others than the Worker's own. */
async function browse(
  path: string,
  form?: Readonly<Record<string, string>> | BodyInit,
  headers: Readonly<Record<string, string>> = OURS,
  settings: object = {},
): Promise<Answer> {
  const isFields = typeof form === "object" && Object.getPrototypeOf(form) === Object.prototype;
  const request = new Request(`${ORIGIN}${path}`, {
    method: form === undefined ? "GET" : "POST",
    redirect: "manual",
    headers: { ...headers, Accept: "text/html", Cookie: cookie },
    ...(form !== undefined && { body: isFields ? new URLSearchParams(Object.entries(form)) : `${form}` }),
  });
  const response = await makeApp().fetch(request, { ...env, ...settings });
  const set = response.headers.get("Set-Cookie");
  if (set !== null) cookie = set.includes("Max-Age=0") ? "" : (set.split(";")[0] ?? "");
  return readAnswer(response);
}

const signIn = (token = ADMIN) => browse("/sign-in", { token });

/** Signs in with a token of those scopes. */
async function signInWith(...scopes: string[]): Promise<void> {
  const { json } = await use.world.admin("POST", "/v1/tokens", { scopes });
  await signIn(String(json["token"]));
}

/** The hidden field of a page's form. */
const hidden = (text: string, name: string) =>
  new RegExp(`type="hidden" name="${name}" value="([^"]*)"`).exec(text)?.[1];

/** Settings with which nobody reaches the object. */
const AWAY = {
  NETWORK: {
    getByName: () => {
      throw new Error("the object is away");
    },
  },
};
const server = (number = 0) => `/servers/${identity(number).node}`;

describe("whoever is not signed in", () => {
  it("sees whether it works, the way in, and nothing of the mesh", async () => {
    await use.world.enrol();
    const { status, text, headers } = await browse("/");
    expect(status).toBe(200);
    expect(text).toContain("ready to let servers in");
    expect(text).toContain('type="password"');
    expect(text).not.toContain("web1");
    expect(headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  it("gets a stylesheet that is kept for ever under its own address", async () => {
    const { text } = await browse("/");
    const path = /href="(\/style\/[0-9a-f]{16}\.css)"/.exec(text)?.[1] ?? "none";
    const { status, headers } = await browse(path);
    expect([status, headers.get("Cache-Control"), headers.get("Content-Type")]).toEqual([
      200,
      "public, max-age=31536000, immutable",
      "text/css; charset=utf-8",
    ]);
    expect((await browse("/style/0123456789abcdef.css")).status).toBe(404);
  });

  it("is led to the way in from every other page", async () => {
    const further = [
      "/chosen",
      "/approvals",
      "/reservations",
      "/refusals",
      "/controller",
      "/controller/drift",
    ];
    const theAdmins = ["/webhooks", "/tokens", "/sessions", "/first-ping"];
    for (const path of [
      ...["/pool", "/reach", "/add", "/keys", "/events", server(), `${server()}/delete`],
      ...[...further, ...theAdmins],
    ]) {
      const { status, headers } = await browse(path);
      const to = `/?to=${encodeURIComponent(path)}`;
      expect([path, status, headers.get("Location")]).toEqual([path, 303, to]);
    }
    const { status, headers } = await browse(`${server()}/revoke`, {});
    expect([status, headers.get("Location")]).toEqual([303, "/"]);
  });

  it("comes back, once signed in, to where they wanted to go", async () => {
    const wanted = "/events?action=renamed&name=web1";
    const led = (await browse(wanted)).headers.get("Location") ?? "none";
    const to = hidden((await browse(led)).text, "to")?.replaceAll("&amp;", "&") ?? "none";
    expect(to).toBe(wanted);
    const failed = await browse("/sign-in", { token: "hunter2", to });
    expect(hidden(failed.text, "to")?.replaceAll("&amp;", "&")).toBe(wanted);
    expect((await browse("/sign-in", { token: ADMIN, to })).headers.get("Location")).toBe(wanted);
  });

  it.each([
    ..."https://elsewhere.example //elsewhere.example /\\elsewhere.example \\\\elsewhere.example".split(" "),
    ...["/\t/elsewhere.example", "javascript:alert(1)", "", "pool"],
  ])("is led to no other host by %j", async (to) => {
    expect(hidden((await browse(`/?${new URLSearchParams({ to })}`)).text, "to")).toBeUndefined();
    expect((await browse("/sign-in", { token: ADMIN, to })).headers.get("Location")).toBe("/");
  });

  it("goes on by a page of ours when a link of another site brings no cookie", async () => {
    const elsewhere = { "Sec-Fetch-Site": "cross-site" };
    for (const path of ["/", "/pool?from=3&x=%22"]) {
      const { status, text } = await browse(path, undefined, elsewhere);
      const here = path.replace("&", "&amp;");
      expect([status, text.includes(`content="0; url=${here}"`), text.includes(`href="${here}"`)]).toEqual([
        ...[200, true, true],
      ]);
      expect(text).not.toContain('type="password"');
    }
    expect((await browse("/", undefined, OURS)).text).toContain('type="password"');
    await signIn();
    expect((await browse("/", undefined, elsewhere)).text).toContain("<h1>Servers</h1>");
  });

  it("is told what of the settings is wrong instead of being let in", async () => {
    const { status, text } = await browse("/sign-in", { token: ADMIN }, OURS, { ZEROTIER_NETWORK: "" });
    expect(status).toBe(503);
    expect(text).toMatch(/^<!doctype html>[\s\S]*ZEROTIER_NETWORK is not set/);
  });

  it("has to wait after too many tries, and is told for how long", async () => {
    const NODE_CALLS = { limit: async () => ({ success: false }) };
    const { status, text, headers } = await browse("/sign-in", { token: ADMIN }, OURS, { NODE_CALLS });
    expect([status, headers.get("Retry-After")]).toEqual([429, "60"]);
    expect(text).toContain('type="password"');
  });

  it("comes in with an admin token, which no page and no cookie shows", async () => {
    const { status, headers } = await signIn();
    expect([status, headers.get("Location")]).toEqual([303, "/"]);
    expect(headers.get("Set-Cookie")).toMatch(
      /^__Host-meshboot=mbs_[A-Za-z0-9_-]{22}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const { text } = await browse("/");
    expect(text).toContain("<h1>Servers</h1>");
    expect(text).not.toMatch(/mb[as]_[A-Za-z0-9_-]{22}/);
  });

  it.each([
    ["another one", "mba_not-the-one-of-the-tests-0", 403, /neither the one that is configured/],
    ["something else", "hunter2", 400, /An admin token is mba_/],
    ["a session", "mbs_0123456789abcdefghijkl", 400, /An admin token is mba_/],
  ])("does not come in with %s", async (_, token, status, told) => {
    const answer = await signIn(token);
    expect([answer.status, cookie]).toEqual([status, ""]);
    expect(answer.text).toMatch(told);
    expect(answer.text).not.toContain(token);
  });

  it("does not come in by a form of another page's", async () => {
    const answer = await browse(
      "/sign-in",
      { token: ADMIN },
      { Origin: "https://elsewhere.example", "Sec-Fetch-Site": "cross-site" },
    );
    expect([answer.status, cookie]).toEqual([403, ""]);
    expect(answer.text).toContain("Sent by another page");
  });

  it("leaves the session that the browser had before", async () => {
    await signIn();
    const before = cookie;
    await signIn();
    const after = cookie;
    cookie = before;
    expect((await browse("/pool")).status).toBe(401);
    cookie = after;
    expect((await browse("/pool")).status).toBe(200);
  });
});

describe("a form", () => {
  const URLENCODED = { ...OURS, "Content-Type": "application/x-www-form-urlencoded" };

  it("has to come from a page of ours, of whatever type it is", async () => {
    await use.world.enrol();
    await signIn();
    const types = ["application/json", "text/plain", "application/x-www-form-urlencoded"];
    for (const type of types)
      for (const headers of [{}, { Origin: "null" }, { Origin: "https://elsewhere.example" }]) {
        const { status } = await browse(`${server()}/revoke`, "", { ...headers, "Content-Type": type });
        expect([type, headers, status]).toEqual([type, headers, 403]);
      }
    expect((await browse(`${server()}/revoke`, {}, { Origin: ORIGIN })).status).toBe(303);
    const { headers } = await browse("/");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
  });

  it("that is malformed is refused on a page", async () => {
    await use.world.enrol();
    await signIn();
    const broken = { ...OURS, "Content-Type": "multipart/form-data; boundary=x" };
    for (const path of ["/sign-in", "/add", `${server()}/rename`]) {
      const { status, text } = await browse(path, "--x\r\nno end", broken);
      expect([path, status]).toEqual([path, 400]);
      expect(text).toMatch(/^<!doctype html>[\s\S]*did not arrive whole/);
    }
  });

  it("that is too large is refused on a page, whatever length it is said to have", async () => {
    await signIn();
    for (const [path, most] of [
      ["/sign-in", 8192],
      ["/add", 16_384],
      [`${server()}/rename`, 8192],
    ] as const)
      for (const length of [{}, { "Content-Length": "3" }, { "Content-Length": "x" }]) {
        const { status, text } = await browse(path, `x=${"x".repeat(most)}`, { ...URLENCODED, ...length });
        expect([path, status]).toEqual([path, 413]);
        expect(text).toMatch(new RegExp(`^<!doctype html>[\\s\\S]*at most ${most} bytes`));
      }
  });

  it("is not read before it is known who sends it", async () => {
    const read = vi.fn();
    for (const [carried, status] of [
      ["", 303],
      ["__Host-meshboot=mbs_0123456789abcdefghijkl", 401],
    ] as const) {
      const body = new ReadableStream(
        {
          pull: (controller) => {
            read();
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const init = { method: "POST", headers: { ...URLENCODED, Cookie: carried }, body, duplex: "half" };
      const { status: answered } = await makeApp().fetch(new Request(`${ORIGIN}/add`, init), env);
      expect([carried, answered]).toEqual([carried, status]);
    }
    expect(read).not.toHaveBeenCalled();
  });

  it("gets a page also where nothing takes it", async () => {
    const { status, text } = await browse("/pool", {});
    expect(status).toBe(405);
    expect(text).toMatch(/^<!doctype html>/);
    const program = await use.world.call("POST", "/v1/nothing", { headers: { Accept: "text/html" } });
    expect(program.json["type"]).toBe("/problems/not-found");
  });
});

describe("a page", () => {
  it("counts once for its address, and the first one twice, however much it asks", async () => {
    await use.world.enrol();
    await signIn();
    let counted = 0;
    const CALLS = {
      limit: async () => {
        counted += 1;
        return { success: true };
      },
    };
    for (const [path, most] of [
      ["/", 2],
      ["/pool", 1],
      [server(), 1],
      ["/controller", 1],
      ["/controller/drift", 1],
      [`/chosen?change=revoke&node=${identity(0).node}`, 1],
      ["/sessions", 1],
    ] as const) {
      counted = 0;
      expect((await browse(path, undefined, OURS, { CALLS })).status).toBe(200);
      expect([path, counted]).toEqual([path, most]);
    }
  });
});

describe("the list of servers", () => {
  it("has what the API has, in its order, and says what is wrong", async () => {
    const key = await use.world.key({ maxUses: 2, tags: ["edge"] });
    for (const [number, name] of ["web2", "web1"].entries()) {
      const { json } = await use.world.enrol({ key, number, name });
      await use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, {
        token: String(json["token"]),
        body: number === 0 ? { state: "failed", step: "docker" } : { state: "ok" },
      });
    }
    await signIn();
    const { text } = await browse("/");
    expect(text.indexOf(">web1<")).toBeLessThan(text.indexOf(">web2<"));
    expect(text).toContain("stopped at docker just now");
    expect(text).toContain("10.147.17.1/24");
    expect((await browse("/?state=failed")).text).not.toContain(">web1<");
    expect((await browse("/?name=WEB1")).text).not.toContain(">web2<");
    expect((await browse("/?tag=core")).text).toContain("No server is like that.");
    expect((await browse("/?sort=-name")).text).toMatch(/>web2<[\s\S]*>web1</);
  });

  it("counts each server once, as what it is shown as, and filters by that", async () => {
    const key = await use.world.key({ maxUses: 4 });
    for (const [number, state] of ["ok", "ok", "failed", "failed"].entries()) {
      const { json } = await use.world.enrol({ key, number, name: `web${number}` });
      await use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, {
        token: String(json["token"]),
        body: { state },
      });
    }
    await use.world.admin("POST", `/v1/nodes/${identity(3).node}/revoke`);
    await signIn();
    const counts = (text: string) =>
      [...text.matchAll(/<a href="\/\?state=\w+">([^<]*)<\/a>/g)].map(([, count]) => count);
    expect(counts((await browse("/")).text)).toEqual(["2 active", "1 revoked", "1 failed"]);
    const names = async (state: string) =>
      [...(await browse(`/?state=${state}`)).text.matchAll(/>(web\d)<\/a>/g)].map(([, name]) => name);
    expect(await names("active")).toEqual(["web0", "web1"]);
    expect(await names("failed")).toEqual(["web2"]);
    expect(await names("revoked")).toEqual(["web3"]);
  });

  it("says of a server that came in and told nothing since that it has not reported", async () => {
    const { json } = await use.world.enrol({ change: { facts: { docker: "28.5.2" } } });
    await use.world.settle();
    await signIn();
    const clause = /<td>has not reported yet<\/td>|active<\/span>, has not reported yet/;
    for (const path of ["/", server()]) expect((await browse(path)).text).toMatch(clause);
    await use.world.call("POST", `${server().replace("/servers", "/v1/nodes")}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "ok" },
    });
    for (const path of ["/", server()]) expect((await browse(path)).text).not.toMatch(clause);
  });

  it("has the faults beside it when the network does not fit, or the controller is away", async () => {
    await use.world.enrol();
    await use.world.settle();
    await signIn();
    use.world.central.network.config.private = false;
    await use.world.admin("POST", "/v1/reconcile");
    const unfit = await browse("/");
    expect(unfit.status).toBe(200);
    expect(unfit.text).toMatch(/does not fit the mesh[\s\S]*Access Control[\s\S]*>web1</);
    use.world.central.network.config.private = true;
    await use.world.admin("POST", "/v1/reconcile");
    use.world.central.fail("POST", "/member", { kind: "status", status: 401, times: 99 });
    await use.world.enrol({ number: 1, name: "web2" });
    const waiting = await browse("/");
    expect(waiting.status).toBe(200);
    expect(waiting.text).toMatch(/controller does not answer as it should[\s\S]*>web2</);
  });

  it("says on a page that the allocator is out of reach, and that one has to wait", async () => {
    await signIn();
    expect((await browse("/", undefined, OURS, AWAY)).status).toBe(503);
    const CALLS = { limit: async ({ key }: { key: string }) => ({ success: key === "" }) };
    const { status, headers } = await browse("/pool", undefined, OURS, { CALLS });
    expect([status, headers.get("Retry-After")]).toEqual([429, "60"]);
  });

  it("says what of a search is wrong", async () => {
    await signIn();
    const { status, text } = await browse("/?state=lost");
    expect(status).toBe(400);
    expect(text).toMatch(/state: /);
  });

  it("goes on to a next page", async () => {
    for (let number = 0; number < 51; number++)
      await use.world.admin("PUT", `/v1/nodes/${(0x1_0000_0000 + number).toString(16).padStart(10, "0")}`, {
        name: `web${number}`,
      });
    await signIn();
    const { text } = await browse("/?sort=slot");
    expect(text).toContain("50 servers on this page");
    const next = /href="([^"]*cursor=[^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "none";
    expect((await browse(next)).text).toContain("1 server on this page");
  });

  it("shows what a server says of itself as text, whatever that is", async () => {
    const facts = { provider: "<script>alert(1)</script>", os: '"><img src=x>' };
    await use.world.enrol({ change: { facts } });
    await signIn();
    for (const path of ["/", server()]) {
      const { text } = await browse(path);
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(text).not.toContain("<script>");
      expect(text).not.toContain("<img");
    }
  });
});

describe("a server's page", () => {
  it("shows addresses, facts, the log's end and events", async () => {
    const { json } = await use.world.enrol({ change: { facts: { docker: "28.5.2" } } });
    await use.world.call("POST", `${server().replace("/servers", "/v1/nodes")}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "failed", step: "rules", log: "rules: failed: nft does not take the rules" },
    });
    await signIn();
    const { text } = await browse(server());
    for (const shown of [
      "172.28.1.0/24",
      "28.5.2",
      "nft does not take the rules",
      "enrolled",
      "stopped at rules",
    ])
      expect(text).toContain(shown);
  });

  it("says that the last thousand events have none of it, and leads to the others", async () => {
    await use.world.enrol();
    await runInDurableObject(use.world.object, (_, state) =>
      state.storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
         INSERT INTO events (at, who, action, name) SELECT 0, 'cron', 'released', 'other' FROM n`,
      ),
    );
    await signIn();
    const { text } = await browse(server());
    expect(text).toContain("None among the last thousand.");
    const path = `/events?node=${identity(0).node}`;
    expect(text).toContain(`href="${path}"`);
    const first = await browse(path);
    expect(first.text).toContain("None among the thousand events that were looked through.");
    expect(hidden(first.text, "node")).toBe(identity(0).node);
    const next = /href="([^"]*cursor=[^"]*)"/.exec(first.text)?.[1]?.replaceAll("&amp;", "&") ?? "none";
    const second = await browse(next);
    expect(second.text).toContain("enrolled web1");
    expect(second.text).not.toContain("other");
  });

  it("says who let it in no better than is known", async () => {
    await use.world.admin("PUT", "/v1/nodes/0100000000", { name: "web7" });
    await signInWith("read");
    const { text } = await browse("/servers/0100000000");
    expect(text).toContain("<dd>no enrolment key</dd>");
    expect(text).toMatch(/<dt>Added by<\/dt><dd>operator root, [\s\S]*\(assigned\)/);
  });

  it("renames, and says why it does not", async () => {
    const key = await use.world.key({ maxUses: 2 });
    await use.world.enrol({ key });
    await use.world.enrol({ key, number: 1, name: "web2" });
    await signIn();
    expect((await browse(`${server()}/rename`, { name: "shop" })).status).toBe(303);
    expect((await browse(server())).text).toContain("<h1>shop</h1>");
    const taken = await browse(`${server()}/rename`, { name: "web2" });
    expect(taken.status).toBe(409);
    expect(taken.text).toMatch(/role="alert"[\s\S]*has the name web2/);
    const bad = await browse(`${server()}/rename`, { name: "Not a name" });
    expect(bad.status).toBe(400);
    expect(bad.text).toContain("one DNS label");
  });

  it("revokes and approves", async () => {
    await use.world.enrol();
    await signIn();
    expect((await browse(`${server()}/revoke`)).text).toContain("Revoke it");
    expect((await browse(server())).text).not.toContain("taken out of the mesh");
    expect((await browse(`${server()}/revoke`, {})).status).toBe(303);
    expect((await browse(server())).text).toContain("taken out of the mesh");
    expect((await browse(`${server()}/approve`, {})).status).toBe(303);
    expect((await browse(server())).text).not.toContain("taken out of the mesh");
  });

  it("deletes and retires after a look at what that breaks", async () => {
    const key = await use.world.key({ maxUses: 2 });
    await use.world.enrol({ key });
    await use.world.enrol({ key, number: 1, name: "web2" });
    await signIn();
    for (const [verb, number] of [
      ["delete", 0],
      ["retire", 1],
    ] as const) {
      const preview = await browse(`${server(number)}/${verb}`);
      expect(preview.text).toContain("What does not work any more");
      expect((await browse(server(number))).status).toBe(200);
      const { status, headers } = await browse(`${server(number)}/${verb}`, {});
      expect([status, headers.get("Location")]).toEqual([303, "/"]);
      expect((await browse(server(number))).status).toBe(404);
    }
    const { json } = await use.world.admin("GET", "/v1/reservations");
    expect(json["items"]).toEqual([expect.objectContaining({ name: "web2" })]);
  });

  it("leads to who made the key that let it in", async () => {
    const { json } = await use.world.admin("POST", "/v1/keys", { note: "rack 7" });
    await use.world.enrol({ key: String(json["key"]) });
    await signIn();
    const way = `/events?key=${json["id"]}`;
    expect((await browse(server())).text).toMatch(
      /<dt>Added by<\/dt><dd>operator root, <time[^>]*>just now<\/time> \(key-made\)/,
    );
    expect((await browse(server())).text).toContain(`<a href="${way}">enrolment key ${json["id"]}</a>`);
    expect((await browse(way)).text).toMatch(/key-made[^<]*<\/td><td>operator root</);
  });

  it("takes no form of another page's", async () => {
    await use.world.enrol();
    await signIn();
    const forged = { Origin: "https://elsewhere.example", "Sec-Fetch-Site": "cross-site" };
    for (const verb of ["revoke", "approve", "rename", "delete", "retire", "replace"])
      expect([verb, (await browse(`${server()}/${verb}`, { name: "x" }, forged)).status]).toEqual([
        verb,
        403,
      ]);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([
      expect.objectContaining({ name: "web1", state: "active" }),
    ]);
  });

  it("is for nobody whose token may not, and says so", async () => {
    await use.world.enrol();
    await signInWith("read");
    expect((await browse(server())).status).toBe(200);
    for (const form of [undefined, {}]) {
      const { status, text } = await browse(`${server()}/revoke`, form);
      expect(status).toBe(403);
      expect(text).toContain("needs an admin token with the scope nodes");
    }
  });

  it("is without events for whoever may not read them", async () => {
    await use.world.enrol();
    await signInWith("nodes");
    const { status, text } = await browse(server());
    expect(status).toBe(200);
    expect(text).toContain("Rename");
    expect(text).not.toContain("<h2>Events</h2>");
    expect(text).not.toContain("Added by");
  });
});

describe("whoever may not do everything", () => {
  const menu = (text: string) =>
    [...text.matchAll(/<a href="([^"]*)"[^>]*>(?=[A-Z][a-z ]*<\/a>(?:<a|<\/?details|<\/nav))/g)].map(
      ([, path]) => path,
    );

  /** Behind “More”. */
  const OF_SERVERS = ["/approvals", "/reservations", "/refusals", "/controller"];

  it.each([
    [["read"], ["/", "/pool", "/reach", "/keys", "/events", ...OF_SERVERS]],
    [["nodes"], ["/", "/pool", ...OF_SERVERS]],
    [
      ["keys", "nodes"],
      ["/", "/add", "/pool", "/keys", ...OF_SERVERS],
    ],
    [
      ["admin"],
      [
        "/",
        "/add",
        "/pool",
        "/reach",
        "/keys",
        "/events",
        ...OF_SERVERS,
        "/webhooks",
        "/tokens",
        "/sessions",
      ],
    ],
  ])("sees with %j what that is for, and nothing else", async (scopes, paths) => {
    await use.world.enrol();
    await signInWith(...scopes);
    expect(menu((await browse("/")).text)).toEqual(paths);
    const buttons = (await browse(server())).text.includes("Revoke…");
    expect(buttons).toBe(!scopes.includes("read"));
    const keys = await browse("/keys");
    expect(keys.text.includes("Take back")).toBe(scopes.includes("keys") || scopes.includes("admin"));
    expect((await browse("/add")).status).toBe(paths.includes("/add") ? 200 : 403);
  });

  it("comes with keys alone to the page of keys", async () => {
    const key = await use.world.key();
    await signInWith("keys");
    expect((await browse("/")).headers.get("Location")).toBe("/keys");
    const { status, text } = await browse("/keys");
    expect([status, menu(text)]).toEqual([200, ["/add", "/keys"]]);
    expect(text).toContain("Take back");
    expect(text).not.toContain("/?key=");
    expect(text).not.toContain(key);
  });
});

describe("adding a server", () => {
  const WANTED = { provider: "hetzner", name: "web9", tags: "edge, eu", docker: "distro", layout: "split" };

  it("begins with the provider, by which the rest goes", async () => {
    await signIn();
    expect((await browse("/add")).text).toContain('href="/add?provider=hetzner"');
    expect((await browse("/add?provider=hetzner")).text).toContain("<h1>Add a server at hetzner</h1>");
  });

  it("gives user-data that lets the server in, with its size, the same when the form is sent again", async () => {
    await signIn();
    const once = "2f1c7a52-3f2e-4f0b-9f3c-1d2e3f405162";
    const { status, text } = await browse("/add", { ...WANTED, once });
    expect(status).toBe(200);
    expect(text).toMatch(/\d{4} of 32768 bytes that hetzner takes/);
    expect(text).toContain("#cloud-config");
    const key = /mbk_[A-Za-z0-9_-]{22}/.exec(text)?.[0] ?? "none";
    expect(text).toContain(`curl -fsS ${ORIGIN}/boot/${key}/sh | sh`);
    const list = /href="(\/\?key=[0-9a-f]{16})"/.exec(text)?.[1] ?? "none";
    expect((await browse(list)).text).toContain("No server has come in with that key yet.");
    expect((await browse("/add", { ...WANTED, once })).text).toContain(key);
    expect((await use.world.enrol({ key, name: "web9" })).json["name"]).toBe("web9");
    expect((await browse(list)).text).toMatch(/>web9<[\s\S]*>edge<\/a>/);
    expect((await browse("/keys")).text).toContain("for web9");
  });

  it("is by a provider that is known", async () => {
    await signIn();
    const { status, text } = await browse("/add?provider=evil");
    expect([status, text.includes("evil")]).toEqual([404, false]);
    expect((await browse("/add", { ...WANTED, provider: "evil" })).status).toBe(404);
    expect((await browse("/add?provider=other")).status).toBe(200);
  });

  it("takes a changed form, once it was said that it is another one", async () => {
    await signIn();
    const once = "2f1c7a52-3f2e-4f0b-9f3c-1d2e3f405162";
    await browse("/add", { ...WANTED, once });
    const changed = await browse("/add", { ...WANTED, name: "web8", once });
    expect(changed.status).toBe(409);
    const another = hidden(changed.text, "once") ?? "none";
    expect(another).not.toBe(once);
    expect((await browse("/add", { ...WANTED, name: "web8", once: another })).status).toBe(200);
  });

  it("does without what is no id of a form", async () => {
    await signIn();
    const { status } = await browse("/add", { ...WANTED, once: "x\ny" });
    expect(status).toBe(200);
  });

  it("says what is wrong, and keeps what was typed", async () => {
    await signIn();
    const { status, text } = await browse("/add", { ...WANTED, name: "Web 9", once: "x" });
    expect(status).toBe(400);
    expect(text).toMatch(/role="alert"[\s\S]*a name is one DNS label/);
    expect(text).toContain('value="Web 9"');
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toEqual([]);
  });

  it("gives a script where the provider has no field for user-data", async () => {
    await signIn();
    const { text } = await browse("/add", { ...WANTED, provider: "ovh-vps", once: "y" });
    expect(text).toContain("#!/bin/sh");
    expect(text).toContain("<h2>To run on the server</h2>");
    expect(text).not.toContain("order it");
    expect(text).not.toContain("cloud-init takes none of it");
  });
});

describe("the page of keys", () => {
  it("shows what each is for and who came in by it, never its secret, and takes one back", async () => {
    const key = await use.world.key({ note: "for the edge", tags: ["edge"], maxUses: 2 });
    await use.world.enrol({ key });
    await signIn();
    const { text } = await browse("/keys");
    for (const shown of ["for the edge", "1 of 2", "tags edge", "valid"]) expect(text).toContain(shown);
    expect(text).not.toContain(key);
    const list = /href="(\/\?key=[0-9a-f]{16})"/.exec(text)?.[1] ?? "none";
    expect((await browse(list)).text).toContain(">web1<");
    const form = /href="(\/keys\/[0-9a-f]{16}\/revoke)"/.exec(text)?.[1] ?? "none";
    expect((await browse(form)).text).toMatch(/Take back for the edge[\s\S]*>web1<\/a>, active/);
    expect((await browse("/keys")).text).toContain("valid");
    expect((await browse(form, {})).headers.get("Location")).toBe("/keys");
    expect((await browse("/keys")).text).toContain("revoked");
    expect((await use.world.enrol({ key, number: 1, name: "web2" })).json["type"]).toBe(
      "/problems/key-revoked",
    );
    expect((await browse(server())).status).toBe(200);
  });
});

it("a key for a replacement that has no note is named by the server whose place it gives", async () => {
  await use.world.enrol();
  await use.world.admin("POST", `/v1/nodes/${identity(0).node}/replace`, {});
  await signIn();
  const { text } = await browse("/keys");
  expect(text).toMatch(/<a href="\/keys\/[0-9a-f]{16}">replaces web1<\/a>/);
});

describe("the page of events", () => {
  it("says who did what, by name and action, page after page", async () => {
    await use.world.enrol();
    await signIn();
    for (let turn = 0; turn < 26; turn++) {
      await browse(`${server()}/rename`, { name: `a${turn}` });
      await browse(`${server()}/rename`, { name: "shop" });
    }
    const { text } = await browse("/events?action=renamed");
    expect(text).toContain("renamed shop (before: a25)");
    expect(text).toContain("<td>operator root</td>");
    expect(text).not.toContain("enrolled web1");
    const next = /href="([^"]*cursor=[^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "none";
    expect((await browse(next)).text).toContain("renamed shop (before: a0)");
    expect((await browse("/events?name=web1&action=enrolled")).text).toContain("enrolled web1 key ");
  });
});

describe("the pool's page", () => {
  it("has a cell for each slot, and says in words what is kept back", async () => {
    await use.world.enrol();
    await use.world.admin("POST", "/v1/reservations", { name: "db1", slot: 5 });
    await signIn();
    const { text } = await browse("/pool");
    expect(text.match(/<li class="(free|active|reserved)"/g)).toHaveLength(239);
    expect(text).toContain("237 of 239 slots are free");
    expect(text).toMatch(/<tr id="slot-5"><td>5<\/td><td>reserved for db1, since \d{4}-/);
    expect(text).toMatch(/href="#slot-5" title="5: reserved for db1/);
    expect(text).toMatch(/href="\/servers\/[0-9a-f]{10}" title="1: web1, active, since \d{4}-/);
  });

  it("is shown in parts of 512, each of which leads to those beside it", async () => {
    const app = new OpenAPIHono<App>();
    const asked: string[] = [];
    app.get("/v1/sessions/current", (c) =>
      c.json({ id: "1", token: "root", scopes: ["admin"], expiresAt: new Date().toISOString() }),
    );
    app.get("/v1/pool", async (c) => c.json((await use.world.admin("GET", "/v1/pool")).json));
    app.get("/v1/pool/slots", (c) => {
      asked.push(new URL(c.req.url).search);
      const from = Number(c.req.query("from"));
      const to = Math.min(4095, from + Number(c.req.query("limit")) - 1);
      const free = { node: null, name: null, lease: null, since: null, until: null, by: null };
      return c.json({ items: [{ from, to, state: "free", ...free }], next: to === 4095 ? null : to + 1 });
    });
    poolPage(new Pages(app));
    const show = async (path: string) => {
      const headers = { Cookie: "__Host-meshboot=mbs_0123456789abcdefghijkl" };
      const text = await (await app.fetch(new Request(`${ORIGIN}${path}`, { headers }), env)).text();
      const ways = [...text.matchAll(/rel="(next|prev)" href="([^"]*)"/g)].map(([, rel, path]) => [
        rel,
        path,
      ]);
      return { cells: text.match(/<li class="free"/g)?.length, ways };
    };
    expect(await show("/pool")).toEqual({ cells: 512, ways: [["next", "/pool?from=513"]] });
    expect(await show("/pool?from=1025")).toEqual({
      cells: 512,
      ways: [
        ["prev", "/pool?from=513"],
        ["next", "/pool?from=1537"],
      ],
    });
    expect(await show("/pool?from=3585")).toEqual({ cells: 511, ways: [["prev", "/pool?from=3073"]] });
    expect(asked).toEqual(["?from=1&limit=512", "?from=1025&limit=512", "?from=3585&limit=512"]);
  });

  it("shows what is not the same by cells that do not look the same", () => {
    const looks = [
      "active",
      "offline",
      "stale",
      "pending",
      "revoked",
      "excluded",
      "reserved",
      "quarantined",
    ].map(
      (kind) =>
        [...STYLE.matchAll(/([^{}]*)\{([^{}]*)\}/g)].findLast(([, selectors = ""]) =>
          selectors.split(",").some((selector) => selector.trim() === `.slots .${kind}`),
        )?.[2],
    );
    expect(new Set(looks).size).toBe(8);
    expect(looks).not.toContain(undefined);
  });
});

describe("an address with no page", () => {
  it("is one of the dashboard's to whoever is signed in, with the menu and no word of the API", async () => {
    await signIn();
    const { status, text } = await browse("/nothing");
    expect(status).toBe(404);
    expect(text).toContain("No page is under this address.");
    expect(text).toMatch(/<link rel="stylesheet"[\s\S]*<nav aria-label="Pages">/);
    expect(text).toMatch(/<main[\s\S]*<a href="\/">Servers<\/a>/);
    expect(text).not.toContain("openapi");
    expect((await browse("/pool/")).text).toContain('one is under <a href="/pool">/pool</a>.');
  });

  it("looks so to others too, without the menu", async () => {
    const { status, text } = await browse("/nothing");
    expect([status, text.includes("<nav")]).toEqual([404, false]);
    expect(text).toMatch(/<link rel="stylesheet"[\s\S]*<a href="\/">Sign in<\/a>/);
  });
});

describe("a session that is over", () => {
  it("is said, and leads back to the way in", async () => {
    await signIn();
    use.world.advance(13 * 3_600_000);
    const { status, text } = await browse("/");
    expect([status, cookie]).toEqual([401, ""]);
    expect(text).toContain("the session is over");
    expect(text).toContain('type="password"');
  });

  it("is one that was signed out of, everywhere", async () => {
    await signIn();
    const kept = cookie;
    const { status, headers } = await browse("/sign-out", {});
    expect([status, headers.get("Location"), cookie]).toEqual([303, "/", ""]);
    cookie = kept;
    expect((await browse("/")).status).toBe(401);
    expect((await browse("/sign-out", {})).status).toBe(303);
  });

  it("is not, where the Worker could not be told: then it is said until when it is good, and how it ends", async () => {
    use.world.standStill();
    await signIn();
    const kept = cookie;
    const { status, text } = await browse("/sign-out", {}, OURS, AWAY);
    expect([status, cookie]).toEqual([503, ""]);
    expect(text).toContain("could not be ended at the Worker");
    expect(text).toContain(new Date(use.world.now() + 12 * 3_600_000).toISOString().slice(0, 13));
    expect(text).toContain("DELETE /v1/sessions/:id");
    cookie = kept;
    expect((await browse("/")).status).toBe(200);
    const CALLS = { limit: async () => ({ success: false }) };
    expect((await browse("/sign-out", {}, OURS, { CALLS })).status).toBe(429);
  });
});
