// A lease without a proof: the operator names the node. For servers without an agent (Terraform, Ansible, curl).
import type { Refusal } from "../base/problem.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { mayTake, type ReleasedSlot } from "../lease/choose-slot.ts";
import type { NodeId } from "../lease/ids.ts";
import { uniqueName } from "../lease/name.ts";
import { isLeasable } from "../lease/pool.ts";
import { queueCopy, queueMember } from "../outbox/queue.ts";
import { newNode, type StoredNode } from "../store/node-store.ts";
import { exhausted, takeSlot } from "./enrolment.ts";
import type { NodeView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { type Answer, given, refused } from "./node-access.ts";
import { view } from "./node-operations.ts";

/** What the operator wants; what is left out is chosen or stays. */
export interface Assignment {
  readonly node: NodeId;
  readonly name: string | undefined;
  readonly slot: number | undefined;
  readonly machineId: string | undefined;
}

/** Leases a slot to the node, or changes the lease that it has. */
export async function assignNode(
  net: NetworkContext,
  wanted: Assignment,
): Promise<Answer<{ readonly view: NodeView; readonly created: boolean }>> {
  if (net.stores.nodes.get(wanted.node) === undefined) {
    const notReady = await net.readiness.refusal();
    if (notReady !== undefined) return refused(notReady);
  }
  const assigned = net.stores.transaction(() => assign(net, wanted));
  if (!assigned.ok) return assigned;
  const { node, created } = assigned.value;
  const delivered = await net.outbox.deliver("member", wanted.node);
  if (!delivered.ok) return refused(controllerRefusal(delivered.error, net.now()));
  return given({ view: view(net, net.stores.nodes.get(wanted.node) ?? node), created });
}

function assign(net: NetworkContext, wanted: Assignment): Answer<{ node: StoredNode; created: boolean }> {
  const { nodes } = net.stores;
  const now = net.now();
  const known = nodes.get(wanted.node);
  const holder = wanted.name === undefined ? undefined : nodes.holderOfName(wanted.name);
  if (holder !== undefined && holder !== wanted.node)
    return refused({ problem: "name-taken", detail: `node ${holder} has the name ${wanted.name}` });
  const slot =
    known === undefined ? chooseSlot(net, wanted.node, wanted.slot, now) : keepSlot(known, wanted.slot);
  if (typeof slot !== "number") return refused(slot);
  const byDefault = `node-${wanted.node}`;
  const name =
    wanted.name ?? known?.name ?? uniqueName(byDefault, (taken) => nodes.holderOfName(taken) !== undefined);
  const node: StoredNode = {
    ...(known ?? newNode({ node: wanted.node, name, slot, state: "active" }, now)),
    name,
    machineId: wanted.machineId ?? known?.machineId ?? null,
    seenAt: now,
  };
  nodes.put(node);
  if (known !== undefined && known.name === node.name && known.machineId === node.machineId)
    return given({ node, created: false });
  if (node.state !== "pending" && node.name !== known?.name) queueMember(net.stores, node.node, now);
  queueCopy(net.stores, node.node, now);
  return given({ node, created: known === undefined });
}

function chooseSlot(
  net: NetworkContext,
  node: NodeId,
  wanted: number | undefined,
  now: number,
): number | Refusal {
  const { nodes, slots } = net.stores;
  const { pool } = net.config;
  if (wanted === undefined) return takeSlot(net.stores, pool, node, now) ?? exhausted();
  const refuse = (why: string): Refusal => ({ problem: "slot-taken", detail: `slot ${wanted} ${why}` });
  if (!isLeasable(pool, wanted)) return refuse("is outside the pool");
  if (nodes.slots().has(wanted)) return refuse("is leased to another node");
  const released = slots.released().find(({ slot }) => slot === wanted);
  if (released !== undefined && !mayTake(released, node, now)) return refuse(whyHeld(released));
  if (slots.excluded().has(wanted))
    return refuse("is excluded: a route or an address in the ZeroTier network that is not ours is in it");
  slots.take(wanted);
  return wanted;
}

function whyHeld({ node, freeAt }: ReleasedSlot): string {
  return freeAt === undefined
    ? `is still node ${node}'s at the ZeroTier controller, which has not taken its removal yet`
    : `is in quarantine until ${new Date(freeAt).toISOString()}`;
}

function keepSlot(known: StoredNode, wanted: number | undefined): number | Refusal {
  if (wanted === undefined || wanted === known.slot) return known.slot;
  return {
    problem: "slot-taken",
    detail: `node ${known.node} holds slot ${known.slot}, which never changes; delete the node first to lease it slot ${wanted}`,
  };
}
