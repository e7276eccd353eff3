// A backup is of the past, and the controller is as it is now: what was deleted, let in or leased since the backup was made shows
// there. So the controller counts, and nothing has to be written there for what is restored.
import type { ControllerMember, MemberList } from "../controller/controller.ts";
import { freeAt } from "../lease/lease-times.ts";
import { type Pool, slotOfText, slotsOfTexts } from "../lease/pool.ts";
import type { RestoredView } from "../schema/backup.ts";
import { NO_NODE, type Snapshot, type SnapshotNode, type SnapshotSlot } from "../store/snapshot-store.ts";
import { canStillLand } from "../store/unheard-store.ts";

type Difference = RestoredView["differences"][number];
type Stranger = RestoredView["strangers"][number];

/** What is to be stored, and where the controller says otherwise than the backup. */
export interface Followed {
  readonly snapshot: Snapshot;
  readonly differences: readonly Difference[];
  readonly strangers: readonly Stranger[];
}

/** The members, by the addresses of slots that they have. */
class Seats {
  readonly #bySlot: ReadonlyMap<number, readonly ControllerMember[]>;
  readonly #slotsOf = new Map<string, readonly number[]>();

  constructor(pool: Pool, members: readonly ControllerMember[]) {
    const seats = members.flatMap((member) =>
      slotsOfTexts(pool, member.addresses).map((slot) => ({ slot, member })),
    );
    const bySlot = Map.groupBy(seats, ({ slot }) => slot);
    this.#bySlot = new Map([...bySlot].map(([slot, all]) => [slot, all.map(({ member }) => member)]));
    const taken = seats.filter(({ member }) => member.authorized);
    for (const [node, all] of Map.groupBy(taken, ({ member }) => member.node))
      this.#slotsOf.set(
        node,
        all.map(({ slot }) => slot),
      );
  }

  /** Whether the node is let in with the slot's address. */
  has(node: string, slot: number): boolean {
    return this.of(node).includes(slot);
  }

  /** The slots with whose addresses the node is let in. */
  of(node: string): readonly number[] {
    return this.#slotsOf.get(node) ?? [];
  }

  /** Whether anybody is let in with the slot's address. */
  isTaken(slot: number): boolean {
    return this.#bySlot.get(slot)?.some(({ authorized }) => authorized) ?? false;
  }

  /** Who else has the slot's address, let in or not: whoever is not may be let in again by a tick at the controller. */
  other(node: string, slot: number): string | undefined {
    return this.#bySlot.get(slot)?.find((member) => member.node !== node)?.node;
  }
}

/** Takes over what the controller says of all members. `now`: when it was asked (ms since 1970). */
export function followMembers(
  backup: Snapshot,
  members: MemberList["members"],
  pool: Pool,
  now: number,
): Followed {
  const seats = new Seats(pool, members);
  const byNode = new Map(members.map((member) => [member.node, member]));
  const followed = backup.nodes.map((node) => follow(node, byNode.get(node.node), seats, now));
  const nodes = followed.flatMap(({ node }) => node ?? []);
  const differences = followed.flatMap(({ difference }) => difference ?? []);
  const ending = new Map(backup.formerNodes.map((former) => [former.node, former.ending]));
  const reserved = new Map(backup.reservations.map(({ name, slot }) => [slot, name]));
  const leased = new Set(nodes.map(({ node, slot }) => `${node} ${slot}`));
  const strangers = members.flatMap((member) =>
    seats
      .of(member.node)
      .filter((slot) => !leased.has(`${member.node} ${slot}`))
      .map((slot) => ({
        member: member.node,
        name: member.name,
        slot,
        address: member.addresses.find((text) => slotOfText(pool, text) === slot) ?? "",
        reservation: reserved.get(slot) ?? null,
        ending: ending.get(member.node) ?? null,
      })),
  );
  const isOurs = ourRoutes(nodes, seats);
  const holders = new Set<string>(nodes.map(({ node }) => node));
  const mayLandFor = (node: string): boolean => byNode.get(node)?.authorized !== true || holders.has(node);
  return {
    snapshot: {
      ...backup,
      nodes,
      released: restingSlots(backup, differences, seats, now),
      // That somebody without a lease is in is nobody's late call any more, for all that is known.
      unheard: backup.unheard.filter(
        ({ node, authorized, at }) => canStillLand(at, now) && (!authorized || mayLandFor(node)),
      ),
      slotsPublished: backup.slotsPublished.filter(isOurs),
      routesUnheard: backup.routesUnheard
        .filter(({ at }) => canStillLand(at, now))
        .map((write) => ({ ...write, slots: write.slots.filter(isOurs) })),
    },
    differences,
    strangers,
  };
}

