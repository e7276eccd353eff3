import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const { node } = identity(0);

/** Calls the API while the object is out of reach, in one of two ways. */
async function unreachable(
  path: string,
  token: string,
  init: RequestInit = {},
  bindings: object = {},
): Promise<Answer> {
  const NETWORK = {
    getByName: () => new Proxy({}, { get: () => () => Promise.reject(new Error("overloaded")) }),
  };
  const request = new Request(`${ORIGIN}${path}`, { ...init, headers: { Authorization: `Bearer ${token}` } });
  return readAnswer(await makeApp().fetch(request, { ...env, NETWORK, ...bindings }));
}

describe("the copy in KV", () => {
  it("holds what the object could be rebuilt from, and no secret", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    const text = (await env.LEASES.get(`node/${node}`)) ?? "";
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      network: "8056c2e21c000001",
      node,
      name: "web1",
      slot: 1,
      state: "active",
      identity: identity(0).identity,
      tokenHashes: [expect.stringMatching(/^[0-9a-f]{64}$/)],
      pool: { zerotier: "10.147.17.0/24", docker: "172.28.0.0/16", nodePrefix: 24 },
    });
    expect(text).not.toContain(String(json["token"]));
    expect(text).not.toMatch(/mb[kna]_/);
  });

  it("follows a change and goes with the lease", async () => {
    await use.world.enrol();
    await use.world.admin("PATCH", `/v1/nodes/${node}`, { name: "db1" });
    await use.world.settle();
    expect(await env.LEASES.get(`node/${node}`)).toContain('"name":"db1"');
    await use.world.admin("DELETE", `/v1/nodes/${node}`);
    await use.world.settle();
    expect(await env.LEASES.get(`node/${node}`)).toBeNull();
  });

  it("answers for the object while that is out of reach, to the same callers", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    const direct = await use.world.admin("GET", `/v1/nodes/${node}`);
    expect(direct.headers.get("Meshboot-Source")).toBeNull();
    for (const token of [ADMIN, String(json["token"])]) {
      const { status, headers, json: copy } = await unreachable(`/v1/nodes/${node}`, token);
      expect([status, headers.get("Meshboot-Source")]).toEqual([200, "copy"]);
      expect(copy).toEqual(direct.json);
    }
    expect((await unreachable(`/v1/nodes/${node}`, "mbn_0123456789abcdefghijkl")).status).toBe(401);
  });

  it("takes no token any more that the node has replaced", async () => {
    const key = await use.world.key();
    const [before, after] = [await use.world.enrol({ key }), await use.world.enrol({ key })].map(({ json }) =>
      String(json["token"]),
    );
    await use.world.settle();
    const beat = { token: after, body: { state: "ok" } };
    expect((await use.world.call("POST", `/v1/nodes/${node}/heartbeat`, beat)).status).toBe(200);
    await use.world.settle();
    expect((await unreachable(`/v1/nodes/${node}`, after ?? "")).status).toBe(200);
    expect((await unreachable(`/v1/nodes/${node}`, before ?? "")).json["type"]).toBe(
      "/problems/unauthorized",
    );
    // From here on the heartbeats write nothing again.
    await use.world.call("POST", `/v1/nodes/${node}/heartbeat`, beat);
    expect(await use.world.outbox()).toEqual([]);
  });

  it("that cannot be read is no answer either, and no fault of ours", async () => {
    await use.world.enrol();
    await use.world.settle();
    for (const text of ["{ broken", "[]", '{"version":2}']) {
      await env.LEASES.put(`node/${node}`, text);
      const { status, json } = await unreachable(`/v1/nodes/${node}`, ADMIN);
      expect([text, status, json["type"]]).toEqual([text, 503, "/problems/object-unreachable"]);
    }
    const LEASES = { get: () => Promise.reject(new Error("KV is down")) };
    const { status, json } = await unreachable(`/v1/nodes/${node}`, ADMIN, {}, { LEASES });
    expect([status, json["type"]]).toEqual([503, "/problems/object-unreachable"]);
  });

  it("is no answer to any other call", async () => {
    await use.world.enrol();
    await use.world.settle();
    for (const path of ["/v1/nodes", "/v1/pool", "/v1/keys", `/v1/nodes/${identity(1).node}`]) {
      const { status, json, headers } = await unreachable(path, ADMIN);
      expect([path, status, json["type"]]).toEqual([path, 503, "/problems/object-unreachable"]);
      expect(headers.get("Retry-After")).toBe("10");
    }
    expect((await unreachable("/healthz", ADMIN)).json["status"]).toBe("unreachable");
  });
});
