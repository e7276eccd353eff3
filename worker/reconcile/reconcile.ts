// Compares what is stored with what the controller has, and repairs the difference. What the operator does at the
// controller counts: a member deauthorized there is revoked here. Nothing is ever removed there that is not ours.
import { errorText } from "../base/log.ts";
import { LIMITS } from "../config/limits.ts";
import { ControllerError, type ControllerMember, type MemberList } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { HEARD_WITHIN, heardSince, type Watch, watchedSince } from "../lease/lease-times.ts";
import { queueMember, queueRoutes, wasOffered } from "../outbox/queue.ts";
import { readRoutedSlots, routesToPublish } from "../outbox/route-delivery.ts";
import { type FailedLook, failedLook } from "../store/memory-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import { ALL_HEARD, explains, type Unheard } from "../store/unheard-store.ts";
import { noteMembers } from "./address-conflicts.ts";
import { decidedThere, followController, isSettled } from "./follow-controller.ts";
import { inspect, makeFit } from "./make-fit.ts";
import { hasItsAddresses } from "./member-difference.ts";
import { readMembers } from "./read-members.ts";
import { releaseByTime } from "./release-by-time.ts";
import type { Upkeep } from "./upkeep.ts";

/** ms by which the controller has to have seen a node later than we did, for it to be written: more than lies between two heartbeats. */
const SIGHT_MS = 2 * 60 * 60_000;

/** Members that one run reads one by one; the rest waits for the next. The free plan allows 50 outgoing calls an invocation. */
const MOST_READS = 20;

/** Runs once an hour, and remembers for the health how it found the controller. */
export async function reconcile(upkeep: Upkeep): Promise<void> {
  const { stores, now, log } = upkeep;
  stores.transaction(() => stores.events.trim(LIMITS.events, LIMITS.eventsForgotten));
  const before = stores.memory.lastCheck();
  const watch = {
    unbrokenSince: watchedSince(before, now()),
    heardSince: heardSince(before, stores.nodes.isAnyHeard(now() - HEARD_WITHIN), now()),
  };
  const noteCheck = (unreachable: FailedLook | null, faults: readonly string[]): void =>
    stores.transaction(() => stores.memory.setLastCheck({ at: now(), ...watch, unreachable, faults }));
  try {
    // Before the first server comes, the network is only looked at: it may be the wrong one still.
    const isUsed = stores.memory.fitness() !== undefined;
    noteCheck(null, isUsed ? await repair(upkeep, watch) : await inspect(upkeep));
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    log("reconcile-failed", { error: errorText(error) });
    noteCheck(failedLook(error, now()), []);
  }
}

/** Returns what keeps the network from carrying the mesh. While the controller cannot be read nothing is released: it may have seen a node that we have not. */
async function repair(upkeep: Upkeep, watch: Watch): Promise<readonly string[]> {
  const { config, stores, now } = upkeep;
  const { network, faults } = await makeFit(upkeep);
  const { list, readAt } = await readMembers(upkeep);
  const decided = stores.transaction(() => {
    noteMembers(upkeep, list, readAt);
    return repairMembers(upkeep, list, readAt);
  });
  for (const node of decided.slice(0, MOST_READS)) await followController(upkeep, node);
  stores.transaction(() => {
    releaseByTime(upkeep, watch);
    const { changed } = routesToPublish(config, network.routes, readRoutedSlots(config, stores));
    if (changed || stores.routes.unheard().length > 0) queueRoutes(stores, now());
  });
  return faults;
}

/** Queues the members that are not as they should be. Returns the nodes on which the operator seems to have decided at the controller. `readAt`: when the list was asked for. */
function repairMembers(upkeep: Upkeep, { members, unread }: MemberList, readAt: number): NodeId[] {
  const { stores, now, log } = upkeep;
  const byNode = new Map(members.map((member) => [member.node, member]));
  const decided: NodeId[] = [];
  const unheard = stores.unheard.nodes();
  takeOutAgain(upkeep, unheard, byNode, readAt);
  for (const known of stores.nodes.all()) {
    const member = byNode.get(known.node);
    const node = withLastSeen(known, member?.lastSeen, now());
    if (node !== known) stores.nodes.seen(node.node, node.seenAt);
    // What is on its way, or arrived after the list was asked for, is not compared; nor what is there and cannot be read.
    if (!isSettled(stores, node, readAt) || unread.includes(node.node)) continue;
    const written = unheard.has(node.node) ? stores.unheard.of(node.node) : ALL_HEARD;
    if (member !== undefined && decidedThere(node, member, written) !== undefined) {
      decided.push(node.node);
      continue;
    }
    const fault = faultOf(upkeep, node, member, written);
    if (fault === undefined) {
      if (unheard.has(node.node)) stores.unheard.forget(node.node, readAt);
      continue;
    }
    log(fault, { node: node.node, addresses: member?.addresses.join(" ") ?? "" });
    queueMember(stores, node.node, now());
  }
  return decided;
}

/**
 * The controller may have seen a node whose agent does not reach us. It may forget it too, so it only renews; and not for what
 * the agent's own calls say a little later, since each costs rows of the day's quota.
 */
function withLastSeen(node: StoredNode, lastSeen: number | undefined, now: number): StoredNode {
  const seenAt = Math.min(lastSeen ?? 0, now);
  return seenAt - node.seenAt >= SIGHT_MS ? { ...node, seenAt } : node;
}

/** Queues the removal of members without a lease that a write of ours has let in again, which landed after they were removed. */
function takeOutAgain(
  { stores, now, log }: Upkeep,
  unheard: ReadonlySet<string>,
  byNode: ReadonlyMap<string, ControllerMember>,
  readAt: number,
): void {
  for (const node of unheard) {
    if (stores.nodes.get(node) !== undefined || stores.outbox.get("member", node) !== undefined) continue;
    const member = byNode.get(node);
    if (member?.authorized && explains(stores.unheard.of(node).in, member.authorizedAt)) {
      log("member-back", { node });
      queueMember(stores, node, now());
    } else stores.unheard.forget(node, readAt);
  }
}

/** What is wrong with a member that the operator left alone at the controller. One that he authorized himself, of which it was never told, is left alone. */
function faultOf(upkeep: Upkeep, node: StoredNode, member: ControllerMember | undefined, written: Unheard) {
  if (node.state !== "active")
    return member?.authorized && wasOffered(upkeep.stores, node) ? "member-still-authorized" : undefined;
  if (member === undefined) return "member-missing";
  if (!member.authorized) return "member-made-anew";
  if (!hasItsAddresses(upkeep.config, node, member)) return "member-drifted";
  // The operator may call it otherwise there; but not what a late write of ours has named it.
  return written.in !== undefined && member.name !== node.name ? "member-drifted" : undefined;
}
