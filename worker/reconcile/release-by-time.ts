import { DAY_MS, isOver, mayEndEphemeral, mostEndings } from "../lease/lease-times.ts";
import { endLease } from "../outbox/queue.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * Within a transaction: releases what was not seen for so long that its time is over, those longest unseen first. Of lasting
 * leases few a day; of ephemeral ones all, while anybody is heard. `unbrokenSince`: since when there was somebody to see them
 * (ms since 1970).
 */
export function releaseByTime({ stores, log, now }: Upkeep, unbrokenSince: number): void {
  const at = now();
  const all = stores.nodes.all().map((node) => ({ ...node, kept: node.identity === null }));
  const ended = stores.slots.countReleasedSince(at - DAY_MS);
  const over = all.filter((node) => isOver(node, at, unbrokenSince)).sort((a, b) => a.seenAt - b.seenAt);
  const ephemeral = over.filter(({ ephemeralMinutes }) => ephemeralMinutes !== null);
  const lasting = over.filter(({ ephemeralMinutes }) => ephemeralMinutes === null);
  for (const node of [
    ...(mayEndEphemeral(all, at) ? ephemeral : []),
    ...lasting.slice(0, Math.max(0, mostEndings(all.length) - ended)),
  ]) {
    log("released-by-time", { node: node.node, name: node.name, slot: node.slot });
    endLease(stores, node, at);
  }
}
