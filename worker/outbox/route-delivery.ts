// The managed routes, for the members that have no agent (a laptop). What is not ours is kept.

import type { Log } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { Route } from "../controller/controller.ts";
import type { NetworkSettings } from "../controller/network-writer.ts";
import {
  desiredRoutes,
  mergeRoutes,
  sameRoutes,
  slotOfRoute,
  slotsTakenByRoutes,
} from "../lease/managed-routes.ts";
import type { Stores } from "../store/stores.ts";
import type { Delivery } from "./outbox.ts";

/** Publishes the routes of the active leases, as many as fit. */
export function routeDelivery(
  stores: Stores,
  config: Config,
  settings: NetworkSettings,
  log: Log,
  now: () => number,
): Delivery {
  return {
    cost: () => 2,
    async deliver() {
      const { network, asked } = await settings.change(({ routes: current }) => {
        const { routes, changed } = planRoutes(stores, config, current, log, now());
        if (!changed) return undefined;
        stores.slots.publishing(slotsOf(config, routes));
        return { routes };
      });
      stores.slots.published(slotsOf(config, network.routes));
      const dropped = (asked?.routes ?? []).filter(
        (route) => !network.routes.some((kept) => isSame(kept, route)),
      );
      if (dropped.length > 0)
        log("routes-dropped", { count: dropped.length, routes: dropped.map(describe).join(", ") });
    },
  };
}

function slotsOf({ pool }: Config, routes: readonly Route[]): number[] {
  return routes.flatMap((route) => slotOfRoute(pool, route) ?? []);
}

/** What the routes should be; notes the foreign ones, whose slots are not leased and not routed. */
export function planRoutes(
  stores: Stores,
  config: Config,
  current: readonly Route[],
  log: Log,
  now: number,
): { readonly routes: Route[]; readonly changed: boolean } {
  const { pool, routeLimit } = config;
  noteForeignRoutes(stores, config, current, log, now);
  const taken = stores.slots.routed();
  const leases = stores.nodes.activeSlots().filter(({ slot }) => !taken.has(slot));
  const { routes, changed } = mergeRoutes(
    current,
    desiredRoutes(pool, leases, routeLimit),
    pool,
    routeLimit,
    stores.slots.owned(),
  );
  return { routes, changed };
}

/** Remembers the routes of others inside the pool, and says so when they changed. */
export function noteForeignRoutes(
  stores: Stores,
  { pool, routeLimit }: Config,
  current: readonly Route[],
  log: Log,
  now: number,
): void {
  const { foreign } = mergeRoutes(current, [], pool, routeLimit, stores.slots.owned());
  const before = stores.facts.conflicts();
  if (stores.facts.slotsRouted() !== undefined && sameRoutes(before, foreign)) return;
  const taken = slotsTakenByRoutes(pool, foreign);
  stores.facts.setConflicts(foreign);
  stores.facts.setSlotsRouted({ at: now, slots: [...taken] });
  if (foreign.length === 0 && before.length === 0) return;
  const leased = [...stores.nodes.slots()].filter((slot) => taken.has(slot));
  log("route-conflicts", {
    count: foreign.length,
    routes: foreign.map(describe).join(", "),
    leasedSlots: leased.join(", "),
  });
}

function isSame(a: Route, b: Route): boolean {
  return a.target === b.target && a.via === b.via;
}

function describe({ target, via }: Route): string {
  return via === null ? target : `${target} via ${via}`;
}
