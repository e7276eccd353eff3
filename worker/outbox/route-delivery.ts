// The managed routes, for the members that have no agent (a laptop). What is not ours is kept.
import type { Config } from "../config/config.ts";
import type { NetworkWriter } from "../controller/network-writer.ts";
import {
  desiredRoutes,
  type MergedRoutes,
  mergeRoutes,
  type Route,
  sameRoutes,
  slotOfRoute,
} from "../lease/managed-routes.ts";
import type { Pool } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";
import { type ForeignRoutesOptions, noteForeign, showRoute } from "./foreign-routes.ts";
import type { Delivery } from "./outbox.ts";

/** What is stored of the slots whose routes are published, withdrawn or left alone. */
export interface RoutedSlots {
  /** Those whose holders are in the mesh. */
  readonly active: readonly { readonly slot: number }[];
  /** Those that a foreign route touches. */
  readonly taken: ReadonlySet<number>;
  /** Those whose routes are ours to withdraw. */
  readonly owned: ReadonlySet<number>;
}

/** The stored slots, by what they mean for the routes. */
export function readRoutedSlots({ nodes, slots }: Stores): RoutedSlots {
  return { active: nodes.activeSlots(), taken: slots.routed(), owned: slots.owned() };
}

/** What the routes become, from those that the network has: those of the active leases, as many as fit. */
export function routesToPublish(
  { pool, routeLimit }: Pick<Config, "pool" | "routeLimit">,
  current: readonly Route[],
  { active, taken, owned }: RoutedSlots,
): MergedRoutes {
  const leases = active.filter(({ slot }) => !taken.has(slot));
  return mergeRoutes(current, desiredRoutes(pool, leases, routeLimit), pool, routeLimit, owned);
}

export function routeDelivery(options: ForeignRoutesOptions & { readonly writer: NetworkWriter }): Delivery {
  const { stores, config, writer, log } = options;
  return {
    cost: () => 2,
    async deliver() {
      const { network, asked } = await writer.change(({ routes: current }) =>
        stores.transaction(() => {
          noteForeign(options, current);
          const { routes, changed } = routesToPublish(config, current, readRoutedSlots(stores));
          if (!changed) return undefined;
          stores.slots.publishing(slotsOf(config.pool, routes));
          return { routes };
        }),
      );
      stores.transaction(() => stores.slots.published(slotsOf(config.pool, network.routes)));
      const dropped = (asked?.routes ?? []).filter(
        (route) => !network.routes.some((kept) => sameRoutes([kept], [route])),
      );
      if (dropped.length > 0)
        log("routes-dropped", { count: dropped.length, routes: dropped.map(showRoute).join(", ") });
    },
  };
}

function slotsOf(pool: Pool, routes: readonly Route[]): number[] {
  return routes.flatMap((route) => slotOfRoute(pool, route) ?? []);
}
