// The secret ADMIN_TOKEN, once the settings have another one: for how long the one before is good, and that neither leftovers of the
// deployment before nor one that is rolled back change that; and what is sealed stays readable.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { makeApp } from "../../worker/app.ts";
import { seal } from "../../worker/base/seal.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { workersPlatform } from "../../worker/network/platform.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEXT = "mba_the-next-one-of-the-tests-01";
const THIRD = "mba_the-third-one-of-the-tests-0";

/** A call to an instance of the Worker that was deployed with this ADMIN_TOKEN. */
async function at(deployed: string, token: string, method: string, path: string, body?: object) {
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return readAnswer(await makeApp().fetch(request, { ...env, ADMIN_TOKEN: deployed }));
}

/** The object starts with these settings. Its answer to the question. */
function started<T>(settings: object, ask: (object: NetworkObject) => T | Promise<T>): Promise<T> {
  return runInDurableObject(use.world.object, async (_, state) => {
    const object = new NetworkObject(state, { ...env, ...settings }, workersPlatform);
    await state.blockConcurrencyWhile(async () => {});
    return ask(object);
  });
}

const changes = (deployed: string, token: string) => at(deployed, token, "POST", "/v1/keys", {});
const reads = (deployed: string, token: string) => at(deployed, token, "GET", "/v1/nodes");
const rotated = async () => expect((await changes(NEXT, NEXT)).status).toBe(201);
const itemsSchema = z.array(z.record(z.string(), z.unknown()));
const items = ({ json }: Answer) => itemsSchema.parse(json["items"]);
const tokens = async () => items(await at(NEXT, NEXT, "GET", "/v1/tokens"));

describe("the ADMIN_TOKEN before", () => {
  it("is good for a day beside the present one, and is named for what it is", async () => {
    await use.world.key();
    await rotated();
    const until = use.world.now() + 24 * HOUR;
    expect((await changes(NEXT, ADMIN)).status).toBe(201);
    const [former, ...others] = await tokens();
    expect(others).toEqual([]);
    expect(former).toMatchObject({
      id: "former",
      scopes: ["read", "keys", "nodes", "admin"],
      state: "valid",
    });
    expect(Math.abs(Date.parse(String(former?.["expiresAt"])) - until)).toBeLessThan(MINUTE);
    expect(former?.["lastUsedAt"]).not.toBeNull();
    const events = items(await at(NEXT, NEXT, "GET", "/v1/events?limit=3"));
    expect(events).toMatchObject([
      { action: "key-made", by: { id: "former" } },
      { action: "key-made", by: { id: "root" } },
      { action: "token-rotated", token: "former", by: { who: "operator", id: "root" } },
    ]);
    use.world.advance(25 * HOUR);
    expect((await reads(NEXT, ADMIN)).json).toMatchObject({
      status: 401,
      detail: expect.stringContaining("has expired"),
    });
    expect((await changes(NEXT, NEXT)).status).toBe(201);
  });

  it("ends at once when it is taken back, with the sessions that it began, at leftovers of the deployment before too", async () => {
    const { json } = await at(ADMIN, ADMIN, "POST", "/v1/sessions");
    const session = String(json["session"]);
    await rotated();
    expect((await reads(NEXT, session)).status).toBe(200);
    const taken = await at(NEXT, NEXT, "POST", "/v1/tokens/former/revoke");
    expect([taken.status, taken.json["state"]]).toEqual([200, "revoked"]);
    expect((await reads(NEXT, ADMIN)).status).toBe(401);
    expect((await reads(NEXT, session)).status).toBe(401);
    for (const [path, body] of [
      ["/v1/tokens", { scopes: ["admin"] }],
      ["/v1/keys", {}],
      ["/v1/sessions", undefined],
    ] as const)
      expect((await at(ADMIN, ADMIN, "POST", path, body)).json).toMatchObject({
        status: 401,
        detail: expect.stringContaining("was taken back"),
      });
    expect(items(await at(NEXT, NEXT, "GET", "/v1/events?limit=1"))).toMatchObject([
      { action: "token-revoked", token: "former", by: { id: "root" } },
    ]);
  });

  it("can be taken back in the very call that first carries the present one", async () => {
    await use.world.key();
    expect((await at(NEXT, NEXT, "POST", "/v1/tokens/former/revoke")).status).toBe(200);
    expect((await reads(NEXT, ADMIN)).status).toBe(401);
  });

  it("is one at most: the present one is the only other, whatever was before", async () => {
    await use.world.key();
    await rotated();
    expect((await changes(THIRD, THIRD)).status).toBe(201);
    expect((await reads(THIRD, NEXT)).status).toBe(200);
    expect((await reads(THIRD, ADMIN)).status).toBe(401);
    expect((await changes(ADMIN, ADMIN)).status).toBe(401);
  });

  it("is refused at once where ADMIN_TOKEN_OVERLAP is 0", async () => {
    await use.world.key();
    await started({ ADMIN_TOKEN: NEXT, ADMIN_TOKEN_OVERLAP: "0" }, () => {});
    expect((await reads(NEXT, ADMIN)).status).toBe(401);
    expect((await changes(ADMIN, ADMIN)).status).toBe(401);
    expect((await changes(NEXT, NEXT)).status).toBe(201);
  });

  it("does not come back by a deployment that is rolled back once it was taken back, nor once it was forgotten", async () => {
    for (const [method, path] of [
      ["POST", "/v1/tokens/former/revoke"],
      ["DELETE", "/v1/tokens/former"],
    ] as const) {
      await use.world.key();
      await rotated();
      await at(NEXT, NEXT, method, path);
      use.world.advance(48 * HOUR);
      await started({ ADMIN_TOKEN: ADMIN }, () => {});
      expect((await changes(ADMIN, ADMIN)).json["detail"]).toContain("wrangler secret put ADMIN_TOKEN");
      expect((await changes(THIRD, THIRD)).status).toBe(201);
      expect((await changes(THIRD, NEXT)).status).toBe(201);
      await runInDurableObject(use.world.object, (_, { storage }) => {
        for (const table of ["root_tokens", "admin_tokens"]) storage.sql.exec(`DELETE FROM ${table}`);
      });
    }
  });

  it("changes nothing by any call of such a deployment, also by those that take no body", async () => {
    await use.world.key();
    await rotated();
    await at(NEXT, NEXT, "DELETE", "/v1/tokens/former");
    const { paths } = z
      .object({
        paths: z.record(
          z.string(),
          z.record(z.string(), z.object({ security: z.array(z.record(z.string(), z.unknown())).optional() })),
        ),
      })
      .parse((await use.world.call("GET", "/openapi.json")).json);
    const calls = Object.entries(paths).flatMap(([path, ways]) =>
      Object.entries(ways).flatMap(([method, { security = [] }]) =>
        method !== "get" && security.some((scheme) => "adminToken" in scheme)
          ? [[method, path] as const]
          : [],
      ),
    );
    expect(calls.length).toBeGreaterThan(20);
    for (const [method, path] of calls) {
      const one = path
        .replace("{node}", "0100000000")
        .replace("{name}", "db1")
        .replace("{id}", "59fd13b0f1a4c2e7");
      // What takes a body looks at that first, in whatever way.
      const sent = await Promise.all(
        [undefined, {}].map((body) => at(ADMIN, ADMIN, method.toUpperCase(), one, body)),
      );
      expect([method, one, sent.some(({ status }) => status === 401)]).toEqual([method, one, true]);
    }
  });
});

