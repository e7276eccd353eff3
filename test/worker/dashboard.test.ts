// The pages as they are without a script: what they show, and what their forms do.

import { exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
let cookie = "";

beforeEach(() => {
  cookie = "";
});

/** Asks as a browser does, which keeps the cookie and goes where it is sent once at most. */
async function browse(
  path: string,
  form?: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" },
): Promise<Answer> {
  const response = await exports.default.fetch(`${ORIGIN}${path}`, {
    method: form === undefined ? "GET" : "POST",
    redirect: "manual",
    headers: { ...headers, Accept: "text/html", Cookie: cookie },
    ...(form !== undefined && { body: new URLSearchParams(form) }),
  });
  const set = response.headers.get("Set-Cookie");
  if (set !== null) cookie = set.includes("Max-Age=0") ? "" : (set.split(";")[0] ?? "");
  return readAnswer(response);
}

const signIn = (token = ADMIN) => browse("/sign-in", { token });
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
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
    for (const path of ["/pool", "/add", "/keys", "/events", server(), `${server()}/delete`]) {
      const { status, headers } = await browse(path);
      expect([path, status, headers.get("Location")]).toEqual([path, 303, "/"]);
    }
    const { status, headers } = await browse(`${server()}/revoke`, {});
    expect([status, headers.get("Location")]).toEqual([303, "/"]);
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

  it("replaces by a key that is shown once", async () => {
    await use.world.enrol();
    await signIn();
    expect((await browse(`${server()}/replace`)).text).toContain("Make the key");
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toHaveLength(1);
    const { status, text } = await browse(`${server()}/replace`, {});
    expect(status).toBe(200);
    const key = /mbk_[A-Za-z0-9_-]{22}/.exec(text)?.[0] ?? "none";
    expect((await use.world.enrol({ key, number: 1 })).json["slot"]).toBe(1);
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
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
    await signIn(String(json["token"]));
    expect((await browse(server())).status).toBe(200);
    const { status, text } = await browse(`${server()}/revoke`, {});
    expect(status).toBe(403);
    expect(text).toContain("needs an admin token with the scope nodes");
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
    expect((await browse(list)).text).toMatch(/>web9<[\s\S]*edge, eu/);
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
    expect((await browse("/add", { ...WANTED, provider: "ovh-vps", once: "y" })).text).toContain("#!/bin/sh");
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
    const form = /action="(\/keys\/[0-9a-f]{16}\/revoke)"/.exec(text)?.[1] ?? "none";
    expect((await browse(form, {})).headers.get("Location")).toBe("/keys");
    expect((await browse("/keys")).text).toContain("revoked");
    expect((await use.world.enrol({ key, number: 1, name: "web2" })).json["type"]).toBe(
      "/problems/key-revoked",
    );
    expect((await browse(server())).status).toBe(200);
  });
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
    expect(text).toContain("<td>reserved for db1</td>");
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
});
