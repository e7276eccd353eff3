import { DAY_MS } from "../base/time-units.ts";
import { defaultLeaseTimes, isOver, mostEndings, type Watch } from "../lease/lease-times.ts";
import { endLease } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * Within a transaction: releases what was not seen for so long that its time is over, those longest unseen first: all
 * ephemeral leases, and a few lasting ones a day.
 */
export function releaseByTime({ stores, log, now }: Upkeep, watch: Watch): void {
  const at = now();
  const ended = stores.slots.countReleasedSince(at - DAY_MS);
  const reserved = stores.reservations.slots();
  // Who only asks for a reserved name has not got it yet.
  const isReserved = ({ slot, state }: StoredNode): boolean => state !== "pending" && reserved.has(slot);
  const over = stores.nodes
    // Nothing is over that is not even offline yet.
    .unseenSince(at - defaultLeaseTimes.offlineAfter)
    .filter((node) => isOver({ ...node, kept: node.identity === null || isReserved(node) }, at, watch))
    .sort((a, b) => a.seenAt - b.seenAt);
  const lasting = over.filter(({ ephemeralMinutes }) => ephemeralMinutes === null);
  for (const node of [
    ...over.filter(({ ephemeralMinutes }) => ephemeralMinutes !== null),
    ...lasting.slice(0, Math.max(0, mostEndings(stores.slots.holders().count()) - ended)),
  ]) {
    log("released-by-time", { node: node.node, name: node.name, slot: node.slot });
    const why = node.ephemeralMinutes === null ? "unseen" : "unseen-ephemeral";
    endLease(stores, node, at, { by: { who: "cron" }, why });
  }
}
