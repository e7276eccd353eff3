import fc from "fast-check";
import { BACKUP_FORMAT, type Backup } from "../../../worker/backup/backup.ts";
import type { Place } from "../../../worker/backup/check.ts";
import { type NodeId, parseNodeId } from "../../../worker/lease/ids.ts";
import { describePool, slotLimit } from "../../../worker/lease/pool.ts";
import { defaultPool as pool } from "../lease/pools.ts";

export const NETWORK = "8056c2e21c000001";
export const NOW = 1_900_000_000_000;
const DAY = 86_400_000;

/** Where the documents of these tests can be restored. */
export const place: Place = { network: NETWORK, pool, settings: describePool(pool), now: NOW };

/** The node id of that number. */
export function nodeId(number: number): NodeId {
  const node = parseNodeId((0x10_0000_0000 + number).toString(16));
  if (node === undefined) throw new Error(`${number} makes no node id`);
  return node;
}

const past = fc.integer({ min: NOW - 400 * DAY, max: NOW - DAY });
const ever = fc.option(past);
const hash = (number: number, kind: string): string => `${kind}${number}`.padStart(64, "0");
const keyId = (number: number): string => number.toString(16).padStart(16, "0");

/** Some of the numbers from 1 to `most`, each once. */
const someOf = (most: number) => fc.uniqueArray(fc.integer({ min: 1, max: most }), { maxLength: 8 });

const node = fc.record({
  state: fc.constantFrom("pending" as const, "active" as const, "revoked" as const),
  by: fc.constantFrom("operator" as const, "controller" as const),
  isProven: fc.boolean(),
  tokens: fc.nat(2),
  keyId: fc.option(fc.nat(5).map(keyId)),
  ...{ leasedAt: past, seenAt: past, deliveredAt: ever, letInAt: ever, deauthorizedAt: ever },
});

/** Nodes with slots and names of their own. */
const nodes = fc
  .tuple(someOf(slotLimit(pool)), fc.array(node, { minLength: 8, maxLength: 8 }))
  .map(([slots, all]): Backup["nodes"] =>
    slots.flatMap((slot, at) => {
      const chosen = all[at];
      if (chosen === undefined) return [];
      const { state, by, isProven, tokens, ...rest } = chosen;
      const id = nodeId(slot);
      return [
        {
          ...{ ...rest, node: id, name: `node-${slot}`, slot, state },
          revokedBy: state === "revoked" ? by : null,
          identity: isProven ? `${id}:0:${"0".repeat(128)}` : null,
          machineId: isProven ? hash(slot, "ac") : null,
          tokenHashes: Array.from({ length: tokens }, (_, token) => hash(slot * 10 + token, "a")),
          tags: [],
          ephemeralMinutes: null,
        },
      ];
    }),
  );

