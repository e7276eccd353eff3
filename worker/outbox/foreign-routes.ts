import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { mergeRoutes, type Route, sameRoutes, slotsTakenByRoutes } from "../lease/managed-routes.ts";
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
 * logs when they changed.
 */
export function noteForeign(
  { stores, config: { pool, routeLimit }, log, now }: ForeignRoutesOptions,
  current: readonly Route[],
): void {
  const { foreign } = mergeRoutes(current, [], pool, routeLimit, stores.slots.owned());
  const before = stores.memory.conflicts();
  if (stores.memory.slotsRouted() !== undefined && sameRoutes(before, foreign)) return;
  const taken = slotsTakenByRoutes(pool, foreign);
  stores.memory.setConflicts(foreign);
  stores.memory.setSlotsRouted({ at: now(), slots: [...taken] });
  if (foreign.length === 0 && before.length === 0) return;
  const leased = [...stores.nodes.slots()].filter((slot) => taken.has(slot));
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