/**
 * Whether the route to the slot is ours still: its holder is in as it was. Of another, whoever has the address now may have set the
 * very same by hand.
 */
function ourRoutes(nodes: readonly SnapshotNode[], seats: Seats): (slot: number) => boolean {
  const holders = new Map(nodes.map((node) => [node.slot, node]));
  return (slot) => {
    const holder = holders.get(slot);
    return holder?.state === "active" && seats.has(holder.node, slot);
  };
}

/** The node as it is to be stored, undefined when it is left out; and how it was found otherwise, if it was. */
function follow(
  node: SnapshotNode,
  member: ControllerMember | undefined,
  seats: Seats,
  now: number,
): { readonly node?: SnapshotNode; readonly difference?: Difference } {
  const { node: id, name, slot } = node;
  const otherwise = (
    found: Difference["found"],
    state: Difference["state"],
    other: string | null = null,
  ): Difference => ({ node: id, name, slot, found, state, member: other });
  const known = { ...node, deauthorizedAt: member?.deauthorizedAt ?? node.deauthorizedAt };
  if (seats.has(id, slot)) {
    const taken = { ...known, letInAt: null, deliveredAt: node.deliveredAt ?? now };
    if (node.state === "active") return { node: taken };
    return {
      node: { ...taken, state: "active", revokedBy: null },
      difference: otherwise("let-in", "active"),
    };
  }
  const other = seats.other(id, slot);
  if (other !== undefined) return { difference: otherwise("slot-held", null, other) };
  // What it would get of us, now or when it is let in again, is another address than it has.
  if (seats.of(id).length > 0) return { difference: otherwise("moved", null) };
  if (node.state !== "active") return { node: known };
  if (node.deliveredAt === null) return { difference: otherwise("untold", null) };
  if (member?.authorized)
    return { node: { ...known, letInAt: null }, difference: otherwise("drifted", "active") };
  return {
    node: { ...known, state: "revoked", revokedBy: "controller", letInAt: null },
    difference: otherwise(member === undefined ? "absent" : "deauthorized", "revoked"),
  };
}

/**
 * The released slots, and those of nodes that are left out: each for a whole quarantine from now on, since nobody knows who had it
 * after the backup was made. Not those that somebody is in with, who gets his own when he enrols again.
 */
function restingSlots(
  { released }: Snapshot,
  differences: readonly Difference[],
  seats: Seats,
  now: number,
): SnapshotSlot[] {
  const left = differences
    // Of a lease that had not been told a write may have left since, and land yet.
    .filter(({ found }) => found === "moved" || found === "untold")
    .map(({ node, slot }) => ({ slot, node, releasedAt: now, freeAt: null }));
  const known = new Set(released.map(({ slot }) => slot));
  return [...released, ...left.filter(({ slot }) => !known.has(slot))]
    .filter(({ slot }) => !seats.isTaken(slot))
    .map(({ node, ...rest }) => ({
      ...rest,
      node: seats.of(node).length > 0 ? NO_NODE : node,
      freeAt: Math.max(rest.freeAt ?? 0, freeAt(now)),
    }));
}
