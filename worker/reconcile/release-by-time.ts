import { DAY_MS, isOver, mostEndings } from "../lease/lease-times.ts";
import { endLease } from "../outbox/queue.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * Within a transaction: releases what was not seen for so long that its time is over, those longest unseen first, and
 * few a day. `unbrokenSince`: since when there was somebody to see them (ms since 1970).
 */
export function releaseByTime({ stores, log, now }: Upkeep, unbrokenSince: number): void {
  const all = stores.nodes.all();
  const ended = stores.slots.countReleasedSince(now() - DAY_MS);
  const over = all
    .filter(({ state, seenAt, identity }) =>
      isOver({ state, seenAt, kept: identity === null }, now(), unbrokenSince),
    )
    .sort((a, b) => a.seenAt - b.seenAt);
  for (const node of over.slice(0, Math.max(0, mostEndings(all.length) - ended))) {
    log("released-by-time", { node: node.node, name: node.name, slot: node.slot });
    endLease(stores, node, now());
  }
}
