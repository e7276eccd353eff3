import {
  encloses,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parseMaskedPrefix,
  parsePrefix,
} from "../address/prefix.ts";
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
  /** Whether that differs from what is there by more than its order. */
  readonly changed: boolean;
}

/** The on-link route of the ZeroTier range: without it no member is given an address of the range. */
export function onLinkRoute(pool: Pool): Route {
  return { target: formatPrefix(pool.zerotier), via: null };
}

/** The route to a slot's Docker subnet. Its `via` is the slot's, so it never changes with the holder. */
export function slotRoute(pool: Pool, slot: number): Route {
  return { target: formatPrefix(dockerSubnet(pool, slot)), via: zerotierAddress(pool, slot) };
}

/** The routes that the pool and its active leases call for: the on-link route, then one a lease by slot. */
export function desiredRoutes(pool: Pool, leases: readonly { readonly slot: number }[]): Route[] {
  const slots = [...new Set(leases.map(({ slot }) => slot))].filter((slot) => isLeasable(pool, slot));
  slots.sort((a, b) => a - b);
  return [onLinkRoute(pool), ...slots.map((slot) => slotRoute(pool, slot))];
}

/** The slot whose route this is: exactly its subnet, as we write it, via exactly its address; undefined for every other route. */
export function slotOfRoute(pool: Pool, { target, via }: Route): number | undefined {
  const prefix = parsePrefix(target);
  const address = via === null ? undefined : parseAddress(via);
  const slot = address === undefined ? undefined : slotOfAddress(pool, address);
  if (prefix === undefined || slot === undefined) return undefined;
  return formatPrefix(prefix) === formatPrefix(dockerSubnet(pool, slot)) ? slot : undefined;
}

/** Whether the route is the on-link one of the ZeroTier range. */
function isOnLink(pool: Pool, { target, via }: Route): boolean {
  const prefix = via === null ? parsePrefix(target) : undefined;
  return prefix !== undefined && formatPrefix(prefix) === formatPrefix(pool.zerotier);
}

/**
 * Whether the route is ours to withdraw. `owned`: the slots whose routes we wrote; without that condition the route of a
 * server that somebody set up by hand, whose numbers follow the same scheme, would pass for ours.
 */
export function isOurs(pool: Pool, route: Route, owned: ReadonlySet<number>): boolean {
  const slot = slotOfRoute(pool, route);
  return slot !== undefined && owned.has(slot);
}

/**
 * What is to be written so that the network has `ours` (from `desiredRoutes`) besides the routes of others. `owned` are the
 * slots whose routes are ours to withdraw. Whatever is not ours stays, untouched and in its place; so does what is ours
 * already, since each write is a moment in which somebody else's may be lost. The on-link route, when it
 * is missing, comes first: a node is only sent the first 128. Ours are added as far as `limit` allows in total, by slot;
 * none that is there is taken away for it, since servers without an agent may live by it.
 */
export function mergeRoutes(
  current: readonly Route[],
  ours: readonly Route[],
  pool: Pool,
  limit: number,
  owned: ReadonlySet<number>,
): MergedRoutes {
  const others = current.filter((route) => !isOurs(pool, route, owned));
  const isLinked = current.some((route) => isOnLink(pool, route));
  const head = isLinked ? [] : ours.filter((route) => isOnLink(pool, route));
  const there = new Set(others.flatMap((route) => slotOfRoute(pool, route) ?? []));
  const held = new Set(current.flatMap((route) => slotOfRoute(pool, route) ?? []));
  const wanted = ours.flatMap((route) => slotOfRoute(pool, route) ?? []).filter((slot) => !there.has(slot));
  const staying = wanted.filter((slot) => held.has(slot));
  const room = Math.max(0, limit - others.length - head.length - staying.length);
  const missing = new Set([...staying, ...wanted.filter((slot) => !held.has(slot)).slice(0, room)]);
  const kept = current.filter(
    (route) => !isOurs(pool, route, owned) || missing.delete(slotOfRoute(pool, route) ?? 0),
  );
  const added = [...missing].map((slot) => slotRoute(pool, slot));
  return {
    routes: [...head, ...kept, ...added],
    changed: head.length > 0 || added.length > 0 || kept.length < current.length,
  };
}

/** The routes inside the Docker pool that are not ours: their slots must not be leased. */
export function foreignRoutes(current: readonly Route[], pool: Pool, owned: ReadonlySet<number>): Route[] {
  return current.filter((route) => insideOf(pool, route) !== undefined && !isOurs(pool, route, owned));
}

/** Whether two lists hold the same routes, in whatever order. */
export function sameRoutes(a: readonly Route[], b: readonly Route[]): boolean {
  const sorted = (routes: readonly Route[]): string[] =>
    routes.map(({ target, via }) => JSON.stringify([target, via])).sort();
  const other = sorted(b);
  return a.length === b.length && sorted(a).every((route, at) => route === other[at]);
}

/** The slots that the routes (from `foreignRoutes`) make unfit for a lease. */
export function slotsTakenByRoutes(pool: Pool, routes: readonly Route[]): Set<number> {
  return new Set(
    routes.flatMap((route) => {
      const prefix = insideOf(pool, route);
      return prefix === undefined ? [] : slotsOfPrefix(pool, prefix);
    }),
  );
}

/** Whether the route lies inside the pool and touches the slot's subnet: the slot is among those of {@link slotsTakenByRoutes}. */
export function isSlotTaken(pool: Pool, route: Route, slot: number): boolean {
  const prefix = insideOf(pool, route);
  return prefix !== undefined && overlaps(prefix, dockerSubnet(pool, slot));
}

/** Where the route leads, if that lies inside the Docker pool. */
function insideOf({ docker }: Pool, { target }: Route): Prefix | undefined {
  const prefix = parseMaskedPrefix(target);
  return prefix !== undefined && encloses(docker, prefix) ? prefix : undefined;
}