/** Documents as the Worker makes them. */
export const backups: fc.Arbitrary<Backup> = nodes.chain((nodes) =>
  fc
    .record({
      madeAt: fc.integer({ min: NOW - DAY, max: NOW }),
      released: fc.array(fc.tuple(past, fc.boolean()), { maxLength: 3 }),
      reserved: fc.subarray([...nodes]),
      names: fc.uniqueArray(fc.constantFrom("db", "mail"), { maxLength: 2 }),
      keys: someOf(9),
      admitted: fc.subarray([...nodes]),
      former: someOf(20),
      unheard: fc.subarray([...nodes]),
    })
    .map(({ madeAt, released, reserved, names, keys, admitted, former, unheard }) => {
      const taken = new Set(nodes.map(({ slot }) => slot));
      const free = Array.from({ length: slotLimit(pool) }, (_, at) => at + 1).filter(
        (slot) => !taken.has(slot),
      );
      const reservations = [
        ...reserved.map(({ name, slot }) => ({ name, slot, createdAt: NOW - 2 * DAY })),
        ...names.map((name, at) => ({ name, slot: free[at] ?? 0, createdAt: NOW - 2 * DAY })),
      ];
      const [first] = reservations;
      return {
        ...{ format: BACKUP_FORMAT, version: 1, network: NETWORK, pool: describePool(pool), madeAt, nodes },
        released: released.map(([releasedAt, isTaken], at) => ({
          ...{ slot: free[at + 10] ?? 0, node: nodeId(1000 + at), releasedAt },
          freeAt: isTaken ? releasedAt + 7 * DAY : null,
        })),
        reservations,
        keys: keys.map((number, at) => ({
          ...{ id: keyId(number), hash: hash(number, "b"), createdAt: NOW - 300 * DAY, expiresAt: NOW + DAY },
          ...{ maxUses: 9, approval: false, allowOverlap: false, names: null, ephemeralMinutes: null },
          ...{ lastUsedAt: null, revokedAt: null, tags: [], note: null, userData: null, takesOver: null },
          reservedSlot: at === 0 && first !== undefined ? first.slot : null,
        })),
        admissions: keys
          .slice(0, 1)
          .flatMap((key) => admitted.map(({ node }) => ({ key: keyId(key), node, barred: false }))),
        formerNodes: former.map((number) => ({
          ...{
            node: nodeId(2000 + number),
            tokenHashes: [],
            ending: "deleted" as const,
            endedAt: NOW - 3 * DAY,
          },
        })),
        nameNumbers: names.map((name) => ({ name, next: 2 })),
        idempotencyKeys: keys.map((number) => ({ idempotencyKey: `order-${number}`, key: keyId(number) })),
        unheard: unheard.map(({ node }) => ({ node, authorized: true, at: NOW - DAY })),
        slotsPublished: nodes.map(({ slot }) => slot),
        routesUnheard: [],
      } satisfies Backup;
    }),
);

/** A document in which there is one of everything. */
export const WHOLE: Backup = {
  ...{ format: BACKUP_FORMAT, version: 1, network: NETWORK, pool: describePool(pool), madeAt: NOW },
  nodes: [1, 2].map((slot) => ({
    ...{ node: nodeId(slot), name: `web${slot}`, slot, state: "active" as const, revokedBy: null },
    ...{ identity: `${nodeId(slot)}:0:${"0".repeat(128)}`, machineId: hash(slot, "ac"), keyId: keyId(1) },
    ...{ tokenHashes: [hash(slot, "a")], leasedAt: NOW, seenAt: NOW, deliveredAt: NOW, tags: ["web"] },
    ...{ ephemeralMinutes: null, letInAt: null, deauthorizedAt: null },
  })),
  released: [{ slot: 3, node: nodeId(3), releasedAt: NOW, freeAt: NOW + 7 * DAY }],
  reservations: [
    { name: "web2", slot: 2, createdAt: NOW },
    { name: "db1", slot: 4, createdAt: NOW },
  ],
  keys: [
    {
      ...{
        id: keyId(1),
        hash: hash(1, "b"),
        createdAt: NOW,
        expiresAt: NOW + DAY,
        maxUses: 2,
        approval: false,
      },
      ...{ allowOverlap: false, names: null, ephemeralMinutes: null, lastUsedAt: NOW, reservedSlot: 4 },
      ...{ takesOver: nodeId(2), revokedAt: NOW, tags: [], note: "all", userData: "{}" },
    },
  ],
  admissions: [{ key: keyId(1), node: nodeId(1), barred: true }],
  formerNodes: [{ node: nodeId(3), tokenHashes: [hash(3, "a")], ending: "deleted", endedAt: NOW }],
  nameNumbers: [{ name: "web", next: 3 }],
  idempotencyKeys: [{ idempotencyKey: "order-1", key: keyId(1) }],
  unheard: [{ node: nodeId(3), authorized: true, at: NOW }],
  slotsPublished: [1, 2],
  routesUnheard: [{ at: NOW, routes: [{ target: "172.28.1.0/24", via: null }], slots: [1], seen: [] }],
};
