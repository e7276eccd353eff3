// What the operator does to nodes, and a node to itself. Each change is one transaction with its outbox rows,
// then told to the controller at once; when that fails the change stays, and the alarm goes on trying.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import type { Deed, Operator } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import { endLease } from "../outbox/queue.ts";
import { followController } from "../reconcile/follow-controller.ts";
import type { NodeView } from "../schema/lease.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { changeLease, endForGood, takenOut } from "./change-lease.ts";
import { noteEnrolled } from "./first-boots.ts";
import { nodeView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize, type Caller } from "./node-access.ts";
import { dropReservationOf } from "./reservation-operations.ts";

export function readNode(net: NetworkContext, node: NodeId, caller: Caller): Result<NodeView, Refusal> {
  const known = net.stores.transaction(() => authorize(net.stores, node, caller, net.now()));
  return known.ok ? ok(nodeViewOf(net, known.value)) : known;
}

export function renameNode(
  net: NetworkContext,
  node: NodeId,
  name: string,
  by: Operator,
): Promise<Result<NodeView, Refusal>> {
  return changeNode(net, node, { by, action: "renamed" }, (known) => {
    const holder = net.stores.names.holder(name);
    if (holder !== undefined && holder !== node) return err({ problem: "name-taken", name, holder });
    const { reservations } = net.stores;
    const reservation = reservations.byName(name);
    if (reservation !== undefined && reservation.slot !== known.slot)
      return err({ problem: "name-reserved", ...reservation });
    reservations.rename(known.slot, name);
    return ok({ ...known, name });
  });
}

/** Lets a node in that waits, or back in that was revoked. */
export function approveNode(
  net: NetworkContext,
  node: NodeId,
  by: Operator,
): Promise<Result<NodeView, Refusal>> {
  return changeNode(net, node, { by, action: "approved" }, (known) => {
    // Seen now: one that was revoked long ago would otherwise be released by time at the next run.
    noteEnrolled(net.stores, { ...known, state: "active" }, net.now());
    const seenAt = known.state === "active" ? known.seenAt : net.now();
    return ok({
      ...known,
      keyId: keyAfterApproval(net, known),
      state: "active",
      revokedBy: null,
      seenAt,
      letInAt: net.now(),
    });
  });
}

/** Whom the operator lets in again although its key was taken back has come in by his word, and goes with that key no more. */
function keyAfterApproval({ stores }: NetworkContext, { state, keyId }: StoredNode): string | null {
  if (keyId === null || state !== "revoked") return keyId;
  return stores.keys.byId(keyId)?.revokedAt === null ? keyId : null;
}

/** Takes a node out of the mesh; its slot stays its own. */
export function revokeNode(
  net: NetworkContext,
  node: NodeId,
  by: Operator,
): Promise<Result<NodeView, Refusal>> {
  return changeNode(net, node, { by, action: "revoked" }, (known) => ok(takenOut(known)));
}

/**
 * Ends a lease: the slot goes into quarantine, member, route and copy go. A node that was taken out, here or just now
 * at the controller, may not end its own: it would come back with the key that it has.
 */
export async function releaseNode(
  net: NetworkContext,
  node: NodeId,
  caller: Caller,
): Promise<Result<true, Refusal>> {
  const { stores, now } = net;
  let asked: StoredNode | undefined;
  if (!caller.admin) {
    const known = stores.transaction(() => authorize(stores, node, caller, now()));
    if (!known.ok) return known;
    asked = known.value;
    try {
      if (asked.state === "active") await followController(net, node);
    } catch (error) {
      return err(controllerRefusal(error, now()));
    }
  }
  const released = stores.transaction((): Result<true, Refusal> => {
    const known = authorize(stores, node, caller, now());
    if (!known.ok) return known;
    // Enrolled while the controller was asked, it was told that it is in.
    if (asked !== undefined && !hasSameTokens(asked, known.value))
      return err({ problem: "changed-meanwhile" });
    if (!caller.admin && known.value.state === "revoked")
      return err({ problem: "revoked", reason: "taken-out", node });
    // A server that the operator deleted must not come back with a key that it has; one that left may.
    if (caller.admin) deleteForGood(stores, known.value, now(), caller.by);
    else endLease(stores, known.value, now(), { by: { who: "node", id: node } });
    return ok(true);
  });
  if (released.ok) await net.outbox.deliver("member", node);
  return released;
}

/** Within a transaction: the operator gives up the lease, with name and slot. Who only asks for a reserved name has not got it yet. */
function deleteForGood(stores: Stores, lease: StoredNode, now: number, by: Operator): void {
  endForGood(stores, lease, "deleted", now, by);
  if (lease.state !== "pending") dropReservationOf(stores, lease.slot, now, by);
}

export function nodeViewOf(net: NetworkContext, node: StoredNode): NodeView {
  const delivered = !isUntold(node) && net.stores.outbox.get("member", node.node) === undefined;
  return nodeView(net.config, node, delivered, net.now());
}

async function changeNode(
  net: NetworkContext,
  node: NodeId,
  deed: Deed & { readonly by: Operator },
  decide: (known: StoredNode) => Result<StoredNode, Refusal>,
): Promise<Result<NodeView, Refusal>> {
  const { stores, now } = net;
  const changed = stores.transaction(() => {
    const known = authorize(stores, node, { admin: true, by: deed.by }, now());
    if (!known.ok) return known;
    const decided = decide(known.value);
    if (decided.ok) changeLease(stores, known.value, decided.value, now(), deed);
    return decided;
  });
  if (!changed.ok) return changed;
  await net.outbox.deliver("member", node);
  return ok(nodeViewOf(net, stores.nodes.get(node) ?? changed.value));
}

function hasSameTokens(a: StoredNode, b: StoredNode): boolean {
  return (
    a.tokenHashes.length === b.tokenHashes.length &&
    a.tokenHashes.every((hash, at) => hash === b.tokenHashes[at])
  );
}
