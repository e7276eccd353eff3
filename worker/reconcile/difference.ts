// What is otherwise at the controller than the leases say, looked at and not touched.
import type { ControllerMember, MemberList } from "../controller/controller.ts";
import { fit as compareSettings } from "../controller/fit.ts";
import { type Route, sameRoutes } from "../lease/managed-routes.ts";
import { wasOffered } from "../outbox/queue.ts";
import { readRoutedSlots, routesToPublish } from "../outbox/route-delivery.ts";
import type { MemberDifference } from "../schema/difference.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { ALL_HEARD, type Unheard } from "../store/unheard-store.ts";
import { decidedThere, isSettled } from "./follow-controller.ts";
import { hasItsAddresses } from "./member-difference.ts";
import { readMembers } from "./read-members.ts";
import { readNetwork } from "./read-network.ts";
import type { Upkeep } from "./upkeep.ts";

/** A lease whose member differs. */
export interface DifferentMember {
  readonly node: StoredNode;
  readonly difference: MemberDifference;
}

/** All that is otherwise at the controller. */
export interface Difference {
  /** The network's settings that the mesh needs otherwise, and what only the operator can put right. */
  readonly settings: readonly string[];
  readonly faults: readonly string[];
  readonly members: readonly DifferentMember[];
  /** Members that cannot be read. */
  readonly unread: readonly string[];
  readonly routes: RouteDifference;
}

/** The managed routes that are to come and to go. */
export interface RouteDifference {
  readonly missing: readonly Route[];
  readonly leftOver: readonly Route[];
}

/** All is as it should be. */
export const NO_DIFFERENCE: Difference = {
  settings: [],
  faults: [],
  members: [],
  unread: [],
  routes: { missing: [], leftOver: [] },
};

/** Looks at the controller, and changes nothing there, nor a lease here. Rejects when it cannot be read. */
export async function findDifference(upkeep: Upkeep): Promise<Difference> {
  const { config, stores } = upkeep;
  const { network } = await readNetwork(upkeep);
  const { change = {}, faults } = compareSettings(network, config.pool);
  // Before the first server comes, nothing is repaired: it may be the wrong network still.
  if (stores.memory.fitness() === undefined) return { ...NO_DIFFERENCE, faults };
  // While something is there that only the operator can put right, its settings are left alone.
  const repaired = faults.length > 0 ? {} : change;
  const { routes } = { ...network, ...repaired };
  const { list, readAt } = await readMembers(upkeep);
  const wanted = routesToPublish(config, routes, readRoutedSlots(config, stores));
  return {
    settings: Object.keys(repaired),
    faults,
    members: differentMembers(upkeep, list, readAt),
    unread: list.unread,
    routes: routeDifference(routes, wanted.routes),
  };
}

/**
 * The nodes whose members differ, of those of which nothing is on its way, in the order of their slots. `readAt`: when the list was
 * asked for (ms since 1970). Reads no row of a node whose member is as that of an active lease should be, unless it is not active.
 */
export function differentMembers(upkeep: Upkeep, list: MemberList, readAt: number): DifferentMember[] {
  const { config, stores } = upkeep;
  const byNode = new Map<string, ControllerMember>(list.members.map((member) => [member.node, member]));
  const unheard = stores.unheard.nodes();
  const notActive = new Map<string, StoredNode>(stores.nodes.notActive().map((node) => [node.node, node]));
  const mayDiffer = ({ slot, node }: { readonly slot: number; readonly node: string }): boolean => {
    if (notActive.has(node) || unheard.has(node)) return true;
    const member = byNode.get(node);
    return !(member?.authorized && hasItsAddresses(config, { slot }, member));
  };
  return [...stores.slots.holders().all()].filter(mayDiffer).flatMap(({ node: id }) => {
    const node = notActive.get(id) ?? stores.nodes.get(id);
    if (node === undefined || !isCompared(stores, node, list, readAt)) return [];
    const written = unheard.has(id) ? stores.unheard.of(id) : ALL_HEARD;
    const difference = compare(upkeep, node, byNode.get(id), written);
    return difference === undefined ? [] : [{ node, difference }];
  });
}

/** Not what is on its way, or arrived after the list was asked for; nor what is there and cannot be read. */
export function isCompared(
  stores: Stores,
  node: StoredNode,
  { unread }: MemberList,
  readAt: number,
): boolean {
  return isSettled(stores, node, readAt) && !unread.includes(node.node);
}

function compare(
  { config, stores }: Upkeep,
  node: StoredNode,
  member: ControllerMember | undefined,
  written: Unheard,
): MemberDifference | undefined {
  const decided = member && decidedThere(node, member, written);
  if (decided !== undefined) return decided === "active" ? "let-in-there" : "taken-out-there";
  // One that he authorized himself, of which it was never told, is left alone.
  if (node.state !== "active")
    return member?.authorized && wasOffered(stores, node) ? "still-authorized" : undefined;
  if (member === undefined) return "missing";
  if (!member.authorized) return "made-anew";
  if (!hasItsAddresses(config, node, member)) return "drifted";
  // The operator may call it otherwise there; but not what a late write of ours has named it.
  return written.in !== undefined && member.name !== node.name ? "drifted" : undefined;
}

/** The routes that are to come and to go, where the network has these and is to have those. */
export function routeDifference(routes: readonly Route[], wanted: readonly Route[]): RouteDifference {
  const isIn = (all: readonly Route[], route: Route): boolean =>
    all.some((other) => sameRoutes([other], [route]));
  return {
    missing: wanted.filter((route) => !isIn(routes, route)),
    leftOver: routes.filter((route) => !isIn(wanted, route)),
  };
}
