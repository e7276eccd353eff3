// The managed routes, for the members that have no agent (a laptop). What is not ours is kept.
import type { Config } from "../config/config.ts";
import type { NetworkChange } from "../controller/controller.ts";
import {
  desiredRoutes,
  isOurs,
  type MergedRoutes,
  mergeRoutes,
  type Route,
  sameRoutes,
} from "../lease/managed-routes.ts";
import type { Stores } from "../store/stores.ts";
import { LATEST_MS } from "../store/unheard-store.ts";
import { type ChangeNetworkOptions, changeNetwork, noteLeaving, slotsOf } from "./change-network.ts";
import { type ForeignRoutesOptions, noteForeign, showRoute } from "./foreign-routes.ts";
import { type Delivery, SETTLE_MS } from "./outbox.ts";

/** ms after which what was written is looked at once more: a page that people have open shows the list of before. */
const LOOK_AFTER_MS = 5_000;

/** What is stored of the slots whose routes are published, withdrawn or left alone. */
export interface RoutedSlots {
  /** Those whose holders are in the mesh and that no foreign route touches: with a route of ours, and as many others as can be published. */
  readonly active: readonly { readonly slot: number }[];
  /** Those whose routes are ours to withdraw. */
  readonly owned: ReadonlySet<number>;
}

/** The stored slots, by what they mean for the routes. */
export function readRoutedSlots(
  { routeLimit }: Pick<Config, "routeLimit">,
  { nodes, slots, routes }: Stores,
): RoutedSlots {
  const owned = routes.owned();
  // One is the on-link route.
  return { active: nodes.activeSlots(routeLimit - 1, slots.routed(), owned), owned };
}

/** What the routes become, from those that the network has: those of the active leases that are there, and as many others as fit. */
export function routesToPublish(
  { pool, routeLimit }: Pick<Config, "pool" | "routeLimit">,
  current: readonly Route[],
  { active, owned }: RoutedSlots,
): MergedRoutes {
  return mergeRoutes(current, desiredRoutes(pool, active), pool, routeLimit, owned);
}

export function routeDelivery(options: ForeignRoutesOptions & ChangeNetworkOptions): Delivery {
  const { stores, config, writer, log, now } = options;
  const { pool } = config;
  /** Within a transaction: the network was read, and has these routes. */
  const see = (routes: readonly Route[], readAt: number): void => {
    const owned = stores.routes.owned();
    const others = routes.filter((route) => !isOurs(pool, route, owned));
    stores.routes.saw(routes, slotsOf(pool, routes), others, readAt);
    noteForeign(options, routes, readAt);
  };
  /** Within a transaction: what to write, if anything, so that the network has the routes that it should. */
  const plan = (found: readonly Route[], readAt: number): NetworkChange | undefined => {
    const current = [...found, ...stores.routes.wiped(found)];
    see(current, readAt);
    const { routes, changed } = routesToPublish(config, current, readRoutedSlots(config, stores));
    if (!changed && current.length === found.length) return undefined;
    const owned = stores.routes.owned();
    const ours = routes.filter((route) => !current.includes(route) || isOurs(pool, route, owned));
    noteLeaving(options, routes, ours);
    return { routes };
  };
  return {
    cost: () => 3,
    async deliver() {
      const { network, asked } = await changeNetwork(options, ({ routes }, readAt) =>
        stores.transaction(() => plan(routes, readAt)),
      );
      if (asked?.routes === undefined) return lookAgainAt(stores, now());
      // What the write took away is ours until it is seen gone: at once, so that it is not taken for ours when somebody sets it by hand.
      await writer.change(({ routes }, readAt) => {
        stores.transaction(() => see(routes, readAt));
        return undefined;
      });
      const dropped = asked.routes.filter(
        (route) => !network.routes.some((kept) => sameRoutes([kept], [route])),
      );
      if (dropped.length > 0)
        log("routes-dropped", { count: dropped.length, routes: dropped.map(showRoute).join(", ") });
      return now() + LOOK_AFTER_MS;
    },
  };
}

/** When to look again, should a write still land that was not heard of: soon, and when it cannot any more. */
function lookAgainAt({ routes }: Stores, now: number): number | undefined {
  const looks = routes.unheard().flatMap(({ at }) => [at + SETTLE_MS, at + LATEST_MS + 1]);
  const next = looks.filter((at) => at > now);
  return next.length === 0 ? undefined : Math.min(...next);
}
