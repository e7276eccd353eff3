import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { version } from "../../package.json";
import { makeApp } from "../../worker/app.ts";
import { dashboardRoutes } from "../../worker/dashboard/dashboard.ts";
import type { App } from "../../worker/http/context.ts";
import { OpenAPIHono } from "../../worker/schema/openapi.ts";
import { PROBLEM_NAMES, PROBLEMS } from "../../worker/schema/problem-kinds.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();

/** Calls the API with other settings. */
async function withSettings(settings: object, path: string, init?: RequestInit): Promise<Answer> {
  return readAnswer(await makeApp().fetch(new Request(`${ORIGIN}${path}`, init), { ...env, ...settings }));
}

describe("a misconfigured Worker", () => {
  const bad = { ZEROTIER_NETWORK: "", ADMIN_TOKEN: "secret-but-wrong", DOCKER_POOL: "10.147.0.0/16" };

  it("answers every call of the API with all that is wrong, and no secret", async () => {
    for (const [method, path] of [
      ["POST", "/v1/enroll"],
      ["GET", "/v1/nodes"],
      ["GET", "/boot/mbk_0123456789abcdefghijkl"],
    ] as const) {
      const { status, json, text } = await withSettings(bad, path, { method });
      expect([path, status, json["type"]]).toEqual([path, 503, "/problems/misconfigured"]);
      expect(json["errors"]).toEqual([
        expect.stringMatching(/^ZEROTIER_NETWORK is not set/),
        expect.stringMatching(/^ADMIN_TOKEN is not of the form/),
        expect.stringMatching(/overlap/),
      ]);
      expect(text).not.toContain("secret-but-wrong");
    }
  });

  it("says so on its page and to the monitoring", async () => {
    const health = await withSettings(bad, "/healthz");
    expect([health.status, health.json["status"]]).toEqual([503, "misconfigured"]);
    const page = await withSettings(bad, "/");
    expect(page.status).toBe(503);
    expect(page.text).toContain("ZEROTIER_NETWORK is not set");
  });
});

describe("the page", () => {
  it("and healthz say when the controller does not take a change", async () => {
    use.world.central.fail("POST", "/member", { kind: "status", status: 401, times: 99 });
    await use.world.enrol();
    expect((await use.world.health()).json["status"]).toBe("waiting");
    expect((await use.world.call("GET", "/")).text).toContain("has not taken every member");
  });
});

describe("a delivery that keeps failing", () => {
  it("of routes and copies is a warning on the page and in healthz: servers are let in all the same", async () => {
    const key = await use.world.key();
    const { json } = await use.world.enrol({ key });
    const copies = (state: DurableObjectState, attempts: number) =>
      state.storage.sql.exec("UPDATE outbox SET attempts = ? WHERE kind = 'copy'", attempts);
    use.world.central.fail("GET", "/network/8056c2e21c000001", { kind: "status", status: 500, times: 99 });
    await runInDurableObject(use.world.object, (_, state) => copies(state, 1));
    expect((await use.world.health()).json).toEqual({
      status: "ok",
      faults: [],
      warnings: [],
    });
    while ((await use.world.outbox()).find(({ kind }) => kind === "routes")?.attempts !== 3)
      await use.world.fireAlarm();
    // Again: that writes the copy alone.
    await use.world.enrol({ key });
    await runInDurableObject(use.world.object, (_, state) => copies(state, 3));
    const health = await use.world.health();
    expect([health.status, health.json["status"]]).toEqual([200, "ok"]);
    expect(health.json["warnings"]).toEqual([
      expect.stringMatching(/^the managed routes are not up to date/),
      expect.stringMatching(/^copies of leases in Workers KV/),
    ]);
    expect(health.text).not.toContain(String(json["node"]));
    const page = await use.world.call("GET", "/");
    expect(page.text).toContain("ready to let servers in");
    expect(page.text).toContain("copies of leases in Workers KV");
    use.world.central.faults.clear();
    await use.world.settle();
    expect((await use.world.health()).json["warnings"]).toEqual([]);
  });
});

describe("every answer", () => {
  it("has security headers and a request id of ours", async () => {
    const { headers } = await use.world.call("GET", "/healthz", { headers: { "X-Request-Id": "forged" } });
    expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(headers.get("Strict-Transport-Security")).toContain("max-age=");
  });

  it("to the operator is JSON, whatever is accepted", async () => {
    await use.world.enrol();
    for (const path of ["/v1/nodes", `/v1/nodes/${identity(0).node}`, "/v1/keys", "/v1/pool", "/healthz"]) {
      const call = { token: ADMIN, headers: { Accept: "text/plain" } };
      const { headers, text } = await use.world.call("GET", path, call);
      expect([path, headers.get("Content-Type")]).toEqual([path, "application/json"]);
      expect(text).not.toContain("[object");
    }
  });

  it("to a call that does not exist is a problem, with the id that the log has", async () => {
    const { status, json, headers } = await use.world.call("GET", "/v1/nothing");
    expect([status, json["type"]]).toEqual([404, "/problems/not-found"]);
    expect(json["instance"]).toBe(headers.get("X-Request-Id"));
    expect(use.world.log.at(-1)).toContain(String(json["instance"]));
  });

  it("to another method names those that are allowed", async () => {
    const { status, json, headers } = await use.world.call("DELETE", "/v1/keys");
    expect([status, json["type"]]).toEqual([405, "/problems/method-not-allowed"]);
    expect(headers.get("Allow")).toBe("POST, GET, HEAD");
  });
});

