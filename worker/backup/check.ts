// What must be so of a backup before any of it is stored. Each fault says what is wrong, and where.
import { isLeasable, type Pool, type PoolSettings } from "../lease/pool.ts";
import type { Snapshot, SnapshotNode } from "../store/snapshot-store.ts";
import { type Backup, isEmpty } from "./backup.ts";

/** ms by which one machine's clock may be ahead of another's. */
const SKEW_MS = 15 * 60_000;

/** What a backup is to be restored into. */
export interface Place {
  readonly network: string;
  readonly pool: Pool;
  /** As the operator writes it. */
  readonly settings: PoolSettings;
  /** ms since 1970. */
  readonly now: number;
}

/** Why the backup cannot be restored there; none when it can. */
export function faultsOf(backup: Backup, place: Place): string[] {
  const { network, pool, madeAt } = backup;
  return [
    ...(network === place.network
      ? []
      : [
          `it is of the network ${network}, and this Worker serves ${place.network}: set ZEROTIER_NETWORK to ${network}`,
        ]),
    ...poolFaults(pool, place.settings, "it is"),
    ...(madeAt > place.now + SKEW_MS
      ? [`it was made at ${show(madeAt)}, which is to come: is a clock wrong?`]
      : []),
    ...(isEmpty(backup) ? ["it has neither lease nor key nor reservation: take another one"] : []),
    ...outOfPool(backup, place.pool),
    ...twice(backup),
    ...ofNodes(backup.nodes),
    ...ofReservations(backup),
    ...ofKeys(backup),
    ...ofTimes(backup),
  ];
}

/** Another pool gives every server other addresses. `whose`: of what is said to be of the pool. */
export function poolFaults(pool: PoolSettings, settings: PoolSettings, whose: string): string[] {
  if (write(pool) === write(settings)) return [];
  return [
    `${whose} of a pool of ${write(pool)}, and this Worker has ${write(settings)}, which would give every server other addresses: set these three as they were`,
  ];
}

function write({ zerotier, docker, nodePrefix }: PoolSettings): string {
  return `ZEROTIER_RANGE ${zerotier}, DOCKER_POOL ${docker}, NODE_PREFIX ${nodePrefix}`;
}

function outOfPool(
  { nodes, released, reservations, slotsPublished, routesUnheard }: Snapshot,
  pool: Pool,
): string[] {
  const routed = [...slotsPublished, ...routesUnheard.flatMap(({ slots }) => slots)];
  return [
    ...routed.map((slot) => ({ whose: "to which a route is said to lead", slot })),
    ...nodes.map(({ node, slot }) => ({ whose: `of node ${node}`, slot })),
    ...reservations.map(({ name, slot }) => ({ whose: `reserved for ${name}`, slot })),
    ...released.map(({ node, slot }) => ({ whose: `released by ${node}`, slot })),
  ].flatMap(({ whose, slot }) =>
    isLeasable(pool, slot) ? [] : [`slot ${slot}, ${whose}, is outside the pool`],
  );
}

function twice(backup: Snapshot): string[] {
  const { nodes, released, reservations, keys, admissions, formerNodes, nameNumbers } = backup;
  const texts = (what: string, all: readonly (string | number)[]): string[] => {
    const seen = new Set<string | number>();
    return all.flatMap((one) => {
      if (seen.has(one)) return [`${what} ${one} is there twice`];
      seen.add(one);
      return [];
    });
  };
  return [
    ...texts(
      "node",
      nodes.map(({ node }) => node),
    ),
    ...bothHave("slot", nodes, ({ slot }) => slot),
    ...bothHave("name", nodes, ({ name }) => name),
    ...texts(
      "the reservation of",
      reservations.map(({ name }) => name),
    ),
    ...texts(
      "the reservation of slot",
      reservations.map(({ slot }) => slot),
    ),
    ...texts(
      "released slot",
      released.map(({ slot }) => slot),
    ),
    ...texts(
      "key",
      keys.map(({ id }) => id),
    ),
    ...texts(
      "the hash of key",
      keys.map(({ hash }) => hash),
    ),
    ...texts(
      "the admission",
      admissions.map(({ key, node }) => `of ${node} by key ${key}`),
    ),
    ...texts(
      "former node",
      formerNodes.map(({ node }) => node),
    ),
    ...texts(
      "the next number of",
      nameNumbers.map(({ name }) => name),
    ),
    ...texts(
      "Idempotency-Key",
      backup.idempotencyKeys.map(({ idempotencyKey }) => idempotencyKey),
    ),
    ...texts("the route to slot", backup.slotsPublished),
    ...texts(
      "the token hash",
      nodes.flatMap(({ tokenHashes }) => tokenHashes),
    ),
  ];
}

