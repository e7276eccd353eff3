// What calls cost in rows, with few leases and with a hundred thousand: the free plan allows 5,000,000 read a day.
import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { parseIdentity } from "../../worker/identity/identity.ts";
import type { NodeQuery } from "../../worker/network/list-nodes.ts";
import { NetworkObject } from "../../worker/network/network-object.ts";
import { type Platform, workersPlatform } from "../../worker/network/platform.ts";
import { countRows, type Rows } from "./counted-rows.ts";
import { migrateAnew } from "./earlier-tables.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const SECOND = 1000;
const HOUR = 3_600_000;

/** Ranges with room for 122,879 servers. */
const SETTINGS = { ...env, ZEROTIER_RANGE: "10.0.0.0/15", DOCKER_POOL: "100.64.0.0/10", NODE_PREFIX: "28" };

/** A golden image's host name, which all servers have that were there before. */
const NAME = "server";
const FIRST_ID = 0x10_0000_0000;

/** Rows until servers have their answers, and those that the alarm takes afterwards as well. */
interface Cost {
  readonly answered: Rows;
  readonly atRest: Rows;
}

/** ms since 1970. It moves when the test says so, or somebody sleeps: who comes within how many seconds must not hang on the machine. */
const PLATFORM: Platform = {
  ...workersPlatform,
  now: () => use.world.now(),
  sleep: async (ms) => {
    use.world.advance(ms);
  },
};
beforeEach(() => use.world.standStill());

/** How many rows it takes to let servers in, by how they come. */
interface Costs {
  /** One, to an object that was not in memory. */
  readonly afterPause: Cost;
  /** Three, two seconds apart. */
  readonly inChain: Cost;
  /** Five at once. */
  readonly inBurst: Cost;
}