describe("a body", () => {
  const enrol = (init: RequestInit) =>
    withSettings({}, "/v1/enroll", {
      method: "POST",
      ...init,
      headers: { Authorization: "Bearer mbk_0123456789abcdefghijkl", ...init.headers },
    });

  it("that is no JSON is refused by its type, by its syntax, by its size", async () => {
    const json = { "Content-Type": "application/json" };
    expect((await enrol({ body: "{}" })).status).toBe(415);
    expect((await enrol({ body: "{}", headers: { "Content-Type": "text/plain" } })).status).toBe(415);
    expect((await enrol({ body: "{", headers: json })).json["type"]).toBe("/problems/bad-request");
    expect((await enrol({ body: "[]", headers: json })).json["type"]).toBe("/problems/bad-request");
    expect((await enrol({ headers: json })).json["type"]).toBe("/problems/bad-request");
    const large = await enrol({ body: `{"x":"${"x".repeat(17_000)}"}`, headers: json });
    expect([large.status, large.json["type"]]).toEqual([413, "/problems/body-too-large"]);
  });
});

describe("the rate limit", () => {
  it("refuses an address that asks too often, with the time to wait", async () => {
    const limit = vi.fn(async ({ key }: { key: string }) => ({ success: key !== "192.0.2.1" }));
    const ask = (address: string) =>
      withSettings({ CALLS: { limit } }, "/v1/enroll", {
        method: "POST",
        headers: { "CF-Connecting-IP": address },
      });
    const refused = await ask("192.0.2.1");
    expect([refused.status, refused.json["type"]]).toEqual([429, "/problems/too-many-requests"]);
    expect(refused.headers.get("Retry-After")).toBe("60");
    expect((await ask("192.0.2.2")).status).toBe(401);
  });

  it("stands before every call that reaches the object without the admin token", async () => {
    const NETWORK = {
      getByName: () => {
        throw new Error("the object was called");
      },
    };
    const { node } = identity(0);
    const token = "Bearer mbn_0123456789abcdefghijkl";
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/healthz"],
      ["GET", "/boot/mbk_0123456789abcdefghijkl"],
      ["GET", "/boot/mbk_0123456789abcdefghijkl/sh"],
      ["GET", `/v1/nodes/${node}`],
      ["DELETE", `/v1/nodes/${node}`],
      ["POST", `/v1/nodes/${node}/heartbeat`],
    ] as const) {
      const limit = async () => ({ success: false });
      const { status } = await withSettings({ CALLS: { limit }, NETWORK }, path, {
        method,
        headers: { Authorization: token },
      });
      // This one is run by a shell.
      expect([path, status]).toEqual([path, path.endsWith("/sh") ? 200 : 429]);
    }
  });

  it("does not count the operator's calls", async () => {
    const limit = async () => ({ success: false });
    const init = { headers: { Authorization: `Bearer ${ADMIN}` } };
    for (const path of ["/v1/nodes", "/v1/pool"])
      expect((await withSettings({ CALLS: { limit } }, path, init)).status).toBe(200);
    expect((await withSettings({ CALLS: { limit } }, "/v1/nodes/4e8d87c868", init)).status).toBe(404);
  });
});

describe("/openapi.json", () => {
  it("describes every route, and every problem that there is", async () => {
    const { status, text } = await use.world.call("GET", "/openapi.json");
    expect(status).toBe(200);
    const document: { paths: Record<string, Record<string, unknown>> } = JSON.parse(text);
    const described = Object.entries(document.paths).flatMap(([path, calls]) =>
      Object.keys(calls).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
    );
    const routed = makeApp()
      .routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`);
    const undescribed = new Set(routed.filter((route) => !described.includes(route)));
    const pages = new OpenAPIHono<App>();
    dashboardRoutes(pages);
    expect(undescribed).toEqual(
      new Set([
        "GET /openapi.json",
        ...pages.routes
          .filter(({ method }) => method !== "ALL")
          .map(({ method, path }) => `${method} ${path}`),
      ]),
    );
    const named = new Set([...text.matchAll(/\/problems\/([a-z-]+)/g)].map(([, name]) => name));
    // Any address can answer this one.
    named.add("method-not-allowed");
    expect([...PROBLEM_NAMES].filter((name) => !named.has(name))).toEqual([]);
    // A lease as lines is what an enrolment and a heartbeat are answered with, and no refusal is.
    expect(text.match(/"example":"SLOT=/g)).toHaveLength(3);
    expect(text.match(/"example":"TURN=/g)).toHaveLength(2);
    expect(text).toContain('"example":"TYPE=/problems/');
    expect(text).toContain('"bearerFormat":"mbk_…"');
  });
});

describe("/openapi.json, asked which release runs", () => {
  it("says the version of package.json", async () => {
    const { text } = await use.world.call("GET", "/openapi.json");
    expect(JSON.parse(text)).toMatchObject({ info: { version } });
  });
});

describe("/openapi.json, asked for again and again", () => {
  it("is made once", async () => {
    const app = makeApp();
    const make = vi.spyOn(app, "getOpenAPI31Document");
    const ask = async () => (await app.fetch(new Request(`${ORIGIN}/openapi.json`), env)).text();
    expect(await ask()).toBe(await ask());
    expect(make).toHaveBeenCalledTimes(1);
  });

  it("is limited", async () => {
    const limit = async () => ({ success: false });
    expect((await withSettings({ CALLS: { limit } }, "/openapi.json")).status).toBe(429);
  });
});

describe("/problems/:name", () => {
  it.each(PROBLEM_NAMES)("explains %s", async (name) => {
    const { status, text, headers } = await use.world.call("GET", `/problems/${name}`);
    expect(status).toBe(200);
    expect(headers.get("Content-Type")).toMatch(/^text\/plain/);
    expect(text).toContain(PROBLEMS[name].meaning);
  });

  it("knows no other", async () => {
    expect((await use.world.call("GET", "/problems/toString")).status).toBe(404);
  });
});
