// Compares what is stored with what the controller has, and repairs the difference. What the operator does at the
// controller counts: a member deauthorized there is revoked here. Nothing is ever removed there that is not ours.
import { parseAddress } from "../address/prefix.ts";
import { errorText } from "../base/log.ts";
import { ControllerError, type ControllerMember } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { watchedSince } from "../lease/lease-times.ts";
import { slotOfAddress } from "../lease/pool.ts";
import { noteForeign } from "../outbox/foreign-routes.ts";
import { queueMember, queueRoutes } from "../outbox/queue.ts";
import { readRoutedSlots, routesToPublish } from "../outbox/route-delivery.ts";
import type { StoredNode } from "../store/stored-node.ts";
import { noteMembers } from "./address-conflicts.ts";
import { decidedThere, followController, isSettled } from "./follow-controller.ts";
import { inspect, makeFit } from "./make-fit.ts";
import { releaseByTime } from "./release-by-time.ts";
import type { Upkeep } from "./upkeep.ts";

/** Members that one run reads one by one; the rest waits for the next. The free plan allows 50 outgoing calls an invocation. */
const MOST_READS = 20;

/** Runs once an hour, and remembers for the health how it found the controller. */
export async function reconcile(upkeep: Upkeep): Promise<void> {
  const { stores, now, log } = upkeep;
  const since = watchedSince(stores.memory.lastCheck(), now());
  const noteCheck = (unreachable: string | null, faults: readonly string[]): void =>
    stores.transaction(() =>
      stores.memory.setLastCheck({ at: now(), unbrokenSince: since, unreachable, faults }),
    );
  try {
    // Before the first server comes, the network is only looked at: it may be the wrong one still.
    const isUsed = stores.memory.fitness() !== undefined;
    noteCheck(null, isUsed ? await repair(upkeep, since) : await inspect(upkeep));
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    log("reconcile-failed", { error: errorText(error) });
    noteCheck(error.message, []);
  }
}

/** Returns what keeps the network from carrying the mesh. While the controller cannot be read nothing is released: it may have seen a node that we have not. */
async function repair(upkeep: Upkeep, since: number): Promise<readonly string[]> {
  const { config, stores, controller, now } = upkeep;
  const { network, faults } = await makeFit(upkeep);
  const began = now();
  const members = await controller.listMembers();
  const decided = stores.transaction(() => {
    noteMembers(upkeep, members);
    return repairMembers(upkeep, members, began);
  });
  for (const node of decided.slice(0, MOST_READS)) await followController(upkeep, node);
  stores.transaction(() => {
    releaseByTime(upkeep, since);
    noteForeign(upkeep, network.routes);
    const { changed } = routesToPublish(config, network.routes, readRoutedSlots(stores));
    if (changed) queueRoutes(stores, now());
  });
  return faults;
}

/** Queues the members that are not as they should be. Returns the nodes on which the operator seems to have decided at the controller. `began`: when the list was asked for. */
function repairMembers(upkeep: Upkeep, members: readonly ControllerMember[], began: number): NodeId[] {
  const { stores, now, log } = upkeep;
  const byNode = new Map(members.map((member) => [member.node, member]));
  const decided: NodeId[] = [];
  for (const known of stores.nodes.all()) {
    const member = byNode.get(known.node);
    const node = withLastSeen(known, member?.lastSeen, now());
    if (node !== known) stores.nodes.put(node);
    // What is on its way, or arrived after the list was asked for, is not compared.
    if (!isSettled(stores, node, began)) continue;
    if (member !== undefined && decidedThere(node, member) !== undefined) {
      decided.push(node.node);
      continue;
    }
    const fault = faultOf(upkeep, node, member);
    if (fault === undefined) continue;
    log(fault, { node: node.node, addresses: member?.addresses.join(" ") ?? "" });
    queueMember(stores, node.node, now());
  }
  return decided;
}

/** The controller may have seen a node whose agent does not reach us. It may forget it too, so it only renews. */
function withLastSeen(node: StoredNode, lastSeen: number | undefined, now: number): StoredNode {
  const seenAt = Math.min(lastSeen ?? 0, now);
  return seenAt > node.seenAt ? { ...node, seenAt } : node;
}

/** What is wrong with a member that the operator left alone at the controller. */
function faultOf({ config }: Upkeep, node: StoredNode, member: ControllerMember | undefined) {
  if (node.state !== "active") return member?.authorized ? "member-still-authorized" : undefined;
  if (member === undefined) return "member-missing";
  const has = member.addresses.some((text) => {
    const address = parseAddress(text);
    return address !== undefined && slotOfAddress(config.pool, address) === node.slot;
  });
  return has ? undefined : "member-drifted";
}