describe("the present ADMIN_TOKEN", () => {
  it("is not mistaken for the one before by what is left of the deployment before", async () => {
    await use.world.key();
    await rotated();
    expect((await changes(ADMIN, ADMIN)).status).toBe(201);
    await started({ ADMIN_TOKEN: ADMIN }, () => {});
    expect((await changes(ADMIN, NEXT)).status).toBe(201);
    const log = items(await at(NEXT, NEXT, "GET", "/v1/events?action=token-rotated"));
    expect(log).toHaveLength(1);
    expect(await tokens()).toMatchObject([{ id: "former", state: "valid" }]);
    expect(items(await at(NEXT, NEXT, "GET", "/v1/events?limit=1"))).toMatchObject([{ by: { id: "root" } }]);
  });

  it("is the one before again when that deployment is rolled back", async () => {
    await use.world.key();
    await rotated();
    use.world.advance(11 * MINUTE);
    await started({ ADMIN_TOKEN: ADMIN }, () => {});
    expect((await changes(ADMIN, ADMIN)).status).toBe(201);
    use.world.advance(25 * HOUR);
    expect((await reads(ADMIN, NEXT)).status).toBe(401);
    expect((await changes(ADMIN, ADMIN)).status).toBe(201);
  });

  it("may be one that POST /v1/tokens made: its own row stays as it is", async () => {
    const made = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
    const token = String(made.json["token"]);
    expect((await changes(token, token)).status).toBe(201);
    expect((await changes(NEXT, NEXT)).status).toBe(201);
    expect((await reads(NEXT, token)).status).toBe(200);
    expect((await changes(NEXT, token)).status).toBe(403);
  });

  it("is kept as a hash", async () => {
    await use.world.key();
    await rotated();
    const stored = await runInDurableObject(use.world.object, (_, { storage: { sql } }) =>
      JSON.stringify([
        sql.exec("SELECT * FROM root_tokens").toArray(),
        sql.exec("SELECT * FROM admin_tokens").toArray(),
      ]),
    );
    expect(stored).not.toContain(ADMIN);
    expect(stored).not.toContain(NEXT);
  });
});

