// The slot that the tables give is the one by the rule, read over everything at once; whatever happened before.
import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type NodeId, parseNodeId } from "../../worker/lease/ids.ts";
import { defaultLeaseTimes, outSince } from "../../worker/lease/lease-times.ts";
import { makePool, slotLimit } from "../../worker/lease/pool.ts";
import { endLease } from "../../worker/outbox/queue.ts";
import { takeSlot } from "../../worker/reconcile/take-slot.ts";
import { Database } from "../../worker/store/database.ts";
import { SlotPages } from "../../worker/store/slot-pages.ts";
import { newNode } from "../../worker/store/stored-node.ts";
import type { Stores } from "../../worker/store/stores.ts";
import { type SlotUse, slotByTheRule } from "../unit/lease/slot-model.ts";
import { countRows } from "./counted-rows.ts";
import { migrateAnew } from "./earlier-tables.ts";
import { ownStores } from "./own-stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

/** Slots 1 to 3: fewer than there are nodes. */
const made = makePool({ zerotier: "10.0.0.0/27", docker: "172.28.0.0/16", nodePrefix: 18 });
if (!made.ok) throw new Error(made.error.join());
const pool = made.value;
/** Some of whose ids look like marks of a page where two of them meet. */
const NODES = ["1000000000", "0000000001", "abffffffff", "feffffffff", "1000000005"].flatMap(
  (id) => parseNodeId(id) ?? [],
);
/** Slots of a page. */
const PAGE = 16_384;

