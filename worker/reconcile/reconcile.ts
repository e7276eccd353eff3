// Compares what is stored with what the controller has, and repairs the difference. What the operator does at the
// controller counts: a member deauthorized there is revoked here. Nothing is ever removed there that is not ours.
import { parseAddress } from "../address/prefix.ts";
import { errorText } from "../base/log.ts";
import { ControllerError, type ControllerMember } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { isOver, mostEndings, watchedSince } from "../lease/lease-times.ts";
import { slotOfAddress } from "../lease/pool.ts";
import { endLease, queueMember, queueRoutes } from "../outbox/queue.ts";
import { planRoutes } from "../outbox/route-delivery.ts";
import type { StoredNode } from "../store/node-store.ts";
import { decidedThere, followController, isSettled } from "./follow-controller.ts";
import type { Upkeep } from "./upkeep.ts";

/** Members that one run reads one by one; the rest waits for the next. The free plan allows 50 outgoing calls an invocation. */
const MOST_READS = 20;
const DAY_MS = 24 * 60 * 60_000;

/** Runs once an hour, and remembers for the health how it found the controller. */
export async function reconcile(net: Upkeep): Promise<void> {
  const { facts } = net.stores;
  const since = watchedSince(facts.look(), net.now());
  const note = (unread: string | null, faults: readonly string[]): void =>
    facts.setLook({ at: net.now(), since, unread, faults: [...faults] });
  try {
    // Before the first server comes, the network is only looked at: it may be the wrong one still.
    const faults = facts.fitness() === undefined ? await net.readiness.inspect() : await repair(net, since);
    note(null, faults);
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    net.log("reconcile-failed", { error: errorText(error) });
    note(error.message, []);
  }
}

/** Answers what stands against the mesh. While the controller cannot be read nothing is released: it may have seen a node that we have not. */
async function repair(net: Upkeep, watched: number): Promise<readonly string[]> {
  const { network, faults } = await net.readiness.makeFit();
  const began = net.now();
  const members = await net.controller.listMembers();
  const decided = net.stores.transaction(() => {
    net.readiness.noteMembers(members);
    return repairMembers(net, members, began);
  });
  for (const node of decided.slice(0, MOST_READS)) await followController(net, node);
  net.stores.transaction(() => {
    age(net, watched);
    const { changed } = planRoutes(net.stores, net.config, network.routes, net.log, net.now());
    if (changed) queueRoutes(net.stores, net.now());
  });
  return faults;
}

/** Queues the members that are not as they should be. Answers the nodes on which the operator seems to have decided at the controller. `began`: when the list was asked for. */
function repairMembers(net: Upkeep, members: readonly ControllerMember[], began: number): NodeId[] {
  const byNode = new Map(members.map((member) => [member.node, member]));
  const decided: NodeId[] = [];
  for (const known of net.stores.nodes.all()) {
    const member = byNode.get(known.node);
    const node = withLastSeen(known, member?.lastSeen, net.now());
    if (node !== known) net.stores.nodes.put(node);
    // What is on its way, or arrived after the list was asked for, is not compared.
    if (!isSettled(net.stores, node, began)) continue;
    if (member !== undefined && decidedThere(node, member) !== undefined) {
      decided.push(node.node);
      continue;
    }
    const fault = faultOf(net, node, member);
    if (fault === undefined) continue;
    net.log(fault, { node: node.node, addresses: member?.addresses.join(" ") ?? "" });
    queueMember(net.stores, node.node, net.now());
  }
  return decided;
}

/** The controller may have seen a node whose agent does not reach us. It may forget it too, so it only renews. */
function withLastSeen(node: StoredNode, lastSeen: number | undefined, now: number): StoredNode {
  const seenAt = Math.min(lastSeen ?? 0, now);
  return seenAt > node.seenAt ? { ...node, seenAt } : node;
}

/** What is wrong with a member on which the operator decided nothing there. */
function faultOf(net: Upkeep, node: StoredNode, member: ControllerMember | undefined) {
  if (node.state !== "active") return member?.authorized ? "member-still-authorized" : undefined;
  if (member === undefined) return "member-missing";
  const has = member.addresses.some((text) => {
    const address = parseAddress(text);
    return address !== undefined && slotOfAddress(net.config.pool, address) === node.slot;
  });
  return has ? undefined : "member-drifted";
}

/** Releases what was not seen for so long that its time is over: those longest unseen, and few a day. */
function age(net: Upkeep, watched: number): void {
  const { nodes, slots } = net.stores;
  const now = net.now();
  const all = nodes.all();
  const ended = slots.released().filter(({ releasedAt }) => now - releasedAt < DAY_MS).length;
  const over = all
    .filter(({ state, seenAt, identity }) => isOver({ state, seenAt, kept: identity === null }, now, watched))
    .sort((a, b) => a.seenAt - b.seenAt);
  for (const node of over.slice(0, Math.max(0, mostEndings(all.length) - ended))) {
    net.log("released-by-time", { node: node.node, name: node.name, slot: node.slot });
    endLease(net.stores, node, now);
  }
}
