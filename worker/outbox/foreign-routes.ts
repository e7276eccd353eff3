import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { foreignRoutes, type Route, sameRoutes, slotsTakenByRoutes } from "../lease/managed-routes.ts";
import type { Stores } from "../store/stores.ts";

/** What noting the routes of others works with. */
export interface ForeignRoutesOptions {
  readonly stores: Stores;
  readonly config: Config;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Within a transaction: remembers the routes of others inside the pool, whose slots are not leased and not routed, and
 * logs when they changed. `readAt`: when the read began that found them (ms since 1970); what was read later stays.
 */
export function noteForeign(
  { stores, config: { pool }, log }: ForeignRoutesOptions,
  current: readonly Route[],
  readAt: number,
): void {
  const known = stores.memory.slotsRouted();
  if (known !== undefined && known.at > readAt) return;
  const foreign = foreignRoutes(current, pool, stores.routes.owned());
  const before = stores.memory.conflicts();
  const taken = slotsTakenByRoutes(pool, foreign);
  // The slots too: before the first server the pool may be changed.
  const isKnown = known !== undefined && isEqual(taken, known.slots);
  if (isKnown && sameRoutes(before, foreign)) return;
  stores.memory.setConflicts(foreign);
  stores.memory.setSlotsRouted({ at: readAt, slots: [...taken] });
  if (foreign.length === 0 && before.length === 0) return;
  const holders = stores.slots.holders();
  const leased = [...taken].filter((slot) => holders.of(slot) !== undefined);
  log("route-conflicts", {
    count: foreign.length,
    routes: foreign.map(showRoute).join(", "),
    leasedSlots: leased.join(", "),
  });
}

/** A route for the log. */
export function showRoute({ target, via }: Route): string {
  return via === null ? target : `${target} via ${via}`;
}

function isEqual(slots: ReadonlySet<number>, others: readonly number[]): boolean {
  return slots.size === others.length && others.every((slot) => slots.has(slot));
}
