import { describe, expect, it } from "vitest";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { identity } from "./identities.ts";
import { ADMIN, useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;
const path = (number = 0): string => `/v1/nodes/${identity(number).node}`;
const member = (number = 0) => use.world.central.network.members.get(identity(number).node);

describe("a heartbeat", () => {
  it("renews the lease, keeps the report, and writes nothing to KV", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    use.world.advance(3_600_000);
    const body = { state: "failed", step: "dockerd", log: "line 1\nline 2", facts: { agent: "0.1.0" } };
    const beat = await use.world.call("POST", `${path()}/heartbeat`, { token: String(json["token"]), body });
    expect(beat.status).toBe(200);
    expect(beat.json).not.toHaveProperty("token");
    expect(beat.json["renewBefore"]).not.toBe(json["renewBefore"]);
    expect((await use.world.admin("GET", path())).json).toMatchObject({
      facts: { agent: "0.1.0" },
      report: { state: "failed", step: "dockerd", log: "line 1\nline 2" },
    });
    expect(await use.world.outbox()).toEqual([]);
  });

  it("keeps no secret that a server has let slip into what it reports", async () => {
    const { json } = await use.world.enrol({
      change: { facts: { agent: "mbn_0123456789abcdefghijkl" } },
    });
    const token = String(json["token"]);
    expect((await use.world.admin("GET", path())).json["facts"]).toEqual({ agent: "mbn_…" });
    const body = {
      state: "failed",
      step: "enrol",
      log: `sent "${token}\n"`,
      facts: { os: `of ${token}`, [token]: 1 },
    };
    await use.world.call("POST", `${path()}/heartbeat`, { token, body });
    expect((await use.world.admin("GET", path())).json).toMatchObject({
      facts: { os: "of mbn_…", "mbn_…": 1 },
      report: { log: 'sent "mbn_…\n"' },
    });
  });

  it("answers KEY=value lines, problems too", async () => {
    const { json } = await use.world.enrol();
    const call = { body: { state: "ok" }, headers: { Accept: "text/plain" } };
    const good = await use.world.call("POST", `${path()}/heartbeat`, {
      ...call,
      token: String(json["token"]),
    });
    expect(good.text).toMatch(/^NETWORK=8056c2e21c000001\n/);
    expect(good.text).not.toContain("TOKEN=");
    const bad = await use.world.call("POST", `${path()}/heartbeat`, {
      ...call,
      token: "mbn_0123456789abcdefghijkl",
    });
    expect(bad.text).toMatch(
      /^TYPE=\/problems\/unauthorized\nTITLE=.+\nSTATUS=401\nDETAIL=.+\nINSTANCE=[0-9a-f-]+\n$/,
    );
  });

  it("is refused with another node's token, the same whether the node exists or not", async () => {
    const { json } = await use.world.enrol();
    await use.world.enrol({ number: 1 });
    const call = { token: String(json["token"]), body: { state: "ok" } };
    const other = await use.world.call("POST", `${path(1)}/heartbeat`, call);
    const none = await use.world.call("POST", `${path(2)}/heartbeat`, call);
    expect([other.status, other.json["type"]]).toEqual([401, "/problems/unauthorized"]);
    expect([none.status, none.json["type"]]).toEqual([401, "/problems/unauthorized"]);
  });

  it("tells what was repaired, which stays until the next repair", async () => {
    const { json } = await use.world.enrol();
    const token = String(json["token"]);
    const beat = async (body: object): Promise<number> =>
      (await use.world.call("POST", `${path()}/heartbeat`, { token, body })).status;
    const lastRepair = async (): Promise<unknown> =>
      (await use.world.admin("GET", path())).json["lastRepair"];
    expect(await lastRepair()).toBeNull();
    expect(await beat({ state: "ok", repaired: ["routes", "local.conf"] })).toBe(200);
    const repaired = await lastRepair();
    expect(repaired).toMatchObject({ steps: ["routes", "local.conf"] });
    use.world.advance(3_600_000);
    expect(await beat({ state: "ok" })).toBe(200);
    expect(await lastRepair()).toEqual(repaired);
    expect(await beat({ state: "ok", repaired: ["dockerd"] })).toBe(200);
    expect(await lastRepair()).toMatchObject({ steps: ["dockerd"] });
    expect(await beat({ state: "ok", repaired: Array.from({ length: 33 }, () => "routes") })).toBe(400);
    expect(await beat({ state: "ok", repaired: ["<script>"] })).toBe(400);
  });

  it("tells whether the node is behind, once the node has said which agent it runs", async () => {
    const { json } = await use.world.enrol();
    const token = String(json["token"]);
    const behind = async (facts?: object): Promise<unknown[]> => {
      const body = { state: "ok", facts };
      expect((await use.world.call("POST", `${path()}/heartbeat`, { token, body })).status).toBe(200);
      const listed: unknown = (await use.world.admin("GET", "/v1/nodes")).json["items"];
      return [(await use.world.admin("GET", path())).json, ...(Array.isArray(listed) ? listed : [])].map(
        (node) => node.behind,
      );
    };
    expect(await behind()).toEqual([null, null]);
    expect(await behind({ agent: AGENT.version, agentSha256: AGENT.sha256 })).toEqual([false, false]);
    const listed = async () => (await use.world.admin("GET", "/v1/nodes?behind=true")).json["items"];
    expect(await listed()).toEqual([]);
    expect(await behind({ agent: AGENT.version, agentSha256: "0".repeat(64) })).toEqual([true, true]);
    expect(await listed()).toMatchObject([{ behind: true }]);
    // An agent before there was this fact, and a server without a program in its place.
    expect(await behind({ agent: "0.1.0" })).toEqual([null, null]);
    expect(await behind({ agent: "0.1.0", agentSha256: "" })).toEqual([null, null]);
  });

  it("of a revoked node is refused", async () => {
    const { json } = await use.world.enrol();
    await use.world.admin("POST", `${path()}/revoke`);
    const call = { token: String(json["token"]), body: { state: "ok" } };
    const beat = await use.world.call("POST", `${path()}/heartbeat`, call);
    expect([beat.status, beat.json["type"]]).toEqual([403, "/problems/revoked"]);
  });

  it("takes a log of 4 KiB and no more", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    const beat = async (log: string): Promise<number> =>
      (await use.world.call("POST", `${path()}/heartbeat`, { token, body: { state: "ok", log } })).status;
    expect(await beat("x".repeat(4096))).toBe(200);
    expect(await beat("é".repeat(2049))).toBe(400);
    expect(await beat("x".repeat(41_000))).toBe(413);
  });
});

