// Admin tokens beside the one in the settings: what each scope is good for, and when a token ends.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { makeApp } from "../../worker/app.ts";
import { SCOPES } from "../../worker/base/scope.ts";
import { identity } from "./identities.ts";
import { ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Made {
  readonly id: string;
  readonly token: string;
}

const madeSchema = z.object({ id: z.string(), token: z.string() });

async function make(scopes: readonly string[], more: object = {}): Promise<Made> {
  const { status, json } = await use.world.admin("POST", "/v1/tokens", { scopes, ...more });
  expect(status).toBe(201);
  return madeSchema.parse(json);
}

const by = (token: string, method: string, path: string, body?: unknown) =>
  use.world.call(method, path, { token, body });
const listed = async () => (await use.world.admin("GET", "/v1/tokens")).json["items"];

const securitySchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({ security: z.array(z.record(z.string(), z.array(z.string()))).default([]) }),
    ),
  ),
});

/** The calls that take an admin token, as the document has them, with the scopes of which each needs one. */
async function operatorCalls() {
  const { paths } = securitySchema.parse((await use.world.call("GET", "/openapi.json")).json);
  return Object.entries(paths).flatMap(([path, calls]) =>
    Object.entries(calls)
      .map(([method, { security }]) => ({
        method: method.toUpperCase(),
        path,
        needs: security.flatMap((one) => one["adminToken"] ?? []),
      }))
      .filter(({ needs }) => needs.length > 0),
  );
}

