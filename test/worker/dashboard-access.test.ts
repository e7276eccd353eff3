// Signing in by Cloudflare Access: whose word counts, what for and how long. The platform's part is played by what it hands to the Worker.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { workersPlatform } from "../../worker/network/platform.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const AUDIENCE = "a1".repeat(32);
const OURS = { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };

let cookie = "";
beforeEach(() => {
  cookie = "";
});

/** What the platform hands over for a request that an application let in. */
function letIn(identity: CloudflareAccessIdentity | undefined, aud = AUDIENCE): CloudflareAccessContext {
  return {
    aud,
    // As the platform's own, it cannot be called by itself.
    async getIdentity() {
      if (this.aud !== aud) throw new TypeError("Illegal invocation");
      return identity;
    },
  };
}

interface Visit {
  readonly access?: CloudflareAccessContext;
  readonly settings?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

async function visit(path: string, { access, settings = {}, headers = OURS, form }: Visit = {}) {
  const request = new Request(`${ORIGIN}${path}`, {
    method: form === undefined ? "GET" : "POST",
    redirect: "manual",
    headers: { ...headers, Accept: "text/html", Cookie: cookie },
    ...(form !== undefined && { body: new URLSearchParams(form) }),
  });
  const ctx = { waitUntil: () => {}, passThroughOnException: () => {}, props: {}, ...(access && { access }) };
  const response = await makeApp().fetch(request, { ...env, ...settings }, ctx);
  const set = response.headers.get("Set-Cookie");
  if (set !== null) cookie = set.includes("Max-Age=0") ? "" : (set.split(";")[0] ?? "");
  return { ...(await readAnswer(response)), set };
}

const ANN = letIn({ email: "Ann@Example.com" });

/** Goes in as a browser does: the page, and its form. */
async function goIn(access = ANN, to = "/"): Promise<Answer> {
  await visit(`/access?to=${encodeURIComponent(to)}`, { access });
  return visit("/access", { access, form: { to } });
}

const events = async (limit: number) =>
  (await use.world.admin("GET", `/v1/events?limit=${limit}`)).json["items"];
const session = () => cookie.slice(cookie.indexOf("=") + 1);
const bySession = (method: string, path: string, body?: object) =>
  use.world.call(method, path, { token: session(), body });

describe("whoever Cloudflare Access lets in", () => {
  it("sees who that is, and is signed in by the form, where the link led", async () => {
    expect((await visit("/")).text).toContain('href="/access?to=%2F"');
    const shown = await visit("/access?to=%2Fpool", {
      access: ANN,
      headers: { "Sec-Fetch-Site": "cross-site" },
    });
    expect([shown.status, cookie]).toEqual([200, ""]);
    expect(shown.text).toContain("ann@example.com");
    expect(shown.text).toContain('name="to" value="/pool"');
    const { status, headers, set } = await visit("/access", { access: ANN, form: { to: "/pool" } });
    expect([status, headers.get("Location")]).toEqual([303, "/pool"]);
    expect(set).toMatch(/^__Host-meshboot=mbs_.*Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect((await visit("/pool")).status).toBe(200);
  });

  it("is the actor of what is done, by the e-mail, with the scopes that the settings give it", async () => {
    await goIn();
    expect((await bySession("POST", "/v1/tokens", { scopes: ["read"] })).status).toBe(201);
    const by = { who: "operator", id: "ann@example.com" };
    expect(await events(2)).toMatchObject([
      { action: "token-made", by },
      { action: "session-begun", by, token: "ann@example.com" },
    ]);
    expect((await visit("/events")).text).toContain("ann@example.com");
    await goIn(letIn({ email: "bob@example.com" }));
    expect((await bySession("GET", "/v1/sessions/current")).json).toMatchObject({
      token: "bob@example.com",
      scopes: ["read"],
    });
    expect((await bySession("POST", "/v1/keys", {})).json["type"]).toBe("/problems/forbidden");
  });

  it("is signed in for an hour, then asks Access again; and ends with the scopes of the e-mail", async () => {
    await goIn();
    const answered = (settings: object) =>
      runInDurableObject(use.world.object, async (_, state) => {
        const object = new NetworkObject(state, { ...env, ...settings }, workersPlatform);
        await state.blockConcurrencyWhile(async () => {});
        const bearer = await object.sessionBearer(await sha256Hex(session()));
        return bearer.ok ? bearer.value.scopes : bearer.error;
      });
    expect(await answered({})).toEqual(["admin"]);
    expect(await answered({ ACCESS_SCOPES: "*@example.com=read,keys" })).toEqual(["read", "keys"]);
    for (const settings of [
      { ACCESS_SCOPES: "*@example.org=admin" },
      { ACCESS_AUD: "", ACCESS_SCOPES: "" },
      { ACCESS_AUD: "b2".repeat(32) },
    ])
      expect(await answered(settings)).toEqual({ problem: "unauthorized", reason: "no-scope-by-access" });
    use.world.advance(HOUR - 1000);
    expect((await bySession("GET", "/v1/nodes")).status).toBe(200);
    use.world.advance(2000);
    expect((await bySession("GET", "/v1/nodes")).status).toBe(401);
  });

  it("is listed, and can be signed out by an operator", async () => {
    await goIn();
    const { json } = await use.world.admin("GET", "/v1/sessions");
    expect(json["items"]).toMatchObject([{ token: "ann@example.com" }]);
    const [id] = JSON.stringify(json).match(/[0-9a-f]{16}/) ?? [];
    expect((await use.world.admin("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
    expect((await bySession("GET", "/v1/nodes")).status).toBe(401);
  });

  it("is led on to Access's own sign-out; whoever came by a token is not", async () => {
    await goIn();
    const secret = session();
    const { status, text } = await visit("/sign-out", { form: {} });
    expect([status, cookie]).toEqual([200, ""]);
    expect(text).toContain('content="0; url=/cdn-cgi/access/logout"');
    expect((await use.world.call("GET", "/v1/nodes", { token: secret })).status).toBe(401);
    await visit("/sign-in", { form: { token: ADMIN } });
    expect((await visit("/sign-out", { form: {} })).headers.get("Location")).toBe("/");
  });

  it("begins thirty sessions a minute from one address at most, and ten at a time, of which the oldest end", async () => {
    const NODE_CALLS = { limit: async () => ({ success: false }) };
    expect((await visit("/access", { access: ANN, form: {}, settings: { NODE_CALLS } })).status).toBe(429);
    await goIn();
    const first = session();
    for (let more = 0; more < 10; more++) await goIn();
    expect((await use.world.call("GET", "/v1/nodes", { token: first })).status).toBe(401);
    expect((await bySession("GET", "/v1/nodes")).status).toBe(200);
  });
});

describe("nobody is let in", () => {
  const refused = async (visitor: Visit) => {
    const [shown, sent] = [await visit("/access", visitor), await visit("/access", { ...visitor, form: {} })];
    expect([shown.status, sent.status, cookie]).toEqual([403, 403, ""]);
    expect(shown.text).not.toContain("example.com");
  };

  it("by headers, which anybody can send", async () => {
    await refused({
      headers: {
        ...OURS,
        "Cf-Access-Authenticated-User-Email": "ann@example.com",
        "Cf-Access-Jwt-Assertion": "e30.e30.e30",
      },
    });
  });

  it("by another application, without an e-mail, or by what is none", async () => {
    await refused({ access: letIn({ email: "ann@example.com" }, "b2".repeat(32)) });
    await refused({ access: letIn(undefined) });
    await refused({ access: letIn({ name: "a service token" }) });
    await refused({ access: letIn({ email: "ann@example.com <b>" }) });
  });

  it("where the settings name no application", async () => {
    const settings = { ACCESS_AUD: "", ACCESS_SCOPES: "" };
    await refused({ access: letIn({ email: "ann@example.com" }), settings });
    await refused({ access: letIn({ email: "ann@example.com" }, ""), settings });
    expect((await visit("/", { settings })).text).not.toContain("/access");
  });

  it("whose e-mail is somebody else's but for letters that are alike in lower case", async () => {
    const settings = { ACCESS_SCOPES: "kim@example.com=admin" };
    const access = letIn({ email: "\u212aim@example.com" });
    const { text } = await visit("/access", { access, settings });
    expect(text).toContain("<strong>\u212aim@example.com</strong>");
  });

  it("whose e-mail is given nothing", async () => {
    const access = letIn({ email: "ann@example.org" });
    const { status, text } = await visit("/access", { access, form: {} });
    expect([status, cookie]).toEqual([403, ""]);
    expect(text).toContain("ACCESS_SCOPES gives nothing");
    expect(await events(1)).toEqual([]);
  });

  it("by a form of another site's page", async () => {
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await visit("/access", { access: ANN, headers, form: {} })).status).toBe(403);
    expect(cookie).toBe("");
  });

  it("by what Access says of a call of the API", async () => {
    expect((await visit("/v1/nodes", { access: ANN })).status).toBe(401);
    expect((await visit("/pool", { access: ANN })).status).toBe(303);
  });
});
