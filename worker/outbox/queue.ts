// What a change of a lease puts into the outbox. Called within the transaction that makes the change.
import type { Deed } from "../lease/deed.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";

/** ms until the alarm tells the controller about a member, should the call that made the lease not do it. */
const MEMBER_BACKUP_MS = 30_000;
/** ms by which a copy waits for further changes: KV takes one write a second for a key. */
const COPY_DELAY_MS = 1_500;
/** ms by which the routes wait for further leases, and the longest that they wait in all. */
const ROUTES_DELAY_MS = 1_000;
const ROUTES_LONGEST_MS = 15_000;

/** The controller has to hear about the member; whoever made the change delivers it at once. */
export function queueMember(stores: Stores, node: string, now: number): void {
  stores.outbox.put("member", node, now, now + MEMBER_BACKUP_MS);
}

/** The copy in KV has to follow. */
export function queueCopy(stores: Stores, node: string, now: number): void {
  stores.outbox.put("copy", node, now, now + COPY_DELAY_MS);
}

/** The managed routes have to follow: one write for as many leases as come within a short time. */
export function queueRoutes(stores: Stores, now: number): void {
  const first = stores.outbox.get("routes", "")?.createdAt ?? now;
  stores.outbox.put("routes", "", now, Math.min(now + ROUTES_DELAY_MS, first + ROUTES_LONGEST_MS));
}

/** Until when the routes may be held back at most, for a row made then (ms since 1970). */
export function routesLatest(createdAt: number): number {
  return createdAt + ROUTES_LONGEST_MS;
}

/** Whether the controller was ever told of the lease: what it was never told of is left alone there. */
export function wasOffered({ unheard }: Stores, { node, deliveredAt }: StoredNode): boolean {
  return deliveredAt !== null || unheard.of(node).in !== undefined;
}

/**
 * Removes the lease, notes whose deed that was, and queues what follows from it. A slot that no server was ever let in with
 * needs no quarantine.
 */
export function endLease(
  stores: Stores,
  lease: StoredNode,
  now: number,
  how: Pick<Deed, "by" | "why">,
): void {
  const { node, slot } = lease;
  const isOffered = wasOffered(stores, lease);
  if (isOffered) stores.slots.release(slot, node, now);
  stores.nodes.remove(node);
  stores.events.add(now, { ...how, action: "released" }, { ...lease, state: "released" });
  queueCopy(stores, node, now);
  if (isOffered) queueMember(stores, node, now);
  else if (!stores.slots.isRemovalDue(node)) stores.outbox.drop("member", node);
}
