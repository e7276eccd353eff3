// What the operator does to nodes, and a node to itself. Each change is one transaction with its outbox rows,
// then told to the controller at once; when that fails the change stays, and the alarm goes on trying.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import type { Deed, Operator } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import { endLease } from "../outbox/queue.ts";
import { followController } from "../reconcile/follow-controller.ts";
import type { NodeChange } from "../schema/assignment.ts";
import type { NodeDetail, NodeView } from "../schema/lease.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { changeLease, endForGood, takenOut } from "./change-lease.ts";
import { noteEnrolled } from "./first-boots.ts";
import { nodeView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize, type Caller } from "./node-access.ts";
import { dropReservationOf } from "./reservation-operations.ts";

export function readNode(net: NetworkContext, node: NodeId, caller: Caller): Result<NodeDetail, Refusal> {
  const known = net.stores.transaction(() => authorize(net.stores, node, caller, net.now()));
  return known.ok ? ok({ ...nodeViewOf(net, known.value), findings: known.value.findings }) : known;
}

/** Gives a node another name or other tags; what is left out stays. */
export async function editNode(
  net: NetworkContext,
  node: NodeId,
  { name, tags }: NodeChange,
  by: Operator,
): Promise<Result<NodeView, Refusal>> {
  const { stores, now } = net;
  const edited = stores.transaction(() => {
    const known = authorize(stores, node, { admin: true, by }, now());
    if (!known.ok) return known;
    const named = name === undefined ? known : rename(stores, known.value, name, now(), by);
    if (!named.ok || tags === undefined) return named;
    return ok(retag(stores, named.value, tags, now(), by));
  });
  if (!edited.ok) return edited;
  await net.outbox.deliver("member", node);
  return ok(nodeViewOf(net, stores.nodes.get(node) ?? edited.value));
}

function rename(
  stores: Stores,
  known: StoredNode,
  name: string,
  now: number,
  by: Operator,
): Result<StoredNode, Refusal> {
  const { names, reservations } = stores;
  const holder = names.holder(name);
  if (holder !== undefined && holder !== known.node) return err({ problem: "name-taken", name, holder });
  const reservation = reservations.byName(name);
  if (reservation !== undefined && reservation.slot !== known.slot)
    return err({ problem: "name-reserved", ...reservation });
  reservations.rename(known.slot, name);
  const named = { ...known, name };
  changeLease(stores, known, named, now, { by, action: "renamed" });
  return ok(named);
}

/** Within a transaction: the node with those tags, and no others. */
export function retag(
  stores: Stores,
  known: StoredNode,
  tags: readonly string[],
  now: number,
  by: Operator,
): StoredNode {
  const tagged = { ...known, tags };
  changeLease(stores, known, tagged, now, { by, action: "tagged" });
  return tagged;
}

/** Lets a node in that waits, or back in that was revoked. */
export function approveNode(
  net: NetworkContext,
  node: NodeId,
  by: Operator,
): Promise<Result<NodeView, Refusal>> {
  return changeNode(net, node, { by, action: "approved" }, (known) => letIn(net, known));
}

/** The node when the operator has let it in. Within a transaction: its first boot is so far, too. */
export function letIn(net: NetworkContext, known: StoredNode): StoredNode {
  noteEnrolled(net.stores, { ...known, state: "active" }, net.now());
  return {
    ...known,
    keyId: keyAfterApproval(net, known),
    state: "active",
    revokedBy: null,
    // Seen now: one that was revoked long ago would otherwise be released by time at the next run.
    seenAt: known.state === "active" ? known.seenAt : net.now(),
    letInAt: net.now(),
  };
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
  return changeNode(net, node, { by, action: "revoked" }, takenOut);
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
export function deleteForGood(stores: Stores, lease: StoredNode, now: number, by: Operator): void {
  endForGood(stores, lease, "deleted", now, by);
  if (lease.state !== "pending") dropReservationOf(stores, lease.slot, now, by);
}

export function nodeViewOf(net: NetworkContext, node: StoredNode): NodeView {
  return nodeView(net.config, node, isDelivered(net.stores, node.node, node), net.now());
}

/** Whether the controller has taken all that it is to hear of the node; `known`: the node, while it has a lease. */
export function isDelivered({ outbox }: Stores, id: string, known: StoredNode | undefined): boolean {
  return (known === undefined || !isUntold(known)) && outbox.get("member", id) === undefined;
}

async function changeNode(
  net: NetworkContext,
  node: NodeId,
  deed: Deed & { readonly by: Operator },
  become: (known: StoredNode) => StoredNode,
): Promise<Result<NodeView, Refusal>> {
  const { stores, now } = net;
  const changed = stores.transaction(() => {
    const known = authorize(stores, node, { admin: true, by: deed.by }, now());
    if (!known.ok) return known;
    const changed = become(known.value);
    changeLease(stores, known.value, changed, now(), deed);
    return ok(changed);
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