describe("an ADMIN_TOKEN that comes while the rows of the day are used up", () => {
  it("ends the one before by the hourly run, once rows can be written again", async () => {
    const id = await use.world.admin("POST", "/v1/webhooks", { url: "https://hooks.example.com/a" });
    const former = await sha256Hex(ADMIN);
    await runInDurableObject(use.world.object, async (_, state) => {
      const { sql } = state.storage;
      const exec = sql.exec.bind(sql);
      sql.exec = (query, ...values) => {
        if (/^\s*(INSERT|UPDATE|DELETE)/i.test(query))
          throw new Error("Exceeded allowed rows written in Durable Objects free tier.");
        return exec(query, ...values) as never;
      };
      const object = new NetworkObject(state, { ...env, ADMIN_TOKEN: NEXT }, workersPlatform);
      await state.blockConcurrencyWhile(async () => {});
      expect(object.adminTokenBearer(former)).toMatchObject({ value: { id: "root" } });
      sql.exec = exec;
      use.world.advance(HOUR);
      await object.reconcile();
      expect(object.adminTokenBearer(former)).toMatchObject({ value: { id: "former" } });
      use.world.advance(25 * HOUR);
      expect(object.adminTokenBearer(former)).toMatchObject({ error: { reason: "admin-token-expired" } });
    });
    // Sealed anew under both tokens of today: the controller's alone may be another one tomorrow.
    const controller = { ADMIN_TOKEN: NEXT, ZEROTIER_TOKEN: "another-token-of-the-controller-0123" };
    const fault = await started(controller, async (object) => {
      const read = await object.readWebhook(String(id.json["id"]));
      return read.ok ? read.value.fault : read.error.problem;
    });
    expect(fault).toBeNull();
  });
});

describe("what is sealed", () => {
  const OTHER = { ADMIN_TOKEN: NEXT };
  const CONTROLLER = { ZEROTIER_TOKEN: "another-token-of-the-controller-0123" };

  async function makeWebhook(): Promise<string> {
    const made = await use.world.admin("POST", "/v1/webhooks", { url: "https://hooks.example.com/a" });
    expect(made.status).toBe(201);
    return String(made.json["id"]);
  }

  const faultWith = (settings: object, id: string) =>
    started(settings, async (object) => {
      const read = await object.readWebhook(id);
      return read.ok ? read.value.fault : read.error.problem;
    });

  it("stays readable when either token is another one, one after the other, and back", async () => {
    const id = await makeWebhook();
    for (const settings of [{}, OTHER, { ...OTHER, ...CONTROLLER }, CONTROLLER, {}, CONTROLLER])
      expect([settings, await faultWith(settings, id)]).toEqual([settings, null]);
  });

  it("is told to be lost when both are other ones at once, and what is sealed from then on is not", async () => {
    const id = await makeWebhook();
    const both = { ...OTHER, ...CONTROLLER };
    expect(await faultWith(both, id)).toContain("POST /v1/webhooks/:id/rotate");
    // Nothing was overwritten yet: with one of the two set back it is readable again.
    expect(await faultWith(OTHER, id)).toBeNull();
    const other = { ADMIN_TOKEN: THIRD, ZEROTIER_TOKEN: "a-third-token-of-the-controller-01234" };
    await started(other, (object) =>
      Promise.all([
        object.rotateWebhook(id, { now: true }, { who: "operator", id: "root" }),
        object.rotateWebhook(id, { now: false }, { who: "operator", id: "root" }),
      ]),
    );
    expect(await faultWith(other, id)).toBeNull();
  });

  it("is user-data too, which is given again under another ADMIN_TOKEN", async () => {
    const ask = (deployed: string) =>
      makeApp().fetch(
        new Request(`${ORIGIN}/v1/user-data`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${deployed}`,
            "Content-Type": "application/json",
            "Idempotency-Key": "web1",
          },
          body: JSON.stringify({ name: "web1" }),
        }),
        { ...env, ADMIN_TOKEN: deployed },
      );
    const first = await (await ask(ADMIN)).text();
    expect(first).toContain("mbk_");
    expect(await (await ask(NEXT)).text()).toBe(first);
  });

  it("is what an earlier version sealed under the admin token itself", async () => {
    const id = await makeWebhook();
    const sealed = await seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ADMIN, (bytes) => bytes.fill(7));
    await runInDurableObject(use.world.object, (_, { storage }) => {
      storage.sql.exec("DELETE FROM seal");
      storage.sql.exec("UPDATE webhooks SET sealed = ?", sealed);
    });
    expect(await faultWith({}, id)).toBeNull();
    expect(await faultWith(OTHER, id)).toBeNull();
  });

  it("cannot be read with the storage alone", async () => {
    const made = await use.world.admin("POST", "/v1/webhooks", { url: "https://hooks.example.com/a" });
    const stored = await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      const [row] = sql
        .exec<{ a: ArrayBuffer; b: ArrayBuffer }>(
          "SELECT under_admin_token AS a, under_controller_token AS b FROM seal",
        )
        .toArray();
      return [row?.a, row?.b].map((blob) => new TextDecoder("latin1").decode(blob)).join();
    });
    expect(stored.length).toBeGreaterThan(60);
    expect(stored).not.toContain("mba_");
    expect(made.status).toBe(201);
  });
});