function bothHave(
  what: string,
  nodes: readonly SnapshotNode[],
  of: (node: SnapshotNode) => string | number,
): string[] {
  return [...Map.groupBy(nodes, of)].flatMap(([value, holders]) =>
    holders.length === 1
      ? []
      : [`${holders.map(({ node }) => node).join(" and ")} both have the ${what} ${value}`],
  );
}

function ofNodes(nodes: readonly SnapshotNode[]): string[] {
  return nodes.flatMap(({ node, state, revokedBy, identity }) => [
    ...((state === "revoked") === (revokedBy !== null)
      ? []
      : [`node ${node} is ${state}, and revokedBy says ${revokedBy ?? "nobody"}`]),
    ...(identity === null || identity.startsWith(`${node}:`)
      ? []
      : [`the identity of node ${node} is that of ${identity.slice(0, 10)}`]),
  ]);
}

/** A reserved name and its slot belong together, and no node has one of them alone. */
function ofReservations({ nodes, reservations }: Snapshot): string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const bySlot = new Map(nodes.map((node) => [node.slot, node]));
  return reservations.flatMap(({ name, slot }) => {
    const called = byName.get(name);
    const holder = bySlot.get(slot);
    const reserved = `${name} is reserved with slot ${slot}`;
    return [
      ...(called === undefined || called.slot === slot
        ? []
        : [`${reserved}, and node ${called.node} is called so with slot ${called.slot}`]),
      ...(holder === undefined || holder.name === name
        ? []
        : [`${reserved}, and node ${holder.node}, which has that slot, is called ${holder.name}`]),
    ];
  });
}

function ofKeys({ keys, admissions, reservations }: Snapshot): string[] {
  const ids = new Set(keys.map(({ id }) => id));
  const reserved = new Set(reservations.map(({ slot }) => slot));
  return [
    ...keys.flatMap(({ id, reservedSlot, takesOver }) => [
      ...(reservedSlot === null || reserved.has(reservedSlot)
        ? []
        : [`key ${id} is for slot ${reservedSlot}, which is not reserved`]),
      ...(takesOver === null || reservedSlot !== null
        ? []
        : [`key ${id} takes over from ${takesOver}, and is for no reserved slot`]),
    ]),
    ...admissions.flatMap(({ key, node }) =>
      ids.has(key) ? [] : [`${node} was let in by key ${key}, which is not there`],
    ),
  ];
}

function ofTimes({ madeAt, nodes, released, reservations, keys, formerNodes, unheard }: Backup): string[] {
  const times: { readonly what: string; readonly at: number | null }[] = [
    ...nodes.flatMap(({ node, leasedAt, seenAt, deliveredAt, letInAt }) => [
      { what: `node ${node} was leased its slot`, at: leasedAt },
      { what: `node ${node} was seen`, at: seenAt },
      { what: `node ${node} was delivered`, at: deliveredAt },
      { what: `node ${node} was let in`, at: letInAt },
    ]),
    ...released.map(({ slot, releasedAt }) => ({ what: `slot ${slot} was released`, at: releasedAt })),
    ...reservations.map(({ name, createdAt }) => ({ what: `${name} was reserved`, at: createdAt })),
    ...keys.flatMap(({ id, createdAt, lastUsedAt, revokedAt }) => [
      { what: `key ${id} was made`, at: createdAt },
      { what: `key ${id} was used`, at: lastUsedAt },
      { what: `key ${id} was taken back`, at: revokedAt },
    ]),
    ...formerNodes.map(({ node, endedAt }) => ({ what: `the lease of ${node} ended`, at: endedAt })),
    ...unheard.map(({ node, at }) => ({ what: `a write of ${node} left`, at })),
  ];
  return [
    ...times.flatMap(({ what, at }) =>
      at !== null && at > madeAt + SKEW_MS ? [`${what} at ${show(at)}, after the backup was made`] : [],
    ),
    ...released.flatMap(({ slot, releasedAt, freeAt }) =>
      freeAt !== null && freeAt < releasedAt
        ? [`the quarantine of slot ${slot} ends at ${show(freeAt)}, before it was released`]
        : [],
    ),
    ...keys.flatMap(({ id, createdAt, expiresAt }) =>
      expiresAt < createdAt ? [`key ${id} expired before it was made`] : [],
    ),
  ];
}

function show(at: number): string {
  return at <= 8.64e15 ? new Date(at).toISOString() : String(at);
}
