/** A backup restored, and leases rebuilt from their copies: every server goes on as it was, and nothing is written at the controller. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { memberOf, setAuthorized } from "../../scripts/simulated-central/state.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { countRows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { loseStorage } from "./lost-object.ts";
import { ADMIN, type Answer, type Document, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
/** ms after which no slot is held back any more for what may have happened before the loss. */
const HELD = 10 * 60_000 + 1;

const nodeOf = (number: number): string => identity(number).node;

/** A server with the token that it has. */
interface Server {
  readonly number: number;
  readonly token: string;
}

async function enrolled(number: number, key: string, name = `web${number}`): Promise<Server> {
  const { status, json } = await use.world.enrol({ key, number, name });
  expect(status).toBe(200);
  return { number, token: String(json["token"]) };
}

/** A heartbeat's answer without what follows from when it came. */
async function beat({ number, token }: Server): Promise<Answer> {
  return use.world.call("POST", `/v1/nodes/${nodeOf(number)}/heartbeat`, { token, body: { state: "ok" } });
}

async function leases(servers: readonly Server[]): Promise<Document[]> {
  const all: Document[] = [];
  for (const server of servers) {
    const { status, json } = await beat(server);
    const { renewBefore: _r, peers: _p, ...lease } = json;
    all.push({ status, ...lease });
  }
  return all;
}

/** What the controller has of members and routes. */
function there(): unknown {
  const { members, config } = use.world.central.network;
  return structuredClone({ members: [...members].sort(), routes: config.routes });
}

const writes = (): number => use.world.central.calls.filter(({ method }) => method !== "GET").length;

/** A mesh with all that a backup holds. Gives the servers that are in. */
async function mesh(): Promise<Server[]> {
  const key = await use.world.key({ maxUses: 10, note: "all", tags: ["web"] });
  const servers: Server[] = [];
  for (const number of [0, 1, 2]) servers.push(await enrolled(number, key));
  await enrolled(3, key);
  await use.world.admin("DELETE", `/v1/nodes/${nodeOf(3)}`);
  await use.world.admin("POST", "/v1/reservations", { name: "db1", slot: 42 });
  await use.world.admin("PUT", `/v1/nodes/${nodeOf(4)}`, { name: "mail" });
  const revoked = await enrolled(5, key);
  await use.world.admin("POST", `/v1/nodes/${nodeOf(5)}/revoke`);
  const waits = await use.world.enrol({
    key: await use.world.key({ approval: true }),
    number: 6,
    name: "new",
  });
  expect([waits.status, revoked.number]).toEqual([202, 5]);
  await use.world.settle();
  return servers;
}

const fetchBackup = async (): Promise<Document> => {
  const { status, json } = await use.world.admin("GET", "/v1/export");
  expect(status).toBe(200);
  return json;
};

/** What there is of nodes, keys, reservations and the pool. */
async function state(): Promise<unknown> {
  const of = async (path: string) => (await use.world.admin("GET", path)).json["items"];
  return [await of("/v1/nodes?limit=200"), await of("/v1/keys"), await of("/v1/reservations")];
}

/** What nodes were last heard to say is in no backup. */
const unheard = {
  address: null,
  facts: null,
  report: null,
  reportedAt: null,
  lastRepair: null,
  failed: null,
  behind: null,
};