const node = fc.constantFrom(...NODES);
const slot = fc.integer({ min: 1, max: 3 });
/** ms until a slot is free: a few, so that some are, or as many as are usual, more or less. */
const free = fc.oneof(
  fc.nat(3),
  fc.integer({ min: -3, max: 3 }).map((more) => defaultLeaseTimes.quarantine + more),
);
const event = fc.oneof(
  { weight: 10, arbitrary: fc.record({ is: fc.constant("enrolment" as const), node }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant("lease" as const), node }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant("leaseAt" as const), node, slot }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant("delivery" as const), node }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant("end" as const), node }) },
  { weight: 8, arbitrary: fc.record({ is: fc.constant("removal" as const), node, free }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant("address" as const), node, slot }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant("routes" as const),
      slots: fc.uniqueArray(slot, { maxLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("forgotten" as const) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Does something with the storage of the object. */
async function inStorage(work: (storage: DurableObjectStorage) => void): Promise<void> {
  await runInDurableObject(use.world.object, (_, { storage }) => work(storage));
}

/** The tables of the object, emptied. */
function emptyTables(storage: DurableObjectStorage): Stores {
  for (const table of ["nodes", "released", "slot_pages", "outbox", "facts"])
    storage.sql.exec(`DELETE FROM ${table}`);
  return ownStores(storage);
}

/** Within a transaction: what enrolments, deliveries, hourly runs and operators do to the tables. */
function happen(stores: Stores, what: Event, now: number): void {
  const { slots, memory } = stores;
  if (what.is === "lease" || what.is === "enrolment")
    lease(stores, what.node, takeSlot(stores, pool, what.node, now), now);
  if (what.is === "leaseAt") lease(stores, what.node, what.slot, now);
  if (what.is === "routes") memory.setSlotsRouted({ at: now, slots: what.slots });
  if (what.is === "forgotten") slots.forget();
  if (what.is === "address") {
    const held = memory.slotsHeld()?.held.slice(-2) ?? [];
    const more = { slot: what.slot, address: `10.0.0.${what.slot}`, member: what.node };
    memory.setSlotsHeld({ at: now, held: [...held, more] });
  }
  if ("node" in what) follow(stores, what, now);
}

/** What follows from it for the node's lease, if it has one. */
function follow(stores: Stores, what: Event & { node: NodeId }, now: number): void {
  const { nodes, slots } = stores;
  const known = nodes.get(what.node);
  if (known !== undefined && (what.is === "end" || what.is === "removal"))
    endLease(stores, known, now, { by: { who: "cron" } });
  if (what.is === "removal") slots.beginQuarantine(what.node, undefined, now + what.free);
  if (known !== undefined && (what.is === "enrolment" || what.is === "delivery")) {
    slots.take(known.slot);
    nodes.delivered(known.node, now, null, undefined);
  }
}

/** Leases the slot, unless it is another's. A node whose lease was told to nobody yet moves to it. */
function lease({ nodes, slots }: Stores, id: NodeId, wanted: number | undefined, now: number): void {
  const known = nodes.get(id);
  if (wanted === undefined || slots.holder(wanted) !== undefined || known?.deliveredAt) return;
  nodes.put({
    ...(known ?? newNode({ node: id, name: id, slot: wanted, state: "active" }, now)),
    slot: wanted,
  });
}

/** All that the tables say of the slots. */
function readUse({ memory, slots }: Stores, { sql }: DurableObjectStorage, id: string): SlotUse {
  const leased = sql.exec<{ slot: number }>("SELECT slot FROM nodes").toArray();
  const released = sql
    .exec<{ slot: number; node: string; at: number; free: number | null }>(
      "SELECT slot, node, released_at AS at, free_at AS free FROM released",
    )
    .toArray()
    .map((row) => ({ slot: row.slot, node: row.node, releasedAt: row.at, freeAt: row.free ?? undefined }));
  const { at, held } = memory.slotsHeld() ?? { at: 0, held: [] };
  const ofOthers = held.filter(
    // The last holder is on its way out, unless it was out before the members were listed.
    (of) =>
      !released.some(
        ({ slot, node, freeAt }) =>
          slot === of.slot && node === of.member && (freeAt === undefined || at <= outSince(freeAt)),
      ),
  );
  return {
    leased: new Set(leased.map((row) => row.slot)),
    released,
    excluded: new Set([...ofOthers.map((of) => of.slot), ...(memory.slotsRouted()?.slots ?? [])]),
    own: slots.ownedBy(pool, id),
  };
}

function leasesIn({ sql }: DurableObjectStorage): ReadonlyMap<number, string> {
  const rows = sql.exec<{ slot: number; node: string }>("SELECT slot, node FROM nodes").toArray();
  return new Map(rows.map((row) => [row.slot, row.node]));
}

/** Compares what the stores find with what is in the tables. */
function compare(stores: Stores, storage: DurableObjectStorage, now: number): void {
  for (const id of NODES)
    expect(takeSlot(stores, pool, id, now)).toBe(slotByTheRule(pool, readUse(stores, storage, id), id, now));
  const leases = leasesIn(storage);
  const holders = stores.slots.holders();
  for (let at = 0; at < 10; at++) expect(holders.of(at)).toBe(leases.get(at));
  expect(holders.count()).toBe(leases.size);
}

it("the slot is the one by the rule, after whatever happened, and was undone, and in a database of before", async () => {
  const events = fc.array(fc.record({ what: event, isUndone: fc.nat(9).map((n) => n === 0) }), {
    maxLength: 40,
    size: "max",
  });
  await inStorage((storage) => {
    fc.assert(
      fc.property(events, (all) => {
        const stores = emptyTables(storage);
        for (const [now, { what, isUndone }] of all.entries()) {
          const change = (): void =>
            stores.transaction(() => {
              happen(stores, what, now);
              if (isUndone) throw new RangeError("undone");
            });
          if (isUndone) expect(change).toThrow(RangeError);
          else change();
          compare(stores, storage, now);
        }
        migrateAnew(storage.sql);
        compare(stores, storage, all.length);
      }),
      { numRuns: 150 },
    );
  });
});

it("of very many released slots none is read whose quarantine is not over", async () => {
  const range = makePool({ zerotier: "10.0.0.0/20", docker: "172.16.0.0/12", nodePrefix: 24 });
  if (!range.ok) throw new Error(range.error.join());
  const limit = slotLimit(range.value);
  const [newcomer] = NODES;
  if (newcomer === undefined) throw new Error("no node");
  await inStorage((storage) => {
    const stores = emptyTables(storage);
    // The higher the slot, the longer ago it was released.
    storage.sql.exec(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO released (slot, node, released_at, free_at)
         SELECT n, 'aaaaaaaaaa', ?1 - n, ?1 - n + 10000 FROM n`,
      limit,
    );
    migrateAnew(storage.sql);
    for (const [now, slot] of [
      [9_999, undefined],
      [10_000, limit],
      [20_000, limit],
    ] as const) {
      const rows = countRows(storage);
      expect(takeSlot(stores, range.value, newcomer, now)).toBe(slot);
      expect(rows().read).toBeLessThanOrEqual(8);
    }
  });
});

it("the pages are as one, also where they meet", async () => {
  const FIRST = 2 * PAGE - 1;
  const slots = Array.from({ length: 5 }, (_, at) => FIRST + at);
  const change = fc.record({ slot: fc.constantFrom(...slots), node: fc.option(node, { nil: undefined }) });
  await inStorage((storage) => {
    const { sql } = storage;
    const stores = emptyTables(storage);
    const pages = new SlotPages(new Database(storage));
    sql.exec(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${FIRST - 1})
         INSERT INTO released (slot, node, released_at) SELECT n, 'aaaaaaaaaa', 0 FROM n`,
    );
    migrateAnew(sql);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30, size: "max" }), (changes) => {
        stores.transaction(() => {
          for (const id of NODES) stores.nodes.remove(id);
        });
        for (const { slot: at, node: id } of changes)
          stores.transaction(() => {
            const holder = stores.slots.holder(at);
            if (holder !== undefined) stores.nodes.remove(holder);
            if (id !== undefined)
              stores.nodes.put(newNode({ node: id, name: id, slot: at, state: "active" }, 0));
          });
        const leases = leasesIn(storage);
        const holders = stores.slots.holders();
        expect(slots.map(holders.of)).toEqual(slots.map((at) => leases.get(at)));
        const rows = countRows(storage);
        for (const _ of pages.neverLeased()) break;
        // A page that is full is not read.
        expect(rows().read).toBeLessThanOrEqual(1);
        const found: number[] = [];
        for (const at of pages.neverLeased()) {
          if (at >= FIRST + slots.length) break;
          found.push(at);
        }
        expect(found).toEqual(slots.filter((at) => !leases.has(at)));
      }),
      { numRuns: 100 },
    );
  });
});
