// Puts a snapshot into tables that are empty, in one transaction, as far as the controller does not say otherwise. Nothing is told
// to the controller.
import { errorText } from "../base/log.ts";
import type { NotEmpty, Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { ControllerError, type ControllerNetwork, type MemberList } from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { fit as compareSettings } from "../controller/fit.ts";
import type { Deed, Operator } from "../lease/deed.ts";
import { describePool } from "../lease/pool.ts";
import { noteForeign } from "../outbox/foreign-routes.ts";
import { copyKey, copyOf, type LeaseCopy, readCopies } from "../outbox/lease-copy.ts";
import { queueCopy } from "../outbox/queue.ts";
import { noteMembers } from "../reconcile/address-conflicts.ts";
import { readMembers } from "../reconcile/read-members.ts";
import type { Upkeep } from "../reconcile/upkeep.ts";
import type { RestoredView } from "../schema/backup.ts";
import type { Snapshot, SnapshotNode } from "../store/snapshot-store.ts";
import type { Stores } from "../store/stores.ts";
import { backupNodeSchema, fewOf, parseBackup } from "./backup.ts";
import { faultsOf } from "./check.ts";
import { type Followed, followMembers } from "./follow.ts";

/** What restoring works with. */
export interface Restoring extends Upkeep {
  readonly leases: KVNamespace;
}

/** Who wants it, how it is noted, and whether it is only to be said what would be done. */
export interface How {
  readonly by: Operator;
  readonly action: Extract<Deed["action"], "restored" | "rebuilt">;
  readonly dryRun: boolean;
}

/** The controller as it is, and when it was asked (ms since 1970). */
export interface Look {
  readonly network: ControllerNetwork;
  readonly networkAt: number;
  readonly members: MemberList["members"];
  readonly membersAt: number;
}

/** Restores a backup (UTF-8). */
export async function restoreBackup(
  place: Restoring,
  bytes: Uint8Array,
  how: Omit<How, "action">,
): Promise<Result<RestoredView, Refusal>> {
  const { config, stores, now } = place;
  const read = parseBackup(bytes);
  if (!read.ok) return err({ problem: "backup-unfit", faults: read.error });
  const { networkId: network, pool } = config;
  const faults = faultsOf(read.value, { network, pool, settings: describePool(pool), now: now() });
  if (faults.length > 0) return err({ problem: "backup-unfit", faults: fewOf(faults) });
  const occupied = occupiedBy(stores);
  if (occupied !== undefined && !how.dryRun) return err({ problem: "not-empty", ...occupied });
  const look = await lookAt(place);
  if (!look.ok) return look;
  const { format: _f, version: _v, network: _n, pool: _p, madeAt, ...snapshot } = read.value;
  return putBack(place, { ...snapshot, madeAt }, look.value, { ...how, action: "restored" });
}

/** What is here that must not be overwritten, or is to be told to the controller of before. */
export function occupiedBy({ slots, keys, reservations, outbox }: Stores): NotEmpty | undefined {
  const there = {
    leases: slots.holders().count(),
    keys: keys.count(),
    reservations: reservations.count(),
    waiting: outbox.count("member") + outbox.count("routes"),
  };
  return Object.values(there).every((count) => count === 0) ? undefined : there;
}

/**
 * Reads the network and its members, and writes nothing there. Refuses while a member cannot be read: what it has is known nowhere, and
 * would be leased to another.
 */
export async function lookAt(place: Upkeep): Promise<Result<Look, Refusal>> {
  try {
    const { network, readAt: networkAt } = await place.writer.change(() => undefined);
    const { list, readAt: membersAt } = await readMembers(place);
    const { members, unread } = list;
    if (unread.length === 0) return ok({ network, networkAt, members, membersAt });
    const faults = [
      `The entries of these members cannot be read: ${fewOf(unread).join(", ")}. Ask again; if that does not help, delete them in the controller.`,
    ];
    return err({ problem: "network-unfit", networkId: place.config.networkId, faults });
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    return err(controllerRefusal(error, place.now()));
  }
}

/** Stores the snapshot as the controller has it. `madeAt`: ms since 1970; null when it is no backup. */
export async function putBack(
  place: Restoring,
  { madeAt, ...snapshot }: Snapshot & { readonly madeAt: number | null },
  look: Look,
  how: How,
): Promise<Result<RestoredView, Refusal>> {
  const { config, stores } = place;
  const { pool } = config;
  const followed = followMembers(snapshot, look.members, pool, look.membersAt);
  const view = viewOf(place, followed, look, madeAt);
  if (how.dryRun) return ok({ ...view, dryRun: true, inTheWay: occupiedBy(stores) ?? null });
  const copies = await copiesOf(place, followed.snapshot.nodes);
  const nodes = followed.snapshot.nodes.map((node) => withNewerTokens(node, copies.get(copyKey(node.node))));
  return stores.transaction(() => {
    const occupied = occupiedBy(stores);
    if (occupied !== undefined) return err({ problem: "not-empty", ...occupied });
    write(place, { ...followed.snapshot, nodes }, look, copies, how);
    // The copies of those that are left out go: what they say is of a lease that is none.
    for (const { node, state } of followed.differences)
      if (state === null) queueCopy(stores, node, place.now());
    return ok(view);
  });
}

/** The copies that KV has of the nodes' leases; none when it does not answer. */
async function copiesOf(
  { leases, log }: Restoring,
  nodes: readonly SnapshotNode[],
): Promise<ReadonlyMap<string, LeaseCopy | undefined>> {
  try {
    return await readCopies(
      leases,
      nodes.map(({ node }) => copyKey(node)),
    );
  } catch (error) {
    log("copies-unread", { error: errorText(error) });
    return new Map();
  }
}

/** The node with the tokens of its copy, where that was written after the server was last seen by the backup: those before are good no more. */
function withNewerTokens(node: SnapshotNode, copy: LeaseCopy | undefined): SnapshotNode {
  const read =
    copy === undefined ? undefined : backupNodeSchema.shape.tokenHashes.safeParse(copy.tokenHashes);
  if (copy?.slot !== node.slot || copy.seenAt <= node.seenAt || read?.success !== true) return node;
  return { ...node, tokenHashes: read.data };
}

/** Within a transaction. */
function write(
  place: Restoring,
  snapshot: Snapshot,
  { network, networkAt, members, membersAt }: Look,
  copies: ReadonlyMap<string, LeaseCopy | undefined>,
  { by, action }: How,
): void {
  const { config, stores, now } = place;
  stores.snapshot.write(snapshot);
  // What was found belongs to others as far as it is not what was just restored.
  noteForeign(place, network.routes, networkAt);
  noteMembers(place, { members, unread: [] }, membersAt);
  const { change, faults } = compareSettings(network, config.pool);
  // From here on the pool is the one in use. The network is made fit before the next lease.
  stores.memory.setFitness({
    at: change === undefined ? networkAt : 0,
    pool: describePool(config.pool),
    faults,
  });
  stores.memory.setRestoredAt(now());
  stores.events.add(now(), { by, action });
  // As few as can be: the free plan has 1,000 KV writes a day.
  for (const node of snapshot.nodes)
    if (!isSameCopy(copies.get(copyKey(node.node)), copyOf(config, node)))
      queueCopy(stores, node.node, now());
}

/** But for when the node was last seen, which no copy is written for. */
function isSameCopy(there: LeaseCopy | undefined, wanted: LeaseCopy): boolean {
  return (
    there !== undefined && JSON.stringify({ ...there, seenAt: wanted.seenAt }) === JSON.stringify(wanted)
  );
}

/** What is said of it once it is done. */
function viewOf(
  { config }: Restoring,
  { snapshot, differences, strangers }: Followed,
  { network }: Look,
  madeAt: number | null,
): RestoredView {
  const { nodes, keys, reservations, released } = snapshot;
  return {
    dryRun: false,
    inTheWay: null,
    madeAt: madeAt === null ? null : new Date(madeAt).toISOString(),
    restored: {
      nodes: nodes.length,
      keys: keys.length,
      reservations: reservations.length,
      quarantined: released.length,
    },
    differences: [...differences],
    strangers: [...strangers],
    faults: [...compareSettings(network, config.pool).faults],
  };
}
