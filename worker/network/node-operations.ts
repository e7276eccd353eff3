// What the operator does to nodes, and a node to itself. Each change is one transaction with its outbox rows,
// then told to the controller at once; when that fails the change stays, and the alarm goes on trying.

import { controllerRefusal } from "../controller/controller-refusal.ts";
import type { NodeId } from "../lease/ids.ts";
import { endLease, queueCopy, queueMember } from "../outbox/queue.ts";
import { followController } from "../reconcile/follow-controller.ts";
import type { StoredNode } from "../store/node-store.ts";
import { type NodeView, nodeView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { type Answer, authorize, type Caller, given, refused, revoked } from "./node-access.ts";

/** Nodes by id, at most `limit`, those after `after`. */
export function listNodes(net: NetworkContext, limit: number, after: string | undefined): NodeView[] {
  return net.stores.nodes.list(limit, after).map((node) => view(net, node));
}

/** One node. */
export function readNode(net: NetworkContext, node: NodeId, caller: Caller): Answer<NodeView> {
  const opened = net.stores.transaction(() => authorize(net, node, caller));
  return opened.ok ? given(view(net, opened.value)) : opened;
}

/** Gives a node another name. */
export function renameNode(net: NetworkContext, node: NodeId, name: string): Promise<Answer<NodeView>> {
  return change(net, node, (known) => {
    const holder = net.stores.nodes.holderOfName(name);
    if (holder !== undefined && holder !== node)
      return refused({ problem: "name-taken", detail: `node ${holder} has the name ${name}` });
    return given({ ...known, name });
  });
}

/** Lets a node in that waits, or back in that was revoked. */
export function approveNode(net: NetworkContext, node: NodeId): Promise<Answer<NodeView>> {
  // Else one that was revoked long ago would be released by time at the next run.
  return change(net, node, (known) =>
    given({ ...known, state: "active", revokedBy: null, seenAt: net.now() }),
  );
}

/** Takes a node out of the mesh; its slot stays its own. */
export function revokeNode(net: NetworkContext, node: NodeId): Promise<Answer<NodeView>> {
  return change(net, node, (known) => given({ ...known, state: "revoked", revokedBy: "operator" }));
}

/**
 * Ends a lease: the slot goes into quarantine, member, route and copy go. A node that was taken out, here or just now
 * at the controller, may not end its own: it would come back with the key that it has.
 */
export async function releaseNode(net: NetworkContext, node: NodeId, caller: Caller): Promise<Answer<true>> {
  if (!caller.admin) {
    const opened = net.stores.transaction(() => authorize(net, node, caller));
    if (!opened.ok) return opened;
    try {
      if (opened.value.state === "active") await followController(net, node);
    } catch (error) {
      return refused(controllerRefusal(error, net.now()));
    }
  }
  const released = net.stores.transaction((): Answer<true> => {
    const opened = authorize(net, node, caller);
    if (!opened.ok) return opened;
    if (!caller.admin && opened.value.state === "revoked") return refused(revoked(node));
    endLease(net.stores, opened.value, net.now());
    // A server that the operator deleted must not come back with a key that it has; one that left may.
    if (caller.admin) net.stores.keys.bar(node);
    return given(true);
  });
  if (released.ok) await net.outbox.deliver("member", node);
  return released;
}

/** A node as the operator sees it. */
export function view(net: NetworkContext, node: StoredNode): NodeView {
  const delivered = net.stores.outbox.get("member", node.node) === undefined;
  return nodeView(net.config, node, delivered, net.now());
}

async function change(
  net: NetworkContext,
  node: NodeId,
  decide: (known: StoredNode) => Answer<StoredNode>,
): Promise<Answer<NodeView>> {
  const changed = net.stores.transaction(() => {
    const opened = authorize(net, node, { admin: true });
    if (!opened.ok) return opened;
    const decided = decide(opened.value);
    if (!decided.ok || isSame(opened.value, decided.value)) return decided;
    net.stores.nodes.put(decided.value);
    if (decided.value.state !== "pending") queueMember(net.stores, node, net.now());
    queueCopy(net.stores, node, net.now());
    return decided;
  });
  if (!changed.ok) return changed;
  await net.outbox.deliver("member", node);
  return given(view(net, net.stores.nodes.get(node) ?? changed.value));
}

function isSame(a: StoredNode, b: StoredNode): boolean {
  return a.name === b.name && a.state === b.state && a.revokedBy === b.revokedBy;
}
