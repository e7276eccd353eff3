import { encloses, formatPrefix, parseAddress, parsePrefix } from "../address/prefix.ts";
import {
  dockerSubnet,
  isLeasable,
  type Pool,
  slotOfAddress,
  slotsOfPrefix,
  zerotierAddress,
} from "./pool.ts";

/** A managed route of a ZeroTier network; `via` null: on-link, the target is reached without a gateway. */
export interface Route {
  readonly target: string;
  readonly via: string | null;
}

/** What the network's routes become. */
export interface MergedRoutes {
  /** All of them, in the order to be written: the whole list replaces the one at the controller. */
  readonly routes: Route[];
  /** Whether that differs from what is there. */
  readonly changed: boolean;
  /** Routes inside the Docker pool that are not ours: kept, and their slots must not be leased. */
  readonly foreign: Route[];
}

/** The on-link route of the ZeroTier range: without it no member is given an address of the range. */
export function onLinkRoute(pool: Pool): Route {
  return { target: formatPrefix(pool.zerotier), via: null };
}

/** The route to a slot's Docker subnet. Its `via` is the slot's, so it never changes with the holder. */
export function slotRoute(pool: Pool, slot: number): Route {
  return { target: formatPrefix(dockerSubnet(pool, slot)), via: zerotierAddress(pool, slot) };
}

/**
 * The routes that the pool and its active leases call for, at most `limit`: the on-link route, then one a
 * lease by slot.
 */
export function desiredRoutes(
  pool: Pool,
  leases: readonly { readonly slot: number }[],
  limit: number,
): Route[] {
  const slots = [...new Set(leases.map(({ slot }) => slot))].filter((slot) => isLeasable(pool, slot));
  slots.sort((a, b) => a - b);
  return [onLinkRoute(pool), ...slots.slice(0, Math.max(0, limit - 1)).map((slot) => slotRoute(pool, slot))];
}

/** The slot whose route this is: exactly its subnet via exactly its address; undefined for every other route. */
export function slotOfRoute(pool: Pool, { target, via }: Route): number | undefined {
  const prefix = parsePrefix(target);
  const address = via === null ? undefined : parseAddress(via);
  const slot = address === undefined ? undefined : slotOfAddress(pool, address);
  if (prefix === undefined || slot === undefined) return undefined;
  return formatPrefix(prefix) === formatPrefix(dockerSubnet(pool, slot)) ? slot : undefined;
}

/**
 * Whether the route is one that we wrote: the on-link route, or that of a slot that we lease or whose route we have
 * published (`owned`). Without the last condition the route of a server that somebody set up by hand, whose numbers
 * follow the same scheme, would pass for ours and be withdrawn.
 */
export function isOurRoute(pool: Pool, route: Route, owned: ReadonlySet<number>): boolean {
  const target = parsePrefix(route.target);
  if (target !== undefined && route.via === null) return formatPrefix(target) === formatPrefix(pool.zerotier);
  const slot = slotOfRoute(pool, route);
  return slot !== undefined && owned.has(slot);
}

/**
 * Puts `ours` (from `desiredRoutes`) into the routes that the network has; `owned` are the slots whose
 * routes may be withdrawn. The on-link route comes first,
 * since a node is only sent the first 128; then every route that is not ours, untouched and in its order;
 * then as many of ours as `limit` allows in total. Routes of ours that are no longer called for go.
 */
export function mergeRoutes(
  current: readonly Route[],
  ours: readonly Route[],
  pool: Pool,
  limit: number,
  owned: ReadonlySet<number>,
): MergedRoutes {
  const others = current.filter((route) => !isOurRoute(pool, route, owned));
  const [first, ...rest] = ours;
  const head = first === undefined ? [] : [first];
  const room = Math.max(0, limit - others.length - head.length);
  const routes = [...head, ...others, ...rest.slice(0, room)];
  return { routes, changed: !sameRoutes(current, routes), foreign: others.filter(isInside(pool)) };
}

/** Whether two lists hold the same routes in the same order. */
export function sameRoutes(a: readonly Route[], b: readonly Route[]): boolean {
  return (
    a.length === b.length && a.every(({ target, via }, i) => target === b[i]?.target && via === b[i]?.via)
  );
}

/** The slots that the routes (those that `mergeRoutes` reports as foreign) make unfit for a lease. */
export function slotsTakenByRoutes(pool: Pool, routes: readonly Route[]): Set<number> {
  return new Set(
    routes.filter(isInside(pool)).flatMap(({ target }) => {
      const prefix = parsePrefix(target);
      return prefix === undefined ? [] : slotsOfPrefix(pool, prefix);
    }),
  );
}

function isInside(pool: Pool): (route: Route) => boolean {
  return ({ target }) => {
    const prefix = parsePrefix(target);
    return prefix !== undefined && encloses(pool.docker, prefix);
  };
}