describe("an admin token", () => {
  it("does what its scopes are for, and nothing else, at every call", async () => {
    const calls = await operatorCalls();
    expect(calls.length).toBeGreaterThan(20);
    const refused: string[] = [];
    const expected: string[] = [];
    for (const scope of SCOPES) {
      const { token } = await make([scope]);
      for (const { method, path, needs } of calls) {
        const call = `${scope}: ${method} ${path}`;
        if (scope !== "admin" && !needs.includes(scope)) expected.push(call);
        const target = path
          .replace("{node}", identity(9).node)
          .replace("{id}", "0".repeat(16))
          .replace("{name}", "nobody");
        const { json } = await by(token, method, target);
        if (json["type"] !== "/problems/forbidden") continue;
        refused.push(call);
        expect(json["detail"]).toContain(needs.join(" or "));
      }
    }
    expect(refused).toEqual(expected);
    expect(refused).toContain("keys: POST /v1/nodes/{node}/revoke");
    expect(refused).toContain("nodes: POST /v1/keys");
    expect(refused).toContain("read: POST /v1/user-data");
    expect(refused.filter((call) => call.includes("/v1/tokens")).length).toBe(3 * 5);
  });

  it("is known by its id in what was done with it", async () => {
    const { id, token } = await make(["keys", "read"], { note: "CI" });
    expect((await by(token, "POST", "/v1/keys", {})).status).toBe(201);
    const { json } = await by(token, "GET", "/v1/events");
    expect(json["items"]).toMatchObject([
      { action: "key-made", by: { who: "operator", id } },
      { action: "token-made", token: id, key: null, by: { who: "operator", id: "root" } },
    ]);
  });

  it("takes no node out with a key's word alone", async () => {
    const { token } = await make(["keys"]);
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    await use.world.admin("POST", "/v1/reservations", { name: "db1" });
    const terms = { reservation: "db1", takeover: true };
    expect((await by(token, "POST", "/v1/keys", terms)).json["type"]).toBe("/problems/forbidden");
    expect((await by(token, "POST", "/v1/user-data", { key: terms })).json["type"]).toBe(
      "/problems/forbidden",
    );
    const { json } = await by(token, "POST", "/v1/keys", { reservation: "db1" });
    const revoke = `/v1/keys/${json["id"]}/revoke`;
    expect((await by(token, "POST", revoke, { nodes: true })).json["type"]).toBe("/problems/forbidden");
    expect((await by(token, "POST", revoke, {})).status).toBe(200);
    const both = await make(["keys", "nodes"]);
    expect((await by(both.token, "POST", "/v1/keys", terms)).status).toBe(201);
  });

  it("ends at once when it is revoked, and when it is deleted", async () => {
    const [one, other] = [await make(["read"]), await make(["read"])];
    expect((await by(one.token, "GET", "/v1/nodes")).status).toBe(200);
    const revoked = await use.world.admin("POST", `/v1/tokens/${one.id}/revoke`);
    expect([revoked.status, revoked.json["state"]]).toEqual([200, "revoked"]);
    expect((await by(one.token, "GET", "/v1/nodes")).json).toMatchObject({
      status: 401,
      detail: expect.stringContaining("was revoked"),
    });
    expect((await use.world.admin("POST", `/v1/tokens/${one.id}/revoke`)).status).toBe(200);
    expect((await use.world.admin("DELETE", `/v1/tokens/${other.id}`)).status).toBe(204);
    expect((await by(other.token, "GET", "/v1/nodes")).json).toMatchObject({
      type: "/problems/unauthorized",
      detail: expect.stringContaining("nor one that POST /v1/tokens made"),
    });
    expect(await listed()).toMatchObject([{ id: one.id, state: "revoked" }]);
    expect((await use.world.admin("DELETE", `/v1/tokens/${other.id}`)).json["detail"]).toContain(
      `there is no admin token ${other.id}`,
    );
    const { json } = await use.world.admin("GET", "/v1/events");
    expect(json["items"]).toMatchObject([
      { action: "token-deleted", token: other.id },
      { action: "token-revoked", token: one.id },
      {},
      {},
    ]);
  });

  it("is good for nothing when it is revoked while the call's body is on its way", async () => {
    const answers: unknown[] = [];
    for (const { method, path } of await operatorCalls()) {
      if (method === "GET") continue;
      const { id, token } = await make(["admin"]);
      let isRead = false;
      const body = new ReadableStream(
        {
          async pull(controller) {
            isRead = true;
            await use.world.admin("POST", `/v1/tokens/${id}/revoke`);
            controller.enqueue(new TextEncoder().encode("{}"));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const target = path.replace("{node}", identity(9).node).replace("{id}", id).replace("{name}", "nobody");
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      const request = new Request(`${ORIGIN}${target}`, { method, headers, body });
      const { json } = await readAnswer(await makeApp().fetch(request, env));
      if (isRead) answers.push({ call: `${method} ${path}`, type: json["type"], detail: json["detail"] });
    }
    expect(answers.length).toBeGreaterThan(15);
    for (const answer of answers)
      expect(answer).toMatchObject({
        type: "/problems/unauthorized",
        detail: expect.stringContaining("was revoked"),
      });
  });

  it("is rotated: another one for the same, and the old one for the agreed time", async () => {
    const old = await make(["read", "keys"], { note: "CI", expiresIn: 7 * 24 * 3600 });
    use.world.advance(24 * HOUR);
    const { status, json } = await use.world.admin("POST", `/v1/tokens/${old.id}/rotate`, {
      overlapHours: 2,
    });
    const now = use.world.now();
    expect([status, json["scopes"], json["note"]]).toEqual([201, ["read", "keys"], "CI"]);
    expect(json["id"]).not.toBe(old.id);
    const ends = z.array(z.object({ expiresAt: z.string() })).parse(await listed());
    const hours = ends.map(({ expiresAt }) => Math.round((Date.parse(expiresAt) - now) / HOUR));
    expect(hours).toEqual([2, 7 * 24]);
    const both = async () => [
      (await by(old.token, "GET", "/v1/nodes")).status,
      (await by(String(json["token"]), "GET", "/v1/nodes")).status,
    ];
    expect(await both()).toEqual([200, 200]);
    // Rotated again, the first does not last longer for it.
    await use.world.admin("POST", `/v1/tokens/${old.id}/rotate`, { overlapHours: 48 });
    use.world.advance(2 * HOUR);
    expect(await both()).toEqual([401, 200]);
    const { json: log } = await use.world.admin("GET", "/v1/events?limit=2");
    expect(log["items"]).toMatchObject([
      { action: "token-made", by: { id: "root" } },
      { action: "token-rotated", token: old.id, by: { id: "root" } },
    ]);
  });

  it("is rotated once more when the answer was lost, for as long as it was made for", async () => {
    const [lasting, week] = [await make(["read"]), await make(["read"], { expiresIn: 7 * 24 * 3600 })];
    const rotate = async (id: string) => (await use.world.admin("POST", `/v1/tokens/${id}/rotate`, {})).json;
    for (const { id } of [lasting, week]) await rotate(id);
    use.world.advance(HOUR);
    expect((await rotate(lasting.id))["expiresAt"]).toBeNull();
    const { expiresAt } = await rotate(week.id);
    expect(Math.round((Date.parse(String(expiresAt)) - use.world.now()) / HOUR)).toBe(7 * 24);
    expect((await use.world.admin("POST", `/v1/tokens/${lasting.id}/revoke`)).json["state"]).toBe("revoked");
    expect((await by(lasting.token, "GET", "/v1/nodes")).json["detail"]).toContain("was revoked");
    use.world.advance(23 * HOUR);
    expect((await by(week.token, "GET", "/v1/nodes")).status).toBe(401);
  });

  it("is rotated at once when it has leaked, never by itself without the scope, and not when it is good no more", async () => {
    const leaked = await make(["read"]);
    const rotate = (id: string, body: object = { overlapHours: 0 }) =>
      use.world.admin("POST", `/v1/tokens/${id}/rotate`, body);
    expect((await by(leaked.token, "POST", `/v1/tokens/${leaked.id}/rotate`, {})).status).toBe(403);
    const { json } = await rotate(leaked.id);
    expect((await by(leaked.token, "GET", "/v1/nodes")).json["detail"]).toContain("was revoked");
    expect((await by(String(json["token"]), "GET", "/v1/nodes")).status).toBe(200);
    for (const [id, fault] of [
      [leaked.id, "400: id: the admin token is revoked; POST /v1/tokens makes another one"],
      ["0".repeat(16), `404: there is no admin token ${"0".repeat(16)}; GET /v1/tokens lists them`],
    ] as const) {
      const refused = await rotate(id);
      expect(`${refused.status}: ${refused.json["detail"]}`).toBe(fault);
    }
    const more = await make(["read"]);
    expect((await rotate(more.id, { overlapHours: 169 })).status).toBe(400);
    const count = z.array(z.unknown()).parse(await listed()).length;
    for (let number = count; number < 100; number++) await make(["read"]);
    expect((await rotate(more.id)).json["type"]).toBe("/problems/limit-reached");
    expect((await by(more.token, "GET", "/v1/nodes")).status).toBe(200);
  });

  it("ends when its time is over", async () => {
    const { token } = await make(["read"], { expiresIn: 60 });
    use.world.advance(59_000);
    expect((await by(token, "GET", "/v1/nodes")).status).toBe(200);
    use.world.advance(1_000);
    expect((await by(token, "GET", "/v1/nodes")).json["detail"]).toContain("has expired");
    expect(await listed()).toMatchObject([{ state: "expired" }]);
  });

  it("makes others with the scope admin alone, and outlives the one that made it", async () => {
    const admin = await make(["admin"]);
    const { status, json } = await by(admin.token, "POST", "/v1/tokens", {
      scopes: ["nodes", "read", "read"],
    });
    expect([status, json["scopes"]]).toEqual([201, ["read", "nodes"]]);
    await use.world.admin("DELETE", `/v1/tokens/${admin.id}`);
    expect((await by(String(json["token"]), "GET", "/v1/nodes")).status).toBe(200);
    const bad = await use.world.admin("POST", "/v1/tokens", { scopes: [] });
    expect(bad.json["errors"]).toEqual(["scopes: give at least one scope"]);
    const secret = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"], note: admin.token });
    expect(secret.json["detail"]).toContain("leave keys and tokens out");
    expect(secret.text).not.toContain(admin.token);
  });

  it("is shown once, and kept as a hash", async () => {
    const { token } = await make(["read"], { note: "dashboard" });
    await by(token, "GET", "/v1/nodes");
    expect((await use.world.admin("GET", "/v1/tokens")).text).not.toContain(token);
    const stored = await runInDurableObject(use.world.object, (_, { storage: { sql } }) =>
      JSON.stringify(sql.exec("SELECT * FROM admin_tokens").toArray()),
    );
    expect(stored).toContain("dashboard");
    expect(stored).not.toContain(token);
    expect(use.world.log.join("\n")).not.toContain(token);
  });

  it("has its use noted once an hour", async () => {
    const { token } = await make(["read"]);
    expect(await listed()).toMatchObject([{ lastUsedAt: null }]);
    await by(token, "GET", "/v1/nodes");
    const [first] = z.array(z.object({ lastUsedAt: z.string() })).parse(await listed());
    expect(first).toBeDefined();
    use.world.advance(30 * MINUTE);
    await by(token, "GET", "/v1/nodes");
    expect(await listed()).toMatchObject([first]);
    use.world.advance(30 * MINUTE);
    await by(token, "GET", "/v1/nodes");
    expect(await listed()).not.toMatchObject([first]);
  });

  it("is limited in number, revoked ones among them", async () => {
    for (let number = 0; number < 100; number++) await make(["read"]);
    const { status, json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
    expect([status, json["type"]]).toEqual([409, "/problems/limit-reached"]);
    const pages = [await use.world.admin("GET", "/v1/tokens?limit=60")];
    pages.push(await use.world.admin("GET", `/v1/tokens?limit=60&cursor=${pages[0]?.json["next"]}`));
    const ids = pages.flatMap(({ json }) => z.array(z.object({ id: z.string() })).parse(json["items"]));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(100);
    expect(pages[1]?.json["next"]).toBeNull();
    await use.world.admin("DELETE", `/v1/tokens/${ids[0]?.id}`);
    await make(["read"]);
  });
});

describe("a stranger's admin token", () => {
  const read = (bindings: object, token: string) =>
    makeApp().fetch(new Request(`${ORIGIN}/v1/nodes`, { headers: { Authorization: `Bearer ${token}` } }), {
      ...env,
      ...bindings,
    });

  it("reaches the object as often as its address may ask; the one of the settings always", async () => {
    const limit = vi.fn(async () => ({ success: false }));
    const refused = await read({ CALLS: { limit } }, "mba_0123456789abcdefghijkl");
    expect(refused.status).toBe(429);
    expect((await read({ CALLS: { limit } }, env.ADMIN_TOKEN)).status).toBe(200);
    expect(limit).toHaveBeenCalledTimes(1);
  });
});

describe("what the Worker says of itself", () => {
  it("tells whoever may read how many nodes there are", async () => {
    const [read, keys] = [await make(["read"]), await make(["keys"])];
    const nodes = async (token: string) => (await by(token, "GET", "/healthz")).json["nodes"];
    expect(await nodes(read.token)).toBeDefined();
    expect(await nodes(keys.token)).toBeUndefined();
  });
});
