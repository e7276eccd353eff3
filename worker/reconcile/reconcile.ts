// Compares what is stored with what the controller has, and repairs the difference. What the operator does at the
// controller counts: a member deauthorized there is revoked here. Nothing is ever removed there that is not ours.
import { errorText } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { HOUR_MS } from "../base/time-units.ts";
import { LIMITS } from "../config/limits.ts";
import { ControllerError, type ControllerMember, type MemberList } from "../controller/controller.ts";
import { HEARD_WITHIN, heardSince, type Watch, watchedSince } from "../lease/lease-times.ts";
import { queueMember, queueRoutes } from "../outbox/queue.ts";
import { readRoutedSlots, routesToPublish } from "../outbox/route-delivery.ts";
import { type FailedLook, failedLook } from "../store/memory-store.ts";
import { explains } from "../store/unheard-store.ts";
import {
  type Difference,
  type DifferentMember,
  differentMembers,
  isCompared,
  NO_DIFFERENCE,
  routeDifference,
} from "./difference.ts";
import { followController } from "./follow-controller.ts";
import { inspect, makeFit } from "./make-fit.ts";
import { readMembers } from "./read-members.ts";
import { releaseByTime } from "./release-by-time.ts";
import type { Upkeep } from "./upkeep.ts";

/** ms by which the controller has to have seen a node later than we did, for it to be written: more than lies between two heartbeats. */
const SIGHT_MS = 2 * HOUR_MS;

/** Members that one run reads one by one; the rest waits for the next. The free plan allows 50 outgoing calls an invocation. */
const MOST_READS = 20;

/**
 * Runs once an hour, and remembers for the health how it found the controller. Gives what it found to repair: at once, or queued for the
 * alarm; or why the controller could not be read. `endsLeases`: also ends by time those that were not seen for long.
 */
export async function reconcile(
  upkeep: Upkeep,
  { endsLeases }: { readonly endsLeases: boolean },
): Promise<Result<Difference, ControllerError>> {
  const { stores, now, log } = upkeep;
  stores.transaction(() => {
    stores.events.trim(LIMITS.events, LIMITS.eventsForgotten);
    stores.firstBoots.forgetBefore(now() - LIMITS.firstBootMs, LIMITS.firstBootsForgotten, now());
  });
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
    const found = isUsed
      ? await repair(upkeep, endsLeases ? watch : undefined)
      : { ...NO_DIFFERENCE, faults: await inspect(upkeep) };
    noteCheck(null, found.faults);
    return ok(found);
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    log("reconcile-failed", { error: errorText(error) });
    noteCheck(failedLook(error, now()), []);
    return err(error);
  }
}

/** Returns what it found. While the controller cannot be read nothing is released: it may have seen a node that we have not. */
async function repair(upkeep: Upkeep, watch: Watch | undefined): Promise<Difference> {
  const { config, stores, now } = upkeep;
  const { network, settings, faults } = await makeFit(upkeep);
  const { list, readAt } = await readMembers(upkeep);
  const members = stores.transaction(() => repairMembers(upkeep, list, readAt));
  const decided = members.filter(isDecided);
  for (const { node } of decided.slice(0, MOST_READS)) await followController(upkeep, node.node);
  const routes = stores.transaction(() => {
    if (watch !== undefined) releaseByTime(upkeep, watch);
    const { routes: wanted, changed } = routesToPublish(
      config,
      network.routes,
      readRoutedSlots(config, stores),
    );
    if (changed || stores.routes.unheard().length > 0) queueRoutes(stores, now());
    return routeDifference(network.routes, wanted);
  });
  return { settings, faults, members, unread: list.unread, routes };
}

/** Whether the operator seems to have decided on it at the controller: that is read once more. */
function isDecided({ difference }: DifferentMember): boolean {
  return difference === "taken-out-there" || difference === "let-in-there";
}

/** Within a transaction: queues the members that are not as they should be, and gives them. `readAt`: when the list was asked for. */
function repairMembers(upkeep: Upkeep, list: MemberList, readAt: number): DifferentMember[] {
  const { stores, now, log } = upkeep;
  const byNode = new Map<string, ControllerMember>(list.members.map((member) => [member.node, member]));
  const unheard = stores.unheard.nodes();
  takeOutAgain(upkeep, unheard, byNode, readAt);
  noteSights(upkeep, byNode);
  const different = differentMembers(upkeep, list, readAt);
  const isDifferent = new Set<string>(different.map(({ node }) => node.node));
  for (const id of unheard) {
    const node = stores.nodes.get(id);
    const isAsItShould = node !== undefined && isCompared(stores, node, list, readAt) && !isDifferent.has(id);
    // What it may still become is of no account then, once no write of ours can land any more.
    if (isAsItShould) stores.unheard.forget(id, readAt);
  }
  for (const { node, difference } of different.filter((one) => !isDecided(one))) {
    log(`member-${difference}`, {
      node: node.node,
      addresses: byNode.get(node.node)?.addresses.join(" ") ?? "",
    });
    queueMember(stores, node.node, now());
  }
  return different;
}

/**
 * The controller may have seen a node whose agent does not reach us. It may forget it too, so it only renews; and not for what
 * the agent's own calls say a little later, since each costs rows of the day's quota.
 */
function noteSights({ stores, now }: Upkeep, byNode: ReadonlyMap<string, ControllerMember>): void {
  const at = now();
  for (const { node, seenAt: before } of stores.nodes.unseenSince(at - SIGHT_MS)) {
    const seenAt = Math.min(byNode.get(node)?.lastSeen ?? 0, at);
    if (seenAt - before >= SIGHT_MS) stores.nodes.seen(node, seenAt);
  }
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