describe("the operator", () => {
  it("leases without a proof, again with the same result", async () => {
    const made = await use.world.admin("PUT", path(), { name: "db1", slot: 42 });
    expect([made.status, made.json["slot"], made.json["name"]]).toEqual([201, 42, "db1"]);
    const again = await use.world.admin("PUT", path(), { name: "db1" });
    expect([again.status, again.json["slot"]]).toEqual([200, 42]);
    expect(member()?.config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.42"] });
    const renamed = await use.world.admin("PUT", path(), { name: "db2" });
    expect([renamed.status, renamed.json["name"], member()?.name]).toEqual([200, "db2", "db2"]);
    expect((await use.world.admin("PUT", path(1), {})).json).toMatchObject({
      slot: 1,
      name: `node-${identity(1).node}`,
    });
  });

  it("is told why a slot or a name cannot be had", async () => {
    await use.world.admin("PUT", path(), { name: "db1", slot: 42 });
    const problem = async (body: object): Promise<unknown> =>
      (await use.world.admin("PUT", path(1), body)).json["type"];
    expect(await problem({ slot: 42 })).toBe("/problems/slot-taken");
    expect(await problem({ slot: 240 })).toBe("/problems/slot-taken");
    expect(await problem({ name: "db1" })).toBe("/problems/name-taken");
    const moved = await use.world.admin("PUT", path(), { slot: 43 });
    expect([moved.status, moved.json["type"]]).toEqual([409, "/problems/slot-taken"]);
  });

  it("gives a lease that the server itself then takes over with its proof", async () => {
    await use.world.admin("PUT", path(), { name: "db1", slot: 42 });
    expect((await use.world.enrol({ name: "anything" })).json).toMatchObject({ name: "db1", slot: 42 });
    expect((await use.world.enrol({ machine: "ff" })).json["type"]).toBe("/problems/cloned-identity");
  });

  it("renames a node, here and at the controller", async () => {
    await use.world.enrol();
    const { status, json } = await use.world.admin("PATCH", path(), { name: "db1" });
    expect([status, json["name"], member()?.name]).toEqual([200, "db1", "db1"]);
    await use.world.enrol({ number: 1, name: "web2" });
    const taken = await use.world.admin("PATCH", path(1), { name: "db1" });
    expect([taken.status, taken.json["type"]]).toEqual([409, "/problems/name-taken"]);
    expect((await use.world.admin("PATCH", path(2), { name: "x" })).status).toBe(404);
  });

  it("gives a node other tags, of which the controller hears nothing, and which stay whatever key it comes with", async () => {
    const key = await use.world.key({ tags: ["eu"] });
    await use.world.enrol({ key });
    await use.world.settle();
    const written = use.world.central.calls.length;
    const { status, json } = await use.world.admin("PATCH", path(), { tags: ["web", "db", "web"] });
    expect([status, json["tags"], json["name"], json["delivered"]]).toEqual([
      ...[200, ["db", "web"], "web1", true],
    ]);
    expect((await use.world.outbox()).map(({ kind }) => kind)).toEqual(["copy"]);
    await use.world.settle();
    expect(use.world.central.calls.length).toBe(written);
    expect((await use.world.admin("GET", "/v1/nodes?tag=db")).json["items"]).toHaveLength(1);
    await use.world.enrol({ key: await use.world.key({ tags: ["other"] }) });
    expect((await use.world.admin("GET", path())).json["tags"]).toEqual(["db", "web"]);
    expect((await use.world.admin("PATCH", path(), { tags: [] })).json["tags"]).toEqual([]);
  });

  it("changes name and tags at once or not at all, and bounds the tags as a key's", async () => {
    await use.world.enrol();
    await use.world.enrol({ number: 1, name: "web2" });
    const both = await use.world.admin("PATCH", path(), { name: "db1", tags: ["db"] });
    expect(both.json).toMatchObject({ name: "db1", tags: ["db"] });
    expect((await use.world.admin("PATCH", path(), { name: "web2", tags: ["x"] })).status).toBe(409);
    expect((await use.world.admin("GET", path())).json).toMatchObject({ name: "db1", tags: ["db"] });
    const many = Array.from({ length: 17 }, (_, at) => `t${at}`);
    for (const body of [{}, { tags: many }, { tags: ["No Tag"] }, { tags: "db" }]) {
      const { status, json } = await use.world.admin("PATCH", path(), body);
      expect([body, status, json["type"]]).toEqual([body, 400, "/problems/bad-request"]);
    }
  });

  it("revokes: deauthorized, route gone, slot kept; and approves again", async () => {
    await use.world.enrol();
    await use.world.settle();
    const revoked = await use.world.admin("POST", `${path()}/revoke`);
    expect(revoked.json).toMatchObject({ state: "revoked", delivered: true, slot: 1 });
    await use.world.settle();
    expect(member()?.config.authorized).toBe(false);
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    expect((await use.world.enrol({ number: 1 })).json["slot"]).toBe(2);
    await use.world.admin("POST", `${path()}/approve`);
    await use.world.settle();
    expect(member()?.config.authorized).toBe(true);
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
  });

  it("takes a node for seen when the operator lets it in, and not when he changes what is in already", async () => {
    const seen = async () => String((await use.world.admin("GET", path())).json["lastSeen"]);
    await use.world.enrol();
    const enrolled = await seen();
    use.world.advance(DAY);
    await use.world.admin("POST", `${path()}/approve`);
    await use.world.admin("PUT", path(), { name: "db7" });
    expect(await seen()).toBe(enrolled);
    await use.world.admin("POST", `${path()}/revoke`);
    await use.world.admin("POST", `${path()}/approve`);
    expect(Date.parse(await seen()) - Date.parse(enrolled)).toBeGreaterThanOrEqual(DAY);
  });

  it("revokes also while the controller is away: it is told later", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.central.fail("POST", "/member", { kind: "status", status: 500 });
    expect((await use.world.admin("POST", `${path()}/revoke`)).json).toMatchObject({ delivered: false });
    await use.world.settle();
    expect(member()?.config.authorized).toBe(false);
    expect((await use.world.admin("GET", path())).json["delivered"]).toBe(true);
  });

  it("deletes: member and route go, the slot comes back last and after its quarantine", async () => {
    const key = await use.world.key({ maxUses: 5 });
    await use.world.enrol({ key });
    await use.world.settle();
    expect((await use.world.admin("DELETE", path())).status).toBe(204);
    await use.world.settle();
    expect(member()).toBeUndefined();
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    expect((await use.world.admin("GET", path())).status).toBe(404);
    expect((await use.world.admin("DELETE", path())).status).toBe(404);

    const pool = await use.world.admin("GET", "/v1/pool");
    expect(pool.json).toMatchObject({ slots: { total: 239, active: 0, quarantined: 1, free: 238 } });
    const taken = await use.world.admin("PUT", path(1), { slot: 1 });
    expect(String(taken.json["detail"])).toContain("quarantine until");
    expect((await use.world.enrol({ key, number: 2 })).json["slot"]).toBe(2);
    use.world.advance(7 * DAY);
    expect((await use.world.admin("GET", "/v1/pool")).json).toMatchObject({
      slots: { quarantined: 0, free: 238 },
    });
    expect((await use.world.admin("PUT", path(1), { slot: 1 })).status).toBe(201);
  });

  it.each([1, 5])(
    "keeps out with a key for %i whom he deleted, until there is another key, but not whoever left by himself",
    async (maxUses) => {
      const key = await use.world.key({ maxUses });
      const { json } = await use.world.enrol({ key });
      const left = await use.world.call("DELETE", path(), { token: String(json["token"]) });
      expect(left.status).toBe(204);
      expect((await use.world.enrol({ key })).status).toBe(200);
      await use.world.admin("DELETE", path());
      const barred = await use.world.enrol({ key });
      expect([barred.status, barred.json["type"]]).toEqual([403, "/problems/revoked"]);
      expect(barred.json["detail"]).toContain("another key");
      expect((await use.world.enrol()).status).toBe(200);
      expect((await use.world.enrol({ key })).status).toBe(403);
    },
  );

  it.each([
    [`bearer ${ADMIN}`, 200],
    [`BEARER  ${ADMIN}  `, 200],
    [`Bearer${ADMIN}`, 401],
    [`Bearer ${ADMIN} x`, 401],
    [`Bearer x ${ADMIN}`, 401],
    [`Basic ${ADMIN}`, 401],
    [ADMIN, 401],
  ])("shows the token as a bearer: %s", async (Authorization, status) => {
    expect((await use.world.call("GET", "/v1/nodes", { headers: { Authorization } })).status).toBe(status);
  });

  it("needs the admin token for every call", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    const calls: [string, string, object?][] = [
      ["GET", "/v1/nodes"],
      ["PUT", path(), {}],
      ["PATCH", path(), { name: "x" }],
      ["POST", `${path()}/approve`],
      ["POST", `${path()}/revoke`],
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys", {}],
      ["DELETE", "/v1/keys/0123456789abcdef"],
      ["GET", "/v1/pool"],
      ["POST", "/v1/user-data", {}],
    ];
    for (const [method, where, body] of calls) {
      const status = async (as?: string) => (await use.world.call(method, where, { token: as, body })).status;
      expect([
        where,
        await status(),
        await status("mba_wrong-wrong-wrong-wrong"),
        await status(token),
      ]).toEqual([where, 401, 401, 403]);
    }
  });
});

describe("a node", () => {
  it("is neither read nor deleted with another admin token or a key", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    for (const token of ["mba_wrong-wrong-wrong-wrong", key]) {
      for (const method of ["GET", "DELETE"]) {
        const { status, json } = await use.world.call(method, path(), { token });
        expect([method, status, json["type"]]).toEqual([method, 401, "/problems/unauthorized"]);
      }
    }
    expect((await use.world.admin("GET", path())).status).toBe(200);
  });

  it("reads itself and nobody else", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    await use.world.enrol({ number: 1 });
    expect((await use.world.call("GET", path(), { token })).json).toMatchObject({ slot: 1, name: "web1" });
    expect((await use.world.call("GET", path(1), { token })).status).toBe(401);
    expect((await use.world.call("DELETE", path(1), { token })).status).toBe(401);
    expect((await use.world.call("GET", "/v1/nodes/0000000000", { token })).status).toBe(400);
  });
});