describe("a backup", () => {
  it("holds no secret and no report, and is restored into an empty deployment: every server has its lease, and the controller hears nothing", async () => {
    const servers = await mesh();
    await leases(servers);
    const before = await leases(servers);
    const [, keys, reservations] = (await state()) as unknown[];
    const backup = await fetchBackup();
    const text = JSON.stringify(backup);
    expect(text).not.toMatch(/mb[kna]_/);
    for (const { token } of servers) expect(text).not.toContain(token);
    expect(text).not.toContain(env.ZEROTIER_TOKEN);
    const [atCentral, nodes] = [
      there(),
      (await use.world.admin("GET", "/v1/nodes")).json["items"] as Document[],
    ];

    await loseStorage(use.world);
    expect((await beat(servers[0] as Server)).status).toBe(401);
    const written = writes();
    const dry = await use.world.admin("POST", "/v1/restore?dryRun=true", backup);
    const wet = await use.world.admin("POST", "/v1/restore", backup);
    expect(dry).toMatchObject({ status: 200, json: { ...wet.json, dryRun: true } });
    expect(wet).toMatchObject({
      status: 200,
      json: {
        ...{ dryRun: false, inTheWay: null },
        restored: { nodes: 6, keys: 2, reservations: 1, quarantined: 1 },
        differences: [],
        strangers: [],
        faults: [],
      },
    });
    expect(await state()).toEqual([nodes.map((node) => ({ ...node, ...unheard })), keys, reservations]);
    expect(await leases(servers)).toEqual(before);
    await use.world.object.reconcile();
    await use.world.settle();
    expect(await leases(servers)).toEqual(before);
    expect(there()).toEqual(atCentral);
    expect(writes()).toBe(written);
    const { items } = (await use.world.admin("GET", "/v1/events")).json as { items: Document[] };
    expect(items).toEqual([
      expect.objectContaining({ action: "restored", by: { who: "operator", id: "root" }, node: null }),
    ]);
  });

  it("goes on: keys, bars, quarantine, approval and revocation hold as before, and a new server gets the next slot", async () => {
    const key = await use.world.key({ maxUses: 10 });
    const servers = [await enrolled(0, key), await enrolled(1, key)];
    await use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`);
    await use.world.settle();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    await use.world.admin("POST", "/v1/restore", backup);
    expect((await use.world.enrol({ key, number: 1 })).json).toMatchObject({ type: "/problems/revoked" });
    expect(await beat(servers[1] as Server)).toMatchObject({ status: 403 });
    expect((await use.world.enrol({ key, number: 0, name: "web0" })).json).toMatchObject({ slot: 1 });
    use.world.advance(HELD);
    // Slot 2 rests for a week.
    expect((await use.world.enrol({ key, number: 2 })).json).toMatchObject({ slot: 3 });
    const { json } = await use.world.admin("GET", "/v1/keys");
    expect(json["items"]).toMatchObject([{ uses: 3 }]);
    // What was restored is what is backed up again.
    const again = await fetchBackup();
    expect(again["admissions"]).toHaveLength(3);
  });

  it("made again right after it was restored is the same, but for its time and what was found", async () => {
    await mesh();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    await use.world.admin("POST", "/v1/restore", backup);
    const again = await fetchBackup();
    const without = ({ madeAt: _m, released: _r, ...rest }: Document) => rest;
    expect(without(again)).toEqual(without(backup));
  });

  it("of a thousand servers is restored by ten rows written each, and made by two read", async () => {
    const key = await use.world.key({ maxUses: 1000 });
    await enrolled(0, key);
    await use.world.settle();
    const one = await fetchBackup();
    const [first] = one["nodes"] as Document[];
    const [admission] = one["admissions"] as Document[];
    const ids = Array.from({ length: 1000 }, (_, at) => (0x10_0000_0000 + at).toString(16));
    const nodes = ids.map((node, at) => ({
      ...{ ...first, node, name: `server-${at}`, slot: at + 1, identity: null },
      tokenHashes: [node.padStart(64, "0")],
    }));
    const pool = { zerotier: "10.147.0.0/16", docker: "172.16.0.0/12", nodePrefix: 24 };
    const admissions = ids.map((node) => ({ ...admission, node }));
    const backup = new TextEncoder().encode(JSON.stringify({ ...one, pool, nodes, admissions }));
    await loseStorage(use.world);
    for (const [at, node] of ids.entries()) {
      const address = `10.147.${(at + 1) >> 8}.${(at + 1) & 255}`;
      const member = memberOf(use.world.central.network, node, use.world.now());
      member.config.ipAssignments = [address];
      setAuthorized(member, true, use.world.now());
    }
    const settings = { ...env, ZEROTIER_RANGE: pool.zerotier, DOCKER_POOL: pool.docker };
    await runInDurableObject(use.world.object, async (_, state) => {
      const object = new NetworkObject(state, settings);
      await state.blockConcurrencyWhile(async () => {});
      const rows = countRows(state.storage);
      const restored = await object.restoreBackup(backup, false, { who: "operator", id: "root" });
      const { written } = rows();
      expect(restored).toMatchObject({ ok: true, value: { restored: { nodes: 1000 }, differences: [] } });
      const rowsOfExport = countRows(state.storage);
      const exported = object.exportBackup();
      const { read } = rowsOfExport();
      expect(exported.ok && exported.value.length).toBeGreaterThan(400_000);
      // Four of each are for its copy, since KV has none.
      expect(written).toBeLessThan(10_100);
      expect(read).toBeLessThan(2_100);
    });
  });
});

describe("restoring is refused", () => {
  it("where there is a lease, a key or a reservation, and says what", async () => {
    await use.world.key();
    const backup = await fetchBackup();
    const refused = await use.world.admin("POST", "/v1/restore", backup);
    expect(refused).toMatchObject({ status: 409, json: { type: "/problems/not-empty" } });
    expect(refused.text).toContain("0 lease(s), 1 key(s) and 0 reservation(s) are here");
    expect((await use.world.admin("POST", "/v1/rebuild")).json).toMatchObject({
      type: "/problems/not-empty",
    });
    // A look at it is always possible.
    const inTheWay = { leases: 0, keys: 1, reservations: 0, waiting: 0 };
    expect((await use.world.admin("POST", "/v1/rebuild?dryRun=true")).json).toMatchObject({ inTheWay });
    expect((await use.world.admin("POST", "/v1/restore?dryRun=true", backup)).json).toMatchObject({
      ...{ dryRun: true, inTheWay },
      restored: { nodes: 0, keys: 1 },
    });
  });

  it.each<readonly [string, Document, string]>([
    ["of another network", { network: "8056c2e21c000002" }, "ZEROTIER_NETWORK"],
    [
      "of another pool",
      { pool: { zerotier: "10.147.18.0/24", docker: "172.28.0.0/16", nodePrefix: 24 } },
      "10.147.18.0/24",
    ],
    ["of a later version", { version: 2 }, "version: 2, and this Worker reads 1"],
    ["of another format", { format: "something" }, "format"],
    ["from the future", { madeAt: Date.UTC(2100, 0) }, "is a clock wrong?"],
    ["with a field that nobody knows", { webhooks: [] }, "webhooks: there is no such field"],
    ["with a text for a slot", { slotsPublished: ["1"] }, "slotsPublished.0"],
    ["of nothing", { keys: [] }, "neither lease nor key nor reservation"],
    ["with a route to a slot outside the pool", { slotsPublished: [250] }, "slot 250"],
    ["with a note that no row could hold", { keys: [{ note: " ".repeat(5000) }] }, "keys.0.note"],
  ])("when it is %s", async (_, change, text) => {
    await use.world.key();
    const backup = await fetchBackup();
    const refused = await use.world.admin("POST", "/v1/restore", { ...backup, ...change });
    expect(refused).toMatchObject({ status: 422, json: { type: "/problems/backup-unfit" } });
    expect(refused.text).toContain(text);
  });

  it("when it is no JSON, or larger than a call takes", async () => {
    for (const [body, text] of [
      ["{", "it is not JSON"],
      ["", "the body is empty"],
      ['{"format":"meshboot-backup"}', "version: it is missing"],
    ] as const) {
      const refused = await use.world.admin("POST", "/v1/restore", body);
      expect(refused).toMatchObject({ status: 422, json: { type: "/problems/backup-unfit" } });
      expect(refused.text).toContain(text);
    }
    const large = await use.world.admin("POST", "/v1/restore", " ".repeat(LIMITS.backupBytes + 1));
    expect(large).toMatchObject({ status: 413, json: { type: "/problems/body-too-large" } });
  });

  it("while the controller does not answer: then nothing is guessed, and nothing stored", async () => {
    await mesh();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    for (const path of ["/v1/restore", "/v1/rebuild"]) {
      use.world.central.fail("GET", "/member", { kind: "timeout", times: 9 });
      const refused = await use.world.admin("POST", path, path === "/v1/restore" ? backup : undefined);
      expect(refused).toMatchObject({ status: 503, json: { type: "/problems/controller-unreachable" } });
    }
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
    expect((await use.world.admin("GET", "/v1/events")).json["items"]).toEqual([]);
  });

  it("while a member cannot be read: what it has would be leased to another", async () => {
    await mesh();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    const { central } = use.world;
    const whole = central.listing;
    const isOther = (entry: unknown) => JSON.stringify(entry).includes(nodeOf(1)) === false;
    central.listing = (entries) => [...entries.filter(isOther), { nodeId: nodeOf(1), config: null }];
    for (const [path, body] of [
      ["/v1/restore", backup],
      ["/v1/rebuild", undefined],
    ] as const) {
      const refused = await use.world.admin("POST", path, body);
      expect(refused).toMatchObject({ status: 503, json: { type: "/problems/network-unfit" } });
      expect(refused.text).toContain(nodeOf(1));
    }
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
    central.listing = whole;
    expect((await use.world.admin("POST", "/v1/restore", backup)).status).toBe(200);
  });

  it("while the controller is still to be told that a server left that came after the loss", async () => {
    const key = await use.world.key({ maxUses: 10 });
    await enrolled(0, key);
    await use.world.settle();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    const { json } = await use.world.admin("POST", "/v1/keys", {});
    await use.world.enrol({ key: String(json["key"]), number: 0 });
    use.world.central.fail("POST", `/member/${nodeOf(0)}`, { kind: "timeout", times: 1 });
    await use.world.admin("DELETE", `/v1/nodes/${nodeOf(0)}`);
    await use.world.admin("DELETE", `/v1/keys/${json["id"]}`);
    const refused = await use.world.admin("POST", "/v1/restore", backup);
    expect(refused.json).toMatchObject({ type: "/problems/not-empty" });
    expect(refused.text).toContain("still to be told to the ZeroTier controller");
    await use.world.settle();
    expect((await use.world.admin("POST", "/v1/restore", backup)).json["differences"]).toMatchObject([
      { node: nodeOf(0), found: "absent" },
    ]);
    // How its lease ended before this one is forgotten with it.
    await use.world.admin("POST", `/v1/nodes/${nodeOf(0)}/approve`);
    await use.world.settle();
    expect((await use.world.admin("GET", `/v1/nodes/${nodeOf(0)}`)).json).toMatchObject({
      state: "active",
      delivered: true,
    });
  });

  it("and nothing is backed up where there is nothing, as after a loss", async () => {
    const refused = await use.world.admin("GET", "/v1/export");
    expect(refused).toMatchObject({ status: 422, json: { type: "/problems/backup-unfit" } });
    expect(refused.text).toContain("the storage is lost");
  });

  it("when somebody got a lease meanwhile", async () => {
    await mesh();
    const backup = await fetchBackup();
    await loseStorage(use.world);
    const held = use.world.central.holdAnswer(/\/member$/);
    const restoring = use.world.admin("POST", "/v1/restore", backup);
    await held.seen();
    await use.world.key();
    held.free();
    expect((await restoring).json).toMatchObject({ type: "/problems/not-empty" });
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
  });

  it("to whoever is not the operator", async () => {
    for (const [method, path] of [
      ["GET", "/v1/export"],
      ["POST", "/v1/restore"],
      ["POST", "/v1/rebuild"],
    ] as const)
      expect((await use.world.call(method, path)).status).toBe(401);
    expect(ADMIN).toMatch(/^mba_/);
  });
});

describe("what was done after the backup was made", () => {
  /** Servers 0 to 2 in, their backup, and that the storage is lost after what happened. */
  async function sinceBackup(
    happen: (key: string) => Promise<unknown>,
  ): Promise<{ backup: Document; key: string }> {
    const key = await use.world.key({ maxUses: 10 });
    for (const number of [0, 1, 2]) await enrolled(number, key);
    await use.world.settle();
    const backup = await fetchBackup();
    await happen(key);
    await use.world.settle();
    await loseStorage(use.world);
    return { backup, key };
  }

  const restore = async (backup: Document) => (await use.world.admin("POST", "/v1/restore", backup)).json;
  const stateOf = async (number: number) =>
    (await use.world.admin("GET", `/v1/nodes/${nodeOf(number)}`)).json["state"];

  it("a server that was deleted is not let in again, neither by the hourly run nor by itself", async () => {
    const { backup, key } = await sinceBackup(() => use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`));
    const written = writes();
    expect((await restore(backup))["differences"]).toEqual([
      { node: nodeOf(1), name: "web1", slot: 2, found: "absent", state: "revoked", member: null },
    ]);
    await use.world.object.reconcile();
    await use.world.settle();
    expect([await stateOf(1), writes()]).toEqual(["revoked", written]);
    expect(use.world.central.network.members.has(nodeOf(1))).toBe(false);
    expect((await use.world.enrol({ key, number: 1, name: "web1" })).json).toMatchObject({
      type: "/problems/revoked",
    });
    await use.world.admin("POST", `/v1/nodes/${nodeOf(1)}/approve`);
    expect(use.world.central.network.members.get(nodeOf(1))?.config).toMatchObject({
      authorized: true,
      ipAssignments: ["10.147.17.2"],
    });
  });

  it("a server that was taken out stays out, and one that was let in stays in", async () => {
    const { backup } = await sinceBackup(() => use.world.admin("POST", `/v1/nodes/${nodeOf(1)}/revoke`));
    expect((await restore(backup))["differences"]).toMatchObject([
      { found: "deauthorized", state: "revoked" },
    ]);
    const revoked = await fetchBackup();
    await use.world.admin("POST", `/v1/nodes/${nodeOf(1)}/approve`);
    await use.world.settle();
    await loseStorage(use.world);
    const written = writes();
    expect((await restore(revoked))["differences"]).toMatchObject([{ found: "let-in", state: "active" }]);
    await use.world.object.reconcile();
    await use.world.settle();
    expect([await stateOf(1), writes()]).toEqual(["active", written]);
  });

  it("a server that came is named, keeps its slot to itself, and gets it when it enrols again", async () => {
    const { backup } = await sinceBackup((key) => enrolled(3, key, "late"));
    expect((await restore(backup))["strangers"]).toEqual([
      { member: nodeOf(3), name: "late", slot: 4, address: "10.147.17.4", reservation: null, ending: null },
    ]);
    const key = await use.world.key({ maxUses: 2 });
    use.world.advance(HELD);
    expect((await use.world.enrol({ key, number: 4 })).json).toMatchObject({ slot: 5 });
    expect((await use.world.enrol({ key, number: 3, name: "late" })).json).toMatchObject({
      slot: 4,
      name: "late",
    });
  });

  it("a slot that another server has by now is that one's: the lease of before is left out", async () => {
    const { backup } = await sinceBackup(async () => {
      await use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`);
      await use.world.settle();
      use.world.advance(8 * DAY);
      await use.world.admin("PUT", `/v1/nodes/${nodeOf(3)}`, { name: "heir", slot: 2 });
    });
    const { differences, strangers } = await restore(backup);
    expect(differences).toEqual([
      { node: nodeOf(1), name: "web1", slot: 2, found: "slot-held", state: null, member: nodeOf(3) },
    ]);
    expect(strangers).toMatchObject([{ member: nodeOf(3), slot: 2 }]);
    use.world.advance(HELD);
    expect(await use.world.admin("PUT", `/v1/nodes/${nodeOf(3)}`, { name: "heir", slot: 2 })).toMatchObject({
      status: 201,
    });
  });

  it("a server that has another slot by now keeps that, and its slot of before rests", async () => {
    const { backup } = await sinceBackup(async () => {
      await use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`);
      await use.world.admin("PUT", `/v1/nodes/${nodeOf(1)}`, { name: "web1", slot: 9 });
    });
    expect((await restore(backup))["differences"]).toMatchObject([{ found: "moved", state: null, slot: 2 }]);
    const key = await use.world.key();
    use.world.advance(HELD);
    expect((await use.world.enrol({ key, number: 1, name: "web1" })).json).toMatchObject({ slot: 9 });
    expect((await use.world.admin("GET", "/v1/pool")).json["slots"]).toMatchObject({ quarantined: 1 });
  });

  it("a route that was ours and may be somebody else's by now is left to him", async () => {
    const there = { target: "172.28.2.0/24", via: "10.147.17.2" };
    const { backup } = await sinceBackup(async () => {
      await use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`);
      await use.world.settle();
      const { network } = use.world.central;
      expect(network.config.routes).not.toContainEqual(there);
      const member = memberOf(network, "c0ffee0001", use.world.now());
      member.config.ipAssignments = [there.via];
      setAuthorized(member, true, use.world.now());
      network.config.routes.push(there);
    });
    expect(backup["slotsPublished"]).toEqual([1, 2, 3]);
    expect((await restore(backup))["differences"]).toMatchObject([{ found: "slot-held" }]);
    await use.world.object.reconcile();
    await use.world.settle();
    expect(use.world.central.network.config.routes).toContainEqual(there);
    expect((await fetchBackup())["slotsPublished"]).toEqual([1, 3]);
  });

  it("a server that was told another slot after a call that was not answered stays in", async () => {
    const key = await use.world.key({ maxUses: 10 });
    await enrolled(0, key);
    await use.world.settle();
    const begun = use.world.now();
    const backup = await fetchBackup();
    const lease = (backup["nodes"] as Document[])[0];
    const late = {
      ...backup,
      nodes: [{ ...lease, slot: 7, deliveredAt: null }],
      slotsPublished: [],
      unheard: [{ node: nodeOf(0), authorized: true, at: begun }],
    };
    await loseStorage(use.world);
    expect((await restore(late))["strangers"]).toMatchObject([{ member: nodeOf(0), slot: 1 }]);
    await use.world.object.reconcile();
    await use.world.settle();
    expect(use.world.central.network.members.get(nodeOf(0))?.config.authorized).toBe(true);
  });

  it("a slot whose address a member has that is not in is that one's, should it be let in again there", async () => {
    const { backup } = await sinceBackup(async () => {
      await use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`);
      await use.world.settle();
      const member = memberOf(use.world.central.network, "c0ffee0001", use.world.now());
      member.config.ipAssignments = ["10.147.17.2"];
    });
    expect((await restore(backup))["differences"]).toMatchObject([
      { node: nodeOf(1), found: "slot-held", state: null, member: "c0ffee0001" },
    ]);
    const approved = await use.world.admin("POST", `/v1/nodes/${nodeOf(1)}/approve`);
    expect(approved.json["type"]).toBe("/problems/not-found");
    // What the copy says is of a lease that is none.
    await use.world.settle();
    expect(await env.LEASES.get(`node/${nodeOf(1)}`)).toBeNull();
  });

  it("a server that the operator had deleted and that is in is named as that", async () => {
    const { backup } = await sinceBackup(() => use.world.admin("DELETE", `/v1/nodes/${nodeOf(1)}`));
    const formerNodes = [
      { node: nodeOf(2), tokenHashes: [], ending: "deleted", endedAt: use.world.now() - 1000 },
    ];
    const nodes = (backup["nodes"] as Document[]).filter(({ node }) => node !== nodeOf(2));
    expect(
      (await restore({ ...backup, nodes, formerNodes, slotsPublished: [1] }))["strangers"],
    ).toMatchObject([{ member: nodeOf(2), ending: "deleted" }]);
  });

  it("the tokens that a server has by its copy are good, and those of before are not", async () => {
    const before: Server[] = [];
    const after: Server[] = [];
    const key = await use.world.key({ maxUses: 10 });
    before.push(await enrolled(0, key));
    await use.world.settle();
    const backup = await fetchBackup();
    use.world.advance(MINUTE);
    after.push(await enrolled(0, key, "web0"));
    expect((await beat(after[0] as Server)).status).toBe(200);
    use.world.advance(MINUTE);
    await use.world.settle();
    await loseStorage(use.world);
    await restore(backup);
    expect((await beat(after[0] as Server)).status).toBe(200);
    expect((await beat(before[0] as Server)).status).toBe(401);
  });

  it("no member is made a lease either for ten minutes", async () => {
    const { backup } = await sinceBackup(async () => {});
    await restore(backup);
    const { status, json } = await use.world.admin("POST", "/v1/adopt?dryRun=true", {});
    expect(status).toBe(200);
    expect((await use.world.admin("POST", "/v1/adopt", { plan: json["plan"] })).json["type"]).toBe(
      "/problems/just-restored",
    );
  });

  it("may still take effect for ten minutes: until then no slot is leased, and who has a lease goes on", async () => {
    const { backup, key } = await sinceBackup(async () => {});
    await restore(backup);
    use.world.advance(HELD - 60_000);
    const refused = await use.world.enrol({ key, number: 3 });
    expect(refused).toMatchObject({ status: 503, json: { type: "/problems/just-restored" } });
    expect(Number(refused.headers.get("Retry-After"))).toBeLessThanOrEqual(60);
    for (const [method, path] of [
      ["PUT", `/v1/nodes/${nodeOf(4)}`],
      ["POST", "/v1/reservations"],
    ] as const)
      expect((await use.world.admin(method, path, { name: "db1" })).json).toMatchObject({
        type: "/problems/just-restored",
      });
    expect((await use.world.enrol({ key, number: 1, name: "web1" })).json).toMatchObject({ slot: 2 });
    use.world.advance(60_000);
    expect((await use.world.enrol({ key, number: 3 })).json).toMatchObject({ slot: 4 });
  });

  it("a member that has lost its address gets it from the next hourly run", async () => {
    const { backup } = await sinceBackup(async () => {
      const member = use.world.central.network.members.get(nodeOf(1));
      if (member !== undefined) member.config.ipAssignments = [];
    });
    expect((await restore(backup))["differences"]).toMatchObject([{ found: "drifted", state: "active" }]);
    await use.world.object.reconcile();
    await use.world.settle();
    expect(use.world.central.network.members.get(nodeOf(1))?.config.ipAssignments).toEqual(["10.147.17.2"]);
  });

  it("copies in KV that say otherwise are written anew, and no other", async () => {
    const { backup } = await sinceBackup(() =>
      use.world.admin("PATCH", `/v1/nodes/${nodeOf(1)}`, { name: "other" }),
    );
    await restore(backup);
    expect((await use.world.outbox()).filter(({ kind }) => kind === "copy")).toEqual([
      { kind: "copy", subject: nodeOf(1), attempts: 0 },
    ]);
  });
});

