import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { identity } from "./identities.ts";
import { ownStores } from "./own-stores.ts";
import { type Answer, type Enrolment, useWorld } from "./world.ts";

const use = useWorld();

describe("an enrolment", () => {
  it("leases the lowest slot, with everything that follows from it", async () => {
    const { status, json, headers } = await use.world.enrol();
    expect(status).toBe(200);
    expect(json).toEqual({
      network: "8056c2e21c000001",
      node: identity(0).node,
      name: "web1",
      slot: 1,
      state: "active",
      zerotier: { ipv4: "10.147.17.1/24", ipv6: "fc9c:56c2:e339:f51d:fb25::1/40" },
      docker: {
        ipv4: { subnet: "172.28.1.0/24", gateway: "172.28.1.1" },
        ipv6: { subnet: "fc9c:56c2:e339:f51d:fb25::/80", gateway: "fc9c:56c2:e339:f51d:fb25::1" },
      },
      pool: { zerotier: "10.147.17.0/24", docker: "172.28.0.0/16", nodePrefix: 24 },
      token: expect.stringMatching(/^mbn_[A-Za-z0-9_-]{22}$/),
      leasedAt: expect.any(String),
      renewBefore: expect.any(String),
      peers: [],
    });
    const leasedAt = Date.parse(String(json["leasedAt"]));
    expect(Date.parse(String(json["renewBefore"])) - leasedAt).toBe(30 * 86_400_000);
    expect(headers.get("Cache-Control")).toBe("no-store");
  });

  it("tells the controller name, authorization and address in one call", async () => {
    await use.world.enrol();
    const { node } = identity(0);
    const calls = use.world.central.calls.filter(({ path }) => path.endsWith(`/member/${node}`));
    expect(calls).toEqual([
      {
        method: "POST",
        path: `/network/8056c2e21c000001/member/${node}`,
        body: {
          name: "web1",
          config: { authorized: true, ipAssignments: ["10.147.17.1"], noAutoAssignIps: false },
        },
      },
    ]);
  });

  it("answers KEY=value lines to who asks for plain text", async () => {
    const { status, text, headers } = await use.world.enrol({ headers: { Accept: "text/plain" } });
    expect(status).toBe(200);
    expect(headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(text).toMatch(/^([A-Z][A-Z0-9_]*=[\x20-\x7e]*\n)+$/);
    const keys = text.split("\n").map((line) => line.split("=")[0]);
    expect(keys).toEqual([
      ...["NETWORK", "NODE", "NAME", "SLOT", "STATE", "ZEROTIER_IPV4", "ZEROTIER_IPV6"],
      ...["DOCKER_IPV4_SUBNET", "DOCKER_IPV4_GATEWAY", "DOCKER_IPV6_SUBNET", "DOCKER_IPV6_GATEWAY"],
      ...["POOL_ZEROTIER", "POOL_DOCKER", "POOL_NODE_PREFIX", "TOKEN", "LEASED_AT", "RENEW_BEFORE"],
      ...["PEERS", ""],
    ]);
    expect(text).toContain("\nDOCKER_IPV4_SUBNET=172.28.1.0/24\n");
  });

  it("answers a second call with the same lease, looks at the member and does not tell the controller again", async () => {
    const key = await use.world.key();
    const first = await use.world.enrol({ key });
    const before = use.world.central.calls.length;
    const second = await use.world.enrol({ key, name: "another-name" });
    const { token: _t1, renewBefore: _r1, ...lease } = first.json;
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject(lease);
    const calls = use.world.central.calls.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(calls).toEqual([`GET /network/8056c2e21c000001/member/${identity(0).node}`]);
  });

  it("gives servers that want one name different ones", async () => {
    const key = await use.world.key({ maxUses: 3 });
    const answers = [0, 1, 2].map((number) => use.world.enrol({ key, number, name: "web1" }));
    const names = (await Promise.all(answers)).map(({ json }) => json["name"]);
    expect(new Set(names)).toEqual(new Set(["web1", "web1-2", "web1-3"]));
  });

  it("waits for approval when the key says so, and is not authorized before", async () => {
    const key = await use.world.key({ approval: true });
    const pending = await use.world.enrol({ key });
    expect(pending.status).toBe(202);
    expect(pending.json).toMatchObject({ state: "pending", slot: 1, token: expect.any(String) });
    await use.world.settle();
    expect(use.world.central.network.members.size).toBe(0);
    const again = await use.world.enrol({ key });
    expect([again.status, again.json["token"]]).toEqual([202, undefined]);

    const approved = await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`);
    expect(approved.json).toMatchObject({ state: "active", delivered: true });
    expect(use.world.central.network.members.get(identity(0).node)?.config.authorized).toBe(true);
    expect((await use.world.enrol({ key })).status).toBe(200);
  });
});

describe("what refuses an enrolment", () => {
  async function refused(enrolment: Enrolment, status: number, problem: string): Promise<Answer> {
    const answer = await use.world.enrol(enrolment);
    expect(answer.json).toMatchObject({ type: `/problems/${problem}`, status });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    return answer;
  }

  it("a key that does not exist, and then nothing is said about leases", async () => {
    await use.world.enrol();
    const key = "mbk_0123456789abcdefghijkl";
    await refused({ key, machine: "f" }, 401, "unknown-key");
    const { node } = identity(1);
    await refused(
      { key, change: { identity: `${node}${identity(0).identity.slice(10)}` } },
      403,
      "invalid-signature",
    );
  });

  it("no key, or something else in its place", async () => {
    const body = await use.world.body();
    for (const token of [undefined, "mbn_0123456789abcdefghijkl", "x", `mbk_${"a".repeat(300)}`]) {
      const { status, json, headers } = await use.world.call("POST", "/v1/enroll", { token, body });
      expect([status, json["type"]]).toEqual([401, "/problems/unauthorized"]);
      expect(headers.get("WWW-Authenticate")).toContain("Bearer");
    }
  });

  it("a signature over anything else", async () => {
    await refused({ host: "evil.example.com" }, 403, "invalid-signature");
    await refused({ change: { name: "other" } }, 403, "invalid-signature");
    await refused({ change: { machineId: "f".repeat(64) } }, 403, "invalid-signature");
    await refused({ change: { signature: "0".repeat(192) } }, 403, "invalid-signature");
    await refused({ change: { identity: identity(1).identity } }, 403, "invalid-signature");
  });

  it("a node id that does not follow from the key, though it signs correctly", async () => {
    // The lines are signed with the wrong node id in them: only the derivation can tell.
    const { node } = identity(1);
    const own = identity(0);
    const body = await use.world.body({ number: 0 });
    const { sign } = await import("./identities.ts");
    const signature = await sign(own.secret, { ...body, host: "mesh.example.com", node });
    const forged = { ...body, identity: `${node}${own.identity.slice(10)}`, signature };
    const answer = await use.world.call("POST", "/v1/enroll", { token: await use.world.key(), body: forged });
    expect([answer.status, answer.json["type"]]).toEqual([403, "/problems/wrong-address"]);
    expect(use.world.central.calls).toHaveLength(0);
  });

  it("a timestamp more than 15 minutes off, with the time to sign with", async () => {
    const seconds = Math.floor(use.world.now() / 1000);
    await refused({ timestamp: seconds - 901 }, 422, "clock-skew");
    await refused({ timestamp: seconds + 960 }, 422, "clock-skew");
    expect((await use.world.enrol({ timestamp: seconds - 890 })).status).toBe(200);
  });

  it("a spent key, but not for the server that it let in", async () => {
    const key = await use.world.key();
    expect((await use.world.enrol({ key })).status).toBe(200);
    await refused({ key, number: 1 }, 403, "key-spent");
    expect((await use.world.enrol({ key })).status).toBe(200);
  });

  it("an expired key, but not for the server that it let in", async () => {
    const key = await use.world.key({ expiresIn: 60, maxUses: 2 });
    expect((await use.world.enrol({ key })).status).toBe(200);
    use.world.advance(60_000);
    await refused({ key, number: 1 }, 403, "key-expired");
    expect((await use.world.enrol({ key })).status).toBe(200);
  });

  it("the second of two servers that race for a key's one use", async () => {
    const key = await use.world.key();
    const answers = await Promise.all([0, 1].map((number) => use.world.enrol({ key, number })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({
      items: [{ uses: 1, state: "spent" }],
    });
  });

  it("another machine with the same identity", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key, machine: "a" });
    const { json } = await refused({ key, machine: "b" }, 409, "cloned-identity");
    expect(json["detail"]).toContain("identity.*");
  });

  it("a revoked node, with a fresh key too", async () => {
    await use.world.enrol();
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/revoke`);
    await refused({}, 403, "revoked");
  });

  it("networks of the host that overlap the mesh's, naming the prefix", async () => {
    for (const prefix of [
      "172.28.0.0/16",
      "172.28.7.0/24",
      "10.147.17.0/24",
      "10.147.17.9/32",
      "fc9c:56c2:e300::/40",
    ]) {
      const { json } = await refused({ change: { localPrefixes: ["192.0.2.0/24", prefix] } }, 409, "overlap");
      expect(json["prefix"]).toBe(prefix);
      expect(json["detail"]).toMatch(/key made with allowOverlap.*ALLOW_OVERLAP=on/);
    }
    const free = { localPrefixes: ["192.0.2.0/24", "0.0.0.0/0", "172.17.0.0/16", "2001:db8::/64"] };
    expect((await use.world.enrol({ change: free })).status).toBe(200);
  });

  it("no wider network, which the mesh's more specific routes leave whole, unless an address of the host lies in them", async () => {
    const wider = ["10.0.0.1/32", "10.0.0.2/32", "10.0.0.0/8", "172.16.0.0/12", "fc00::/7"];
    expect((await use.world.enrol({ change: { localPrefixes: wider } })).status).toBe(200);
    const change = { localPrefixes: ["10.147.17.2/32", "10.0.0.0/8"] };
    const { json } = await refused({ change }, 409, "overlap");
    expect(json["prefix"]).toBe("10.147.17.2/32");
  });

  it("no overlap when the key allows it, nor what a server has from its own lease", async () => {
    const key = await use.world.key({ allowOverlap: true });
    expect((await use.world.enrol({ key, change: { localPrefixes: ["172.28.0.0/16"] } })).status).toBe(200);
    const own = { localPrefixes: ["172.28.1.0/25", "10.147.17.0/24", "fc9c:56c2:e339:f51d:fb25::/81"] };
    expect((await use.world.enrol({ change: own })).status).toBe(200);
    await refused({ change: { localPrefixes: ["172.28.2.0/24"] } }, 409, "overlap");
  });

  it("fields that are not of the form, each named", async () => {
    const { json } = await refused(
      { change: { name: "Web 1", machineId: "x", localPrefixes: ["10.0.0.1/8"] } },
      400,
      "bad-request",
    );
    expect(json["errors"]).toEqual([
      expect.stringMatching(/^name: /),
      expect.stringMatching(/^machineId: /),
      expect.stringMatching(/^localPrefixes\.0: /),
    ]);
  });
});

