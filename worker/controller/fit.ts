import {
  encloses,
  formatPrefix,
  type Prefix,
  parseAddress,
  parseMaskedPrefix,
  parsePrefix,
  sizeOf,
} from "../address/prefix.ts";
import type { Route } from "../lease/managed-routes.ts";
import { autoAssignRange, type Pool, slotLimit, zerotierAddress } from "../lease/pool.ts";
import type { AssignmentRange, ControllerNetwork, NetworkChange } from "./controller.ts";

/** A node is sent so many routes, the first (ZeroTierOne, ZT_MAX_NETWORK_ROUTES). */
const MOST_SENT = 128;

/** What a network lacks to carry the mesh. */
export interface Fit {
  /** Settings that can be added without touching the operator's; undefined when none is missing. */
  readonly change: NetworkChange | undefined;
  /** What only the operator can put right, each with its remedy. While there is one, no node should be let in. */
  readonly faults: string[];
}

/**
 * Compares a network with what the mesh needs: 6PLANE on, the on-link route of the ZeroTier range among the
 * first (a member is sent 128 routes, and an address in no route is silently not handed out), and auto-assigned addresses
 * for other members where no lease can be. Applying the change leaves nothing to change; the operator's settings stay.
 */
export function fit(network: ControllerNetwork, pool: Pool): Fit {
  const routes = fitRoutes(network.routes, pool);
  const change: NetworkChange = {
    ...(network.v6.sixPlane ? {} : { v6: { ...network.v6, sixPlane: true } }),
    ...(routes === undefined ? {} : { routes }),
    ...fitAssignment(network, pool),
  };
  return {
    change: Object.keys(change).length === 0 ? undefined : change,
    faults: [
      ...publicFault(network),
      ...network.routes.flatMap((route) => routeFault(route, network.routes, pool)),
      ...(network.v4AutoAssign ? network.pools.flatMap((range) => rangeFault(range, pool)) : []),
    ],
  };
}

/**
 * The routes with the on-link route first; undefined when it is among those that a node is sent, or when another route is in
 * its place. Its order alone is no reason to write: a route that somebody saves at that moment would be lost.
 */
function fitRoutes(routes: readonly Route[], pool: Pool): Route[] | undefined {
  const isRange = (route: Route): boolean => isTarget(route, pool.zerotier);
  const onLink = routes.find((route) => isRange(route) && route.via === null);
  if (onLink === undefined) {
    if (routes.some(isRange)) return undefined;
    return [{ target: formatPrefix(pool.zerotier), via: null }, ...routes];
  }
  if (routes.indexOf(onLink) < MOST_SENT) return undefined;
  return [onLink, ...routes.filter((route) => route !== onLink)];
}

/** An auto-assign range when the network has none for IPv4; ranges that are there stay, also when switched off. */
function fitAssignment(network: ControllerNetwork, pool: Pool): NetworkChange {
  if (network.pools.some((range) => boundsOf(range) !== undefined)) return {};
  return {
    pools: [...network.pools, autoAssignRange(pool)],
    ...(network.v4AutoAssign ? {} : { v4AutoAssign: true }),
  };
}

function publicFault(network: ControllerNetwork): string[] {
  if (network.private) return [];
  return [
    "The network is public: whoever knows its id is let in. Set its Access Control to Private in the controller.",
  ];
}

function routeFault(route: Route, all: readonly Route[], pool: Pool): string[] {
  const target = parseMaskedPrefix(route.target);
  if (target === undefined) return [];
  const shown = route.via === null ? `${route.target} (on-link)` : `${route.target} via ${route.via}`;
  const range = formatPrefix(pool.zerotier);
  if (formatPrefix(target) === range) {
    const shadowed = all.some((other) => isTarget(other, pool.zerotier) && other.via === null);
    if (route.via === null || shadowed) return [];
    return [
      `The network routes the ZeroTier range, ${shown}, where an on-link route is needed: members would look for each other behind that gateway. Delete the route in the controller, or choose another ZEROTIER_RANGE.`,
    ];
  }
  if (encloses(pool.zerotier, target) && reachesLeasable(boundsOfPrefix(target), pool)) {
    return [
      `The network's route ${shown} cuts into the ZeroTier range ${range}: members with addresses in it would be given its prefix length and lose the others. Delete the route in the controller, or choose another ZEROTIER_RANGE.`,
    ];
  }
  // A default route covers everything and takes nothing: any more specific route wins.
  if (encloses(target, pool.docker) && target.length > 0) {
    return [
      `The network's route ${shown} covers the whole Docker pool ${formatPrefix(pool.docker)}: what lives there would be cut off server by server. Delete the route in the controller, or choose another DOCKER_POOL.`,
    ];
  }
  return [];
}

function rangeFault(range: AssignmentRange, pool: Pool): string[] {
  const bounds = boundsOf(range);
  if (bounds === undefined || !reachesLeasable(bounds, pool)) return [];
  const free = autoAssignRange(pool);
  return [
    `The network's auto-assign pool ${range.ipRangeStart}-${range.ipRangeEnd} reaches into the addresses ${zerotierAddress(pool, 1)}-${zerotierAddress(pool, slotLimit(pool))} that are leased to servers: a laptop could be given a server's address. Change it in the controller to ${free.ipRangeStart}-${free.ipRangeEnd}.`,
  ];
}

interface Bounds {
  readonly first: bigint;
  readonly last: bigint;
}

/** The ends of an IPv4 range; undefined for IPv6 and for what is no range, which assigns nothing. */
function boundsOf(range: AssignmentRange): Bounds | undefined {
  const start = parseAddress(range.ipRangeStart);
  const end = parseAddress(range.ipRangeEnd);
  if (start?.family !== 4 || end?.family !== 4 || end.value < start.value) return undefined;
  return { first: start.value, last: end.value };
}

function boundsOfPrefix(prefix: Prefix): Bounds {
  return { first: prefix.first, last: prefix.first + sizeOf(prefix) - 1n };
}

function reachesLeasable({ first, last }: Bounds, pool: Pool): boolean {
  const lowest = pool.zerotier.first + 1n;
  const highest = pool.zerotier.first + BigInt(slotLimit(pool));
  return first <= highest && last >= lowest;
}

/** Whether the route's target is the prefix as we write it. */
function isTarget(route: Route, prefix: Prefix): boolean {
  const target = parsePrefix(route.target);
  return target !== undefined && formatPrefix(target) === formatPrefix(prefix);
}