describe("leases rebuilt from their copies in KV", () => {
  const rebuild = (query = "") => use.world.admin("POST", `/v1/rebuild${query}`);

  it("are those that there were, with name, state, times and tokens, and the controller hears nothing", async () => {
    const servers = await mesh();
    const before = await leases(servers);
    const [nodes] = (await state()) as Document[][];
    const atCentral = there();
    await loseStorage(use.world);
    const written = writes();
    const dry = await rebuild("?dryRun=true");
    const wet = await rebuild();
    expect(dry.json).toEqual({ ...wet.json, dryRun: true });
    expect(wet).toMatchObject({
      status: 200,
      json: {
        ...{ madeAt: null, copies: 6, unusable: [], renamed: [], differences: [], strangers: [] },
        restored: { nodes: 6, keys: 0, reservations: 0, quarantined: 0 },
      },
    });
    expect(wet.json["lost"]).toHaveLength(7);
    expect(await leases(servers)).toEqual(before);
    const [rebuilt] = (await state()) as Document[][];
    const shown = ({ node, name, slot, state, leasedAt, key, tags }: Document) => ({
      ...{ node, name, slot, state, leasedAt, key, tags },
    });
    expect(rebuilt?.map(shown)).toEqual(nodes?.map(shown));
    await use.world.object.reconcile();
    await use.world.settle();
    expect(await leases(servers)).toEqual(before);
    expect(there()).toEqual(atCentral);
    expect(writes()).toBe(written);
    expect((await use.world.admin("GET", "/v1/events")).json["items"]).toMatchObject([{ action: "rebuilt" }]);
    // What the operator took out comes back by his word alone.
    expect((await use.world.admin("GET", `/v1/nodes/${nodeOf(5)}`)).json["state"]).toBe("revoked");
  });

  it("say which copies gave none, and why", async () => {
    const key = await use.world.key({ maxUses: 5 });
    for (const number of [0, 1]) await enrolled(number, key);
    await use.world.settle();
    const copy = JSON.parse((await env.LEASES.get(`node/${nodeOf(0)}`)) ?? "");
    const put = (name: string, change: object) =>
      env.LEASES.put(name, JSON.stringify({ ...copy, ...change }));
    // An old copy of the slot that server 0 has, by the controller too.
    await put(`node/${nodeOf(2)}`, { node: nodeOf(2), leasedAt: copy.leasedAt + 1, tokenHashes: [] });
    await put(`node/${nodeOf(3)}`, { node: nodeOf(3), network: "8056c2e21c000002" });
    await put(`node/${nodeOf(4)}`, { node: nodeOf(4), slot: 250 });
    await put(`node/${nodeOf(5)}`, {});
    await put(`node/${nodeOf(6)}`, { node: nodeOf(6), slot: 9, tokenHashes: ["secret"] });
    await env.LEASES.put(`node/${nodeOf(7)}`, "{");
    await put(`node/${nodeOf(8)}`, { node: nodeOf(8), slot: 10, identity: null, tokenHashes: [] });
    await loseStorage(use.world);
    const { json } = await rebuild();
    const unusable = json["unusable"] as { copy: string; fault: string }[];
    expect(Object.fromEntries(unusable.map(({ copy, fault }) => [copy, fault]))).toEqual({
      [`node/${nodeOf(2)}`]: `slot 1 is node ${nodeOf(0)}'s, by its copy and the controller`,
      [`node/${nodeOf(3)}`]: "it is of the network 8056c2e21c000002",
      [`node/${nodeOf(4)}`]: "slot 250 is outside the pool",
      [`node/${nodeOf(5)}`]: `it is of node ${nodeOf(0)}`,
      [`node/${nodeOf(6)}`]: expect.stringContaining("tokenHashes.0: not a SHA-256"),
      [`node/${nodeOf(7)}`]: "it cannot be read",
    });
    expect(json["renamed"]).toEqual([{ node: nodeOf(8), name: "web0-2", was: "web0" }]);
    expect(json["differences"]).toMatchObject([{ node: nodeOf(8), found: "absent", state: "revoked" }]);
    expect(json).toMatchObject({ copies: 9, restored: { nodes: 3 } });
  });

  it("are refused where a copy is of another pool: every server would get other addresses", async () => {
    await use.world.enrol();
    await use.world.settle();
    const copy = JSON.parse((await env.LEASES.get(`node/${nodeOf(0)}`)) ?? "");
    const pool = { ...copy.pool, docker: "172.29.0.0/16" };
    await env.LEASES.put(`node/${nodeOf(0)}`, JSON.stringify({ ...copy, pool }));
    await loseStorage(use.world);
    const refused = await rebuild();
    expect(refused).toMatchObject({ status: 422, json: { type: "/problems/backup-unfit" } });
    expect(refused.text).toContain("DOCKER_POOL 172.29.0.0/16");
  });

  it("are read of more copies than KV gives at a time", async () => {
    await use.world.enrol();
    await use.world.settle();
    const copy = JSON.parse((await env.LEASES.get(`node/${nodeOf(0)}`)) ?? "");
    for (let slot = 2; slot <= 150; slot++) {
      const node = (0x10_0000_0000 + slot).toString(16);
      const lease = { node, slot, name: `web-${slot}`, identity: null, tokenHashes: [] };
      await env.LEASES.put(`node/${node}`, JSON.stringify({ ...copy, ...lease }));
    }
    await loseStorage(use.world);
    expect((await rebuild()).json).toMatchObject({ copies: 150, restored: { nodes: 150 }, unusable: [] });
  });
});
