// A lease without a proof: the operator names the node. For servers without an agent (Terraform, Ansible, curl).
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy, queueMember } from "../outbox/queue.ts";
import { takeSlot, takeWantedSlot } from "../reconcile/take-slot.ts";
import type { NodeView } from "../schema/lease.ts";
import type { Reservation } from "../store/reservation-store.ts";
import { newNode, type StoredNode } from "../store/stored-node.ts";
import { lookFirst } from "./look-first.ts";
import type { NetworkContext } from "./network-context.ts";
import { nodeViewOf } from "./node-operations.ts";
import { takeReserved } from "./take-reserved.ts";
import { tellController } from "./tell-controller.ts";

/** What the operator wants; what is left out is chosen or stays. */
export interface Assignment {
  readonly node: NodeId;
  readonly name: string | undefined;
  readonly slot: number | undefined;
  readonly machineId: string | undefined;
}

/** A node, and whether its lease was made just now. */
export interface Assigned<Node> {
  readonly node: Node;
  readonly created: boolean;
}

/** Leases a slot to the node, or changes the lease that it has. */
export async function assignNode(
  net: NetworkContext,
  wanted: Assignment,
  by: Operator,
): Promise<Result<Assigned<NodeView>, Refusal>> {
  const { stores } = net;
  const notReady = await lookFirst(net, wanted.node);
  if (notReady !== undefined) return err(notReady);
  const assigned = stores.transaction(() => assign(net, wanted, by));
  if (!assigned.ok) return assigned;
  const { node, created } = assigned.value;
  const told = await tellController(net, wanted.node);
  return told.ok ? ok({ node: nodeViewOf(net, told.value ?? node), created }) : told;
}

function assign(
  net: NetworkContext,
  wanted: Assignment,
  by: Operator,
): Result<Assigned<StoredNode>, Refusal> {
  const { stores } = net;
  const { nodes, names, reservations } = stores;
  const now = net.now();
  const known = nodes.get(wanted.node);
  const holder = wanted.name === undefined ? undefined : names.holder(wanted.name);
  if (wanted.name !== undefined && holder !== undefined && holder !== wanted.node)
    return err({ problem: "name-taken", name: wanted.name, holder });
  const reservation = wanted.name === undefined ? undefined : reservations.byName(wanted.name);
  const slot = slotForOperator(net, known, reservation, wanted, now, by);
  if (!slot.ok) return slot;
  if (reservation !== undefined && reservation.slot !== slot.value)
    return err({ problem: "name-reserved", ...reservation });
  const name = wanted.name ?? known?.name ?? names.choose(`node-${wanted.node}`);
  reservations.rename(slot.value, name);
  const node: StoredNode = {
    ...(known ?? newNode({ node: wanted.node, name, slot: slot.value, state: "active" }, now)),
    name,
    machineId: wanted.machineId ?? known?.machineId ?? null,
    // Of a server without an agent nothing else is heard.
    seenAt: known === undefined || known.identity === null ? now : known.seenAt,
  };
  nodes.put(node);
  noteAssignment(net, known, node, by);
  // The operator has deleted it, and lets it in again.
  if (known === undefined) {
    stores.keys.unbar(node.node);
    stores.formerNodes.remove(node.node);
  }
  if (known !== undefined && known.name === node.name && known.machineId === node.machineId)
    return ok({ node, created: false });
  if (node.state !== "pending" && node.name !== known?.name) queueMember(stores, node.node, now);
  queueCopy(stores, node.node, now);
  return ok({ node, created: known === undefined });
}

/** One that changes nothing, and only says that the server is alive, is not noted. */
function noteAssignment(
  { stores: { events }, now }: NetworkContext,
  known: StoredNode | undefined,
  node: StoredNode,
  by: Operator,
): void {
  if (known === undefined) events.add(now(), { by, action: "assigned" }, node);
  else if (known.name !== node.name)
    events.add(now(), { by, action: "renamed" }, { ...node, was: known.name });
  if (known !== undefined && known.machineId !== node.machineId)
    events.add(now(), { by, action: "assigned", why: "machine-named" }, node);
}

/** The slot that the node has, or takes: the one that is reserved for its name or wanted, if any. */
function slotForOperator(
  { stores, config: { pool } }: NetworkContext,
  known: StoredNode | undefined,
  reservation: Reservation | undefined,
  { node, slot: wanted }: Assignment,
  now: number,
  by: Operator,
): Result<number, Refusal> {
  if (known !== undefined) {
    if (wanted === undefined || wanted === known.slot) return ok(known.slot);
    return err({ problem: "slot-taken", slot: wanted, hold: { by: "other-slot", node, has: known.slot } });
  }
  if (reservation !== undefined && (wanted ?? reservation.slot) === reservation.slot) {
    const taken = takeReserved(stores, pool, reservation, { node, takesOver: null, by }, now);
    return taken.ok ? ok(taken.value.slot) : taken;
  }
  if (wanted !== undefined) return takeWantedSlot(stores, pool, node, wanted, now);
  const slot = takeSlot(stores, pool, node, now);
  return slot === undefined ? err({ problem: "pool-exhausted" }) : ok(slot);
}