/** Makes so many leases, delivered, and released slots, and the pages and marks that go with them. */
function fill(sql: SqlStorage, leases: number, released: number, now: number): void {
  sql.exec(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
       INSERT INTO nodes (node, name, slot, state, identity, token_hashes, leased_at, seen_at, delivered_at)
       SELECT format('%010x', ?2 + n), CASE n WHEN 1 THEN ?3 ELSE ?3 || '-' || n END, n, 'active', 'public', '[]', ?4, ?4, ?4
       FROM n`,
    leases,
    FIRST_ID,
    NAME,
    now,
  );
  sql.exec(
    `INSERT INTO released (slot, node, released_at, free_at)
       SELECT slot + ?1, format('%010x', ?2 - slot), ?3 + slot, iif(slot % 2, ?3 + slot, NULL) FROM nodes
       WHERE slot <= ?4`,
    leases,
    FIRST_ID,
    now - HOUR,
    released,
  );
  migrateAnew(sql);
}

/** Puts the members of those leases into the lists that Central gives: no more of each than the Worker reads. */
function crowd(leases: number): void {
  const members = Array.from({ length: leases }, (_, at) => {
    const slot = at + 1;
    const address = [slot >> 16, (slot >> 8) & 255, slot & 255].join(".");
    const config = { authorized: true, ipAssignments: [`10.${address}`] };
    return JSON.stringify({ nodeId: (FIRST_ID + slot).toString(16), name: NAME, config });
  }).join();
  const { central } = use.world;
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const answer = await central.fetch(input, init);
    if (!String(input).endsWith("/member")) return answer;
    const others = (await answer.text()).slice(1, -1);
    return new Response(`[${[members, others].filter((text) => text !== "").join()}]`);
  });
}

/** An object over the storage, as after a pause: nothing is in its memory. */
async function open(state: DurableObjectState): Promise<NetworkObject> {
  const object = new NetworkObject(state, SETTINGS, PLATFORM);
  await state.blockConcurrencyWhile(async () => {});
  return object;
}

async function enrol(object: NetworkObject, number: number, keyHash: string): Promise<number> {
  const { node, identity: text } = identity(number);
  const parsed = parseIdentity(text);
  if (parsed === undefined) throw new Error(`${text} is no identity`);
  const enrolled = await object.enrol({
    ...{ keyHash, node, identity: text, publicKey: parsed.publicKey, name: NAME },
    ...{ machineId: String(number).padStart(64, "0"), localPrefixes: [], address: null, facts: null },
  });
  if (!enrolled.ok) throw new Error(JSON.stringify(enrolled.error));
  return enrolled.value.lease.slot;
}

/** Fires the object's alarms until none is set. */
async function settle(object: NetworkObject, { storage }: DurableObjectState): Promise<void> {
  for (let at = await storage.getAlarm(); at !== null; at = await storage.getAlarm()) {
    use.world.advance(Math.max(0, at - use.world.now()));
    await storage.deleteAlarm();
    await object.alarm();
  }
}

/** Lets servers in beside so many. */
async function costsBeside(leases: number): Promise<Costs> {
  const keyHash = await sha256Hex(await use.world.key({ maxUses: 20 }));
  crowd(leases);
  const costs = await runInDurableObject(use.world.object, async (_, state) => {
    fill(state.storage.sql, leases, leases / 10, use.world.now());
    const slots: number[] = [];
    const costOf = async (come: (object: NetworkObject) => Promise<readonly number[]>): Promise<Cost> => {
      use.world.advance(HOUR);
      const untilRest = countRows(state.storage);
      const untilAnswer = countRows(state.storage);
      const object = await open(state);
      slots.push(...(await come(object)));
      const answered = untilAnswer();
      await settle(object, state);
      return { answered, atRest: untilRest() };
    };
    // The first finds a network in which nothing is as it should be.
    await costOf(async (object) => [await enrol(object, 0, keyHash)]);
    const afterPause = await costOf(async (object) => [await enrol(object, 1, keyHash)]);
    const inChain = await costOf(async (object) => {
      const found: number[] = [];
      for (const number of [2, 3, 4]) {
        found.push(await enrol(object, number, keyHash));
        use.world.advance(2 * SECOND);
      }
      return found;
    });
    const inBurst = await costOf((object) =>
      Promise.all([5, 6, 7, 8, 9].map((number) => enrol(object, number, keyHash))),
    );
    const first = leases + leases / 10 + 1;
    expect(slots.sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, at) => first + at));
    return { afterPause, inChain, inBurst };
  });
  await forget();
  return costs;
}

/** Leaves nothing to the next fleet. */
async function forget(): Promise<void> {
  use.world.central.network.members.clear();
  use.world.central.network.config.routes = [];
  await reset();
}

const EVERY_NODE: NodeQuery = {
  ...{ sort: "name" as const, limit: 50, after: undefined },
  ...{ state: undefined, name: undefined, tag: undefined, agentNot: undefined, key: undefined },
};

/** Calls that look at all leases, and the hourly run, which does too. */
const CALLS: Readonly<Record<string, (object: NetworkObject) => unknown>> = {
  "GET /v1/pool": (object) => object.poolUse(),
  "GET /healthz": (object) => object.health(true),
  "GET /metrics": (object) => object.metrics(AGENT.sha256),
  "GET /v1/nodes?state=pending": (object) => object.listNodes({ ...EVERY_NODE, state: "pending" }),
  "GET /v1/nodes?state=revoked&sort=slot": (object) =>
    object.listNodes({ ...EVERY_NODE, state: "revoked", sort: "slot" }),
  "GET /v1/nodes?state=offline": (object) => object.listNodes({ ...EVERY_NODE, state: "offline" }),
  "GET /v1/nodes?state=stale&sort=-lastSeen": (object) =>
    object.listNodes({ ...EVERY_NODE, state: "stale", sort: "-lastSeen" }),
  "GET /v1/nodes?state=failed": (object) => object.listNodes({ ...EVERY_NODE, state: "failed" }),
  "GET /v1/nodes?name=server-7": (object) => object.listNodes({ ...EVERY_NODE, name: `${NAME}-7` }),
  "POST /v1/reconcile?dryRun=true": (object) => object.reconcileNow(true),
  "POST /v1/reconcile": (object) => object.reconcileNow(false),
  "the hourly run": (object) => object.reconcile(),
};

/** Rows that each of the calls reads and writes beside so many leases, all as they should be but for one a state. */
async function costsOfCalls(leases: number): Promise<Record<string, Rows>> {
  const keyHash = await sha256Hex(await use.world.key({ maxUses: 20 }));
  crowd(leases);
  const costs = await runInDurableObject(use.world.object, async (_, state) => {
    const { sql } = state.storage;
    fill(sql, leases, 6, use.world.now());
    const object = await open(state);
    await enrol(object, 0, keyHash);
    await settle(object, state);
    sql.exec("UPDATE nodes SET state = 'pending', delivered_at = NULL WHERE slot = 2");
    sql.exec("UPDATE nodes SET state = 'revoked', revoked_by = 'operator' WHERE slot = 3");
    sql.exec("UPDATE nodes SET seen_at = seen_at - ? WHERE slot = 4", 5 * HOUR);
    sql.exec("UPDATE nodes SET seen_at = seen_at - ? WHERE slot = 5", 8 * 24 * HOUR);
    sql.exec(`UPDATE nodes SET report = '{"state":"failed","step":"docker"}' WHERE slot = 6`);
    await object.reconcile();
    await settle(object, state);
    const found: Record<string, Rows> = {};
    for (const [name, call] of Object.entries(CALLS)) {
      const counted = countRows(state.storage);
      await call(object);
      found[name] = counted();
    }
    return found;
  });
  await forget();
  return costs;
}

/** A page of slots is a row, and there is one for 16,384 of them. */
const MORE_PAGES = 6;
/** How often a call reads them all at most. */
const READINGS = 8;

it("with 100,000 leases an enrolment reads and writes a fifth more rows at most than with 10", async () => {
  const few = await costsBeside(10);
  const many = await costsBeside(100_000);
  for (const how of ["afterPause", "inChain", "inBurst"] as const)
    for (const until of ["answered", "atRest"] as const)
      for (const rows of ["read", "written"] as const)
        expect(many[how][until][rows], `${how} ${until} ${rows}`).toBeLessThanOrEqual(
          1.2 * few[how][until][rows],
        );
});

it("with 100,000 leases no call reads or writes more rows than with 10, but for a few pages of slots", async () => {
  const few = await costsOfCalls(10);
  const many = await costsOfCalls(100_000);
  for (const call of Object.keys(CALLS)) {
    expect(many[call]?.read, `${call} reads`).toBeLessThanOrEqual(
      (few[call]?.read ?? 0) + READINGS * MORE_PAGES,
    );
    expect(many[call]?.written, `${call} writes`).toBe(few[call]?.written);
  }
});