describe("a node's token", () => {
  async function beat(token: unknown): Promise<number> {
    const path = `/v1/nodes/${identity(0).node}/heartbeat`;
    return (await use.world.call("POST", path, { token: String(token), body: { state: "ok" } })).status;
  }

  it("stays good until the next one is first used", async () => {
    const key = await use.world.key();
    const first = (await use.world.enrol({ key })).json["token"];
    expect(await beat(first)).toBe(200);
    // The second and the third answer are lost on their way: the agent still has the first token.
    await use.world.enrol({ key });
    const third = (await use.world.enrol({ key })).json["token"];
    expect(await beat(first)).toBe(200);
    expect(await beat(third)).toBe(200);
    expect(await beat(first)).toBe(401);
    expect(await beat(third)).toBe(200);
  });

  it("is not made anew while the node waits for approval: the first one stays good, and KV is not written", async () => {
    const key = await use.world.key({ approval: true });
    const { token } = (await use.world.enrol({ key })).json;
    await use.world.settle();
    for (const accept of ["application/json", "text/plain"]) {
      const again = await use.world.enrol({ key, headers: { Accept: accept } });
      expect(again.status).toBe(202);
      expect(again.text).not.toContain("mbn_");
    }
    expect(await use.world.outbox()).toEqual([]);
    expect(await beat(token)).toBe(200);
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`);
    const approved = await use.world.enrol({ key });
    expect(await beat(token)).toBe(200);
    expect(await beat(approved.json["token"])).toBe(200);
    expect(await beat(token)).toBe(401);
  });

  it("is not made while the controller is away: the one before stays good, and KV is not written", async () => {
    const key = await use.world.key();
    const { token } = (await use.world.enrol({ key })).json;
    await use.world.settle();
    use.world.central.fail("POST", "/member", { kind: "status", status: 500, times: 99 });
    await use.world.admin("PATCH", `/v1/nodes/${identity(0).node}`, { name: "db1" });
    const copies = async () => (await use.world.outbox()).filter(({ kind }) => kind === "copy");
    while ((await copies()).length > 0) await use.world.fireAlarm();
    for (let tries = 0; tries < 3; tries++) expect((await use.world.enrol({ key })).status).toBe(503);
    expect(await copies()).toEqual([]);
    expect(await beat(token)).toBe(200);
  });

  it("is not handed to a node that the operator deletes while the controller is asked", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    await use.world.settle();
    const { node } = identity(0);
    use.world.central.network.members.delete(node);
    await use.world.object.reconcile();
    const held = use.world.central.hold(/\/member\//);
    const again = use.world.enrol({ key });
    await held.seen();
    const deleted = use.world.admin("DELETE", `/v1/nodes/${node}`);
    while ((await use.world.admin("GET", `/v1/nodes/${node}`)).status !== 404);
    held.free();
    expect((await again).json["type"]).toBe("/problems/revoked");
    expect((await deleted).status).toBe(204);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
  });

  it("survives a crash of the object", async () => {
    const token = (await use.world.enrol()).json["token"];
    await use.world.crash();
    expect(await beat(token)).toBe(200);
  });
});

/** What removes the node's row when it is called, at whatever moment. */
async function remover(node: string): Promise<() => void> {
  const storage = await runInDurableObject(use.world.object, (_, state) => state.storage);
  const { nodes, transaction } = ownStores(storage);
  return () => transaction(() => nodes.remove(node));
}

describe("an enrolment whose node is gone when the controller has answered", () => {
  const { node } = identity(0);
  const MEMBER = new RegExp(`/member/${node}$`);

  /** Deletes the node's row each time that the controller is told of its member, so often. */
  async function loseRaces(times: number): Promise<void> {
    const remove = await remover(node);
    const { central } = use.world;
    let left = times;
    vi.mocked(globalThis.fetch).mockImplementation((input, init) => {
      if (init?.method === "POST" && MEMBER.test(String(input)) && left-- > 0) remove();
      return central.fetch(input, init);
    });
  }

  it("is begun anew", async () => {
    await loseRaces(2);
    const { status, json } = await use.world.enrol();
    expect([status, json["slot"]]).toEqual([200, 1]);
    expect(use.world.central.count("POST", MEMBER)).toBe(3);
  });

  it("is given up when that happens each time, with an answer that lets the server ask again", async () => {
    await loseRaces(Number.POSITIVE_INFINITY);
    const { status, json, headers } = await use.world.enrol();
    expect([status, json["type"]]).toEqual([503, "/problems/changed-meanwhile"]);
    expect(headers.get("Retry-After")).toBe("15");
    expect(use.world.central.count("POST", MEMBER)).toBe(3);
  });
});

it("asks the controller before a new lease, also when the node is deleted while its id is derived", async () => {
  const { node } = identity(0);
  expect((await use.world.admin("PUT", `/v1/nodes/${node}`, { name: "web1", slot: 1 })).status).toBe(201);
  await use.world.settle();
  use.world.advance(2 * 86_400_000);
  // Meanwhile somebody has given the address of slot 1 to another member.
  const other = use.world.central.network.members.get(node);
  if (other === undefined) throw new Error("the lease is not delivered");
  use.world.central.network.members.set("aaaaaaaaaa", {
    ...other,
    node: "aaaaaaaaaa",
    config: { ...other.config, ipAssignments: ["10.147.17.1"] },
  });
  use.world.central.network.members.delete(node);
  const remove = await remover(node);
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, "digest").mockImplementation(async (algorithm, data) => {
    // The derivation's first step, over the public key.
    if (algorithm === "SHA-512" && data.byteLength === 64) remove();
    return digest(algorithm, data);
  });
  const { status, json } = await use.world.enrol();
  expect([status, json["slot"]]).toEqual([200, 2]);
});
