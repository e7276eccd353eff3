// Which members of a network that was built by hand can be leases as they are, and what the controller has to be told for it.
import type {
  ControllerMember,
  ControllerNetwork,
  MemberChange,
  MemberList,
  NetworkChange,
} from "../controller/controller.ts";
import { fit as compare } from "../controller/fit.ts";
import { isFree } from "../lease/choose-slot.ts";
import { type NodeId, parseNodeId } from "../lease/ids.ts";
import { foreignRoutes } from "../lease/managed-routes.ts";
import { nameFrom } from "../lease/name.ts";
import { slotsOfTexts } from "../lease/pool.ts";
import { type HandFault, slotByHand } from "../lease/set-up-by-hand.ts";
import { routesToPublish } from "../outbox/route-delivery.ts";
import { newNode, type StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { NO_DIFFERENCE, type RouteDifference, routeDifference } from "./difference.ts";
import { awaited } from "./last-holder.ts";
import { differenceOf, hasItsAddresses } from "./member-difference.ts";
import type { Upkeep } from "./upkeep.ts";

/** Members that one call adopts at most: each costs some rows of the object's day, and a write of KV's. */
export const MOST_ADOPTED = 200;

/** Members that are named at most among those that are left. */
const MOST_LEFT = 200;

/** The network and its members as they were read, and when (ms since 1970). */
export interface SeenNetwork {
  readonly network: ControllerNetwork;
  readonly networkAt: number;
  readonly list: MemberList;
  readonly membersAt: number;
}

/** A member that becomes a lease. */
export interface Adoption {
  readonly lease: StoredNode;
  /** The name that it would have, were that not taken; undefined for a reserved one, which it has. */
  readonly wanted: string | undefined;
  /** Whether its route is there, and becomes ours. */
  readonly isRouted: boolean;
  /** What the controller has to be told of it, if anything. */
  readonly change: MemberChange | undefined;
}

/** Why a member is not adopted: what it has is not a lease's, or its slot is not free here. Times in ms since 1970. */
export type AdoptionFault =
  | HandFault
  | { readonly reason: "unread" | "no-member" | "has-lease" | "on-its-way" }
  | { readonly reason: "slot-leased"; readonly slot: number; readonly node: string }
  | { readonly reason: "slot-reserved"; readonly slot: number; readonly name: string }
  | {
      readonly reason: "slot-resting";
      readonly slot: number;
      readonly node: string;
      readonly until: number | null;
    };

/** A member that is left as it is. */
export interface LeftMember {
  readonly node: string;
  /** At the controller; empty where that is not known. */
  readonly name: string;
  readonly fault: AdoptionFault;
}

/** All that adopting would do. */
export interface AdoptionPlan {
  /** By slot. */
  readonly adopted: readonly Adoption[];
  /** Whether more could be adopted, by another call. */
  readonly more: boolean;
  /** The first of them, and how many there are. */
  readonly left: readonly LeftMember[];
  readonly leftInAll: number;
  /** What the network's settings become, but for its routes. */
  readonly settings: Omit<NetworkChange, "routes">;
  /** The routes that come and go. */
  readonly routes: RouteDifference;
}

/** A member whose numbers are those of one slot. */
interface Candidate {
  readonly member: ControllerMember;
  readonly node: NodeId;
  readonly slot: number;
  readonly isRouted: boolean;
}

/** Plans the adoption of all members that can be leases, or of those `only`. Changes nothing. */
export function planAdoption(
  upkeep: Upkeep,
  seen: SeenNetwork,
  only: readonly NodeId[] | undefined,
): AdoptionPlan {
  const { candidates, left } = sortMembers(upkeep, seen, only);
  const adopted: Adoption[] = [];
  const given = new Set<string>();
  let more = false;
  for (const candidate of candidates) {
    const fault = standingFault(upkeep, candidate);
    if (fault !== undefined) {
      left.push({ node: candidate.node, name: candidate.member.name, fault });
      continue;
    }
    more = adopted.length === MOST_ADOPTED;
    if (more) break;
    const adoption = adoptionOf(upkeep, candidate, given);
    given.add(adoption.lease.name);
    adopted.push(adoption);
  }
  const found = { adopted, more, left: left.slice(0, MOST_LEFT), leftInAll: left.length };
  return { ...found, ...changesFor(upkeep, seen.network, adopted) };
}

/** What the network has to become for the leases: nothing without any. */
function changesFor(
  { stores, config }: Upkeep,
  network: ControllerNetwork,
  adopted: readonly Adoption[],
): Pick<AdoptionPlan, "settings" | "routes"> {
  if (adopted.length === 0) return { settings: {}, routes: NO_DIFFERENCE.routes };
  const { change: { routes = network.routes, ...settings } = {} } = compare(network, config.pool);
  const slots = new Set(adopted.map(({ lease }) => lease.slot));
  const routed = adopted.flatMap(({ lease, isRouted }) => (isRouted ? [lease.slot] : []));
  const owned = new Set([...stores.routes.owned(), ...routed]);
  // Whose route made the slot foreign has it now.
  const foreign = new Set([...stores.slots.routed()].filter((slot) => !slots.has(slot)));
  const active = [
    ...stores.nodes.activeSlots(config.routeLimit, foreign, owned),
    ...[...slots].map((slot) => ({ slot })),
  ];
  const wanted = routesToPublish(config, routes, { active, owned });
  return { settings, routes: routeDifference(network.routes, wanted.routes) };
}

/** The members without a lease: by slot those whose numbers are a slot's, and those that are left. */
function sortMembers(
  { config: { pool }, stores }: Upkeep,
  { network, list }: SeenNetwork,
  only: readonly NodeId[] | undefined,
): { readonly candidates: readonly Candidate[]; readonly left: LeftMember[] } {
  const isAsked = (node: string): boolean => only === undefined || only.some((one) => one === node);
  const holders = Map.groupBy(
    list.members.flatMap(({ node, addresses }) =>
      slotsOfTexts(pool, addresses).map((slot) => ({ node, slot })),
    ),
    ({ slot }) => slot,
  );
  const byHand = {
    holdersOf: (slot: number) => (holders.get(slot) ?? []).map(({ node }) => node),
    routes: foreignRoutes(network.routes, pool, stores.routes.owned()),
  };
  const candidates: Candidate[] = [];
  const left: LeftMember[] = [];
  for (const member of list.members.filter(({ node }) => isAsked(node))) {
    const { node: id, name } = member;
    if (stores.nodes.get(id) !== undefined) {
      if (only !== undefined) left.push({ node: id, name, fault: { reason: "has-lease" } });
      continue;
    }
    const node = parseNodeId(id);
    const found = slotByHand(pool, member, byHand);
    if (node === undefined) left.push({ node: id, name, fault: { reason: "unread" } });
    else if (found.ok) candidates.push({ member, node, ...found.value });
    else left.push({ node, name, fault: found.error });
  }
  const there = new Set(list.members.map(({ node }) => node));
  for (const node of list.unread.filter(isAsked)) left.push({ node, name: "", fault: { reason: "unread" } });
  for (const node of only ?? [])
    if (!there.has(node) && !list.unread.includes(node))
      left.push({ node, name: "", fault: { reason: "no-member" } });
  return { candidates: candidates.sort((a, b) => a.slot - b.slot), left };
}

/** What is in the way here. */
function standingFault(
  { stores, members, now }: Upkeep,
  { node, slot, member }: Candidate,
): AdoptionFault | undefined {
  const holder = stores.slots.holder(slot);
  if (holder !== undefined) return { reason: "slot-leased", slot, node: holder };
  const reservation = stores.reservations.bySlot(slot);
  if (reservation !== undefined && wantedName(node, member) !== reservation.name)
    return { reason: "slot-reserved", slot, name: reservation.name };
  if (isOnItsWay(stores, node) || members.newest(node) !== member) return { reason: "on-its-way" };
  const last = stores.slots.released(slot);
  if (last === undefined || last.node === node) return undefined;
  if (!isFree(last, now()))
    return { reason: "slot-resting", slot, node: last.node, until: last.freeAt ?? null };
  const waits = awaited(stores, { node, slot }, now());
  return waits && { reason: "slot-resting", slot, node: last.node, until: waits.until };
}

/** Whether the controller is to be told something of the node, or may still take a call of ours about it. */
function isOnItsWay({ outbox, unheard, slots }: Stores, node: NodeId): boolean {
  const written = unheard.of(node);
  return (
    outbox.get("member", node) !== undefined ||
    slots.isRemovalDue(node) ||
    written.in !== undefined ||
    written.out !== undefined
  );
}

function adoptionOf(
  { config, stores, now }: Upkeep,
  { node, slot, member, isRouted }: Candidate,
  given: ReadonlySet<string>,
): Adoption {
  const reservation = stores.reservations.bySlot(slot);
  const wanted = reservation === undefined ? wantedName(node, member) : undefined;
  const name = reservation?.name ?? stores.names.preview(wantedName(node, member), given);
  const at = now();
  const lease: StoredNode = {
    ...newNode({ node, name, slot, state: "active" }, at),
    // That the controller says nothing of it is no sign that it is away.
    seenAt: Math.min(member.lastSeen || at, at),
    // It is there as it should be, and nobody had to be told.
    deliveredAt: at,
    letInAt: null,
    deauthorizedAt: member.deauthorizedAt ?? null,
  };
  // Another name alone is the operator's, and stays.
  const change = hasItsAddresses(config, lease, member)
    ? undefined
    : differenceOf(config, stores, lease, member);
  return { lease, wanted, isRouted, change };
}

function wantedName(node: NodeId, { name }: ControllerMember): string {
  return nameFrom(name) ?? `node-${node}`;
}
