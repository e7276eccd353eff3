// What the operator decides on a member at the controller counts: deauthorized there, a node is revoked here, and
// authorized there again it is back. What he decided here, by approve and revoke, counts more, and what a write of ours
// may have done is nobody's decision.
import type { ControllerMember } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy, queueMember, queueRoutes } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { explains, type Unheard } from "../store/unheard-store.ts";
import { hasItsAddresses } from "./member-difference.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * Whether the controller was told nothing of the node since then (ms since 1970), and is to be told nothing: so any
 * difference that it shows was decided there.
 */
export function isSettled({ outbox }: Stores, { node, deliveredAt }: StoredNode, since: number): boolean {
  return outbox.get("member", node) === undefined && (deliveredAt ?? 0) < since;
}

/** The state that the operator gave the node at the controller; undefined when he decided nothing there. */
export function decidedThere(
  lease: StoredNode,
  member: ControllerMember,
  unheard: Unheard,
): "active" | "revoked" | undefined {
  if (lease.state === "active") return isTakenOut(lease, member, unheard) ? "revoked" : undefined;
  if (lease.state !== "revoked" || lease.revokedBy !== "controller" || !member.authorized) return undefined;
  return explains(unheard.in, member.authorizedAt) ? undefined : "active";
}

/**
 * A deauthorization counts when it is newer than what we know of and than the last word here. A member that never was
 * deauthorized was deleted, and made anew when its server asked.
 */
function isTakenOut(
  { deauthorizedAt: known, letInAt }: StoredNode,
  { authorized, deauthorizedAt }: ControllerMember,
  unheard: Unheard,
): boolean {
  if (authorized || explains(unheard.out, deauthorizedAt)) return false;
  if (deauthorizedAt === undefined) return letInAt === null;
  return deauthorizedAt > Math.max(known ?? 0, letInAt ?? 0);
}

/**
 * Takes over what the operator decided on the node at the controller, by a read of this one member: a list of all may
 * be older than what it was told meanwhile. Queues the member when it is not as it should be. Rejects when the controller
 * cannot be read.
 */
export async function followController(upkeep: Upkeep, id: NodeId): Promise<void> {
  const { stores, config, members, now } = upkeep;
  const began = now();
  const member = await members.read(id);
  stores.transaction(() => {
    const node = stores.nodes.get(id);
    if (node === undefined || !isSettled(stores, node, began)) return;
    const state = member && decidedThere(node, member, stores.unheard.of(id));
    if (member !== undefined && state !== undefined) return takeOver(upkeep, node, member, state);
    // Whatever else he changed there, the name among it, is his.
    const isIn = member?.authorized === true && hasItsAddresses(config, node, member);
    if (node.state === "active" && !isIn) queueMember(stores, id, now());
  });
}

/** Within a transaction: the node's state becomes what the operator decided at the controller. */
export function takeOver(
  upkeep: Upkeep,
  node: StoredNode,
  member: ControllerMember,
  state: "active" | "revoked",
): void {
  const { stores, log, now } = upkeep;
  const { node: id, name, slot } = node;
  const isIn = state === "active";
  log(`${isIn ? "authorized" : "revoked"}-at-controller`, { node: id, name, slot });
  const taken: StoredNode = {
    ...node,
    state,
    revokedBy: isIn ? null : "controller",
    letInAt: null,
    deauthorizedAt: member.deauthorizedAt ?? node.deauthorizedAt,
    // Seen now: a node that was out for long would otherwise be released by time at once.
    ...(isIn && { seenAt: now() }),
  };
  stores.nodes.put(taken);
  stores.events.add(
    now(),
    isIn
      ? { by: { who: "controller" }, action: "approved", why: "authorized-at-controller" }
      : { by: { who: "controller" }, action: "revoked", why: "deauthorized-at-controller" },
    taken,
  );
  // With another address it would be active, and cut off until the next run; and its name may be of before.
  if (isIn) queueMember(stores, id, now());
  queueCopy(stores, id, now());
  queueRoutes(stores, now());
}
