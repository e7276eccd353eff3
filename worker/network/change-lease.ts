// What a change of a node's lease by the operator brings with it. Called within the transaction that makes the change.
import type { Actor, Deed } from "../lease/deed.ts";
import type { Ending } from "../lease/ending.ts";
import { endLease, queueCopy, queueMember, wasOffered } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";

/** The node when the operator has taken it out of the mesh; its slot stays its own. */
export function takenOut(node: StoredNode): StoredNode {
  return { ...node, state: "revoked", revokedBy: "operator", letInAt: null };
}

/** Writes what the node becomes by the deed, if it is not so already, and queues what others have to hear of it. */
export function changeLease(
  stores: Stores,
  before: StoredNode,
  after: StoredNode,
  now: number,
  deed: Deed,
): void {
  const isRetagged = before.tags.join() !== after.tags.join();
  if (isSameMember(before, after) && !isRetagged) return;
  stores.nodes.put(after);
  stores.events.add(now, deed, {
    ...after,
    ...(isRetagged && before.tags.length > 0 && { was: before.tags.join(" ") }),
    ...(before.name !== after.name && { was: before.name }),
  });
  if (concernsMember(stores, before, after)) queueMember(stores, after.node, now);
  queueCopy(stores, after.node, now);
}

/** Ends the lease for good: the server does not come back with a key that it has, and can be told why. */
export function endForGood(stores: Stores, lease: StoredNode, ending: Ending, now: number, by: Actor): void {
  endLease(stores, lease, now, { by, why: ending });
  stores.keys.bar(lease.node);
  stores.formerNodes.add(lease, ending, now);
}

/** Whether the controller is to be told: of all that an active node becomes, and that one is taken out of which it was told. */
function concernsMember(stores: Stores, before: StoredNode, after: StoredNode): boolean {
  if (isSameMember(before, after)) return false;
  if (after.state === "active") return true;
  const isTakenOut = before.state !== after.state || before.revokedBy !== after.revokedBy;
  return isTakenOut && wasOffered(stores, before);
}

/** Whether nothing has changed but what the controller has no part in. */
function isSameMember(a: StoredNode, b: StoredNode): boolean {
  return a.name === b.name && a.state === b.state && a.revokedBy === b.revokedBy && a.letInAt === b.letInAt;
}
