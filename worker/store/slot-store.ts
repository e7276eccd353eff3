// Which slots may not be leased, besides those in use: released ones until their quarantine ends, and those
// in which somebody else has a route or an address.
import type { ReleasedSlot, SlotBook } from "../lease/choose-slot.ts";
import { outSince } from "../lease/lease-times.ts";
import { ownSlot } from "../lease/own-slot.ts";
import type { Pool } from "../lease/pool.ts";
import type { Database } from "./database.ts";
import type { HeldAt, MemoryStore } from "./memory-store.ts";
import type { ReservationStore } from "./reservation-store.ts";
import type { Holders, SlotPages } from "./slot-pages.ts";

type Row = { slot: number; node: string; released_at: number; free_at: number | null };

const SELECT = "SELECT slot, node, released_at, free_at FROM released";

/** What others than those to whom slots are leased have there. */
interface Others {
  /** When the members were listed (ms since 1970). */
  readonly at: number;
  /** Slots that a foreign route touches. */
  readonly routed: ReadonlySet<number>;
  /** Members by the slots whose ZeroTier addresses they have. */
  readonly members: ReadonlyMap<number, HeldAt["held"]>;
}

export class SlotStore {
  readonly #db: Database;
  readonly #memory: MemoryStore;
  readonly #pages: SlotPages;
  readonly #reservations: ReservationStore;

  constructor(db: Database, memory: MemoryStore, pages: SlotPages, reservations: ReservationStore) {
    this.#db = db;
    this.#memory = memory;
    this.#pages = pages;
    this.#reservations = reservations;
  }

  /** What a new lease of the node's is chosen from. */
  bookFor(pool: Pool, node: string): SlotBook {
    const others = this.#others();
    const own = this.ownedBy(pool, node);
    return {
      isKept: (slot) => this.holder(slot) !== undefined || this.#reservations.bySlot(slot) !== undefined,
      isExcluded: (slot) => this.#isExcluded(slot, others),
      released: (slot) => this.released(slot),
      formerOf: (holder) => this.formerOf(holder),
      neverLeased: () => this.#neverLeased(others, own),
      freeAgain: (now) => this.#freeAgain(now),
      own,
    };
  }

  /** Without those that somebody else has: of a slot that was never leased that is no last holder, and nothing need be looked up. */
  *#neverLeased({ routed, members }: Others, own: number | undefined): Iterable<number> {
    for (const slot of this.#pages.neverLeased())
      if (slot === own || !(routed.has(slot) || members.has(slot))) yield slot;
  }

  /** The node that the slot is leased to. */
  holder(slot: number): string | undefined {
    return this.#db.read<{ node: string }>("SELECT node FROM nodes WHERE slot = ?", slot)[0]?.node;
  }

  /** The nodes that the slots are leased to, all at once: for a look at very many. */
  holders(): Holders {
    return this.#pages.holders();
  }

  /** How the slot was released, if it was and the controller has not taken a new holder yet. */
  released(slot: number): ReleasedSlot | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE slot = ?`, slot).map(fromRow)[0];
  }

  /** The slots that the node left, the one that it had last first. */
  formerOf(node: string): ReleasedSlot[] {
    return this.#db
      .read<Row>(`${SELECT} WHERE node = ? ORDER BY released_at DESC, slot DESC`, node)
      .map(fromRow);
  }

  /** Those whose quarantine is over, the one released longest ago first, read one by one as they are asked for. */
  *#freeAgain(now: number): Iterable<ReleasedSlot> {
    // While none is free, none is looked at.
    const { next } = this.#db.readOne<{ next: number | null }>("SELECT min(free_at) AS next FROM released");
    if (next === null || next > now) return;
    let after = { releasedAt: -1, slot: 0 };
    for (;;) {
      const [row] = this.#db.read<Row>(
        `${SELECT} INDEXED BY released_by_time
           WHERE (released_at, slot) > (?, ?) AND free_at <= ? ORDER BY released_at, slot LIMIT 1`,
        after.releasedAt,
        after.slot,
        now,
      );
      if (row === undefined) return;
      const released = fromRow(row);
      yield released;
      after = released;
    }
  }

  /** The slots in quarantine, and those whose last holder is still to be taken out. Reads no others. */
  inQuarantine(now: number): ReleasedSlot[] {
    return this.#db.read<Row>(`${SELECT} WHERE free_at IS NULL OR free_at > ?`, now).map(fromRow);
  }

  /** How many were released since then (ms since 1970). */
  countReleasedSince(at: number): number {
    return this.#db.readOne<{ count: number }>(
      "SELECT count(*) AS count FROM released WHERE released_at > ?",
      at,
    ).count;
  }

  /** Gives the slot back. Its quarantine begins when the controller has taken that. */
  release(slot: number, node: string, releasedAt: number): void {
    this.#db.write(
      "INSERT OR REPLACE INTO released (slot, node, released_at) VALUES (?, ?, ?)",
      slot,
      node,
      releasedAt,
    );
    this.#pages.follow(slot);
  }

  /** Whether the controller is still to take that the node has left a slot. */
  isRemovalDue(node: string): boolean {
    return this.formerOf(node).some(({ freeAt }) => freeAt === undefined);
  }

  /** Whether the node has left the slot since then (ms since 1970), and the controller is still to take that. */
  hasLeft(node: string, slot: number, since: number): boolean {
    const left = this.#db.read(
      "SELECT slot FROM released WHERE slot = ? AND node = ? AND released_at >= ? AND free_at IS NULL",
      slot,
      node,
      since,
    );
    return left.length > 0;
  }

  /** The controller has taken what the node is now: with the slot `has`, if any, and none that it had before. */
  beginQuarantine(node: string, has: number | undefined, freeAt: number): void {
    this.#db.write(
      "UPDATE released SET free_at = ? WHERE node = ? AND free_at IS NULL AND slot IS NOT ?",
      freeAt,
      node,
      has ?? null,
    );
  }

  /** The controller is to take once more that the last holder of the slot is out. */
  reopen(slot: number): void {
    this.#db.write("UPDATE released SET free_at = NULL WHERE slot = ?", slot);
  }

  /** Forgets the slots that were leased: they were those of another pool. */
  forget(): void {
    this.#db.write("DELETE FROM released");
    this.#pages.forgetReleased();
  }

  /** Notes that the controller has taken the new holder. */
  take(slot: number): void {
    this.#db.write("DELETE FROM released WHERE slot = ?", slot);
  }

  /** Slots that a foreign route inside the pool touches. */
  routed(): Set<number> {
    return new Set(this.#memory.slotsRouted()?.slots);
  }

  /** Slots that must not be leased, since somebody else has a route or an address there; to a node that has one at the controller, see {@link ownedBy}. */
  excluded(): Set<number> {
    const others = this.#others();
    const touched = [...others.routed, ...others.members.keys()];
    return new Set(touched.filter((slot) => this.#isExcluded(slot, others)));
  }

  /** The slot that the node has by what the controller says, without a lease. */
  ownedBy(pool: Pool, node: string): number | undefined {
    return ownSlot(pool, node, this.#memory.slotsHeld()?.held ?? [], this.#memory.conflicts());
  }

  /** Whether somebody else's route or address keeps the slot from being leased to the node. */
  isExcludedFor(pool: Pool, node: string, slot: number): boolean {
    return this.#isExcluded(slot, this.#others()) && this.ownedBy(pool, node) !== slot;
  }

  #others(): Others {
    const { at, held } = this.#memory.slotsHeld() ?? { at: 0, held: [] };
    return { at, routed: this.routed(), members: Map.groupBy(held, ({ slot }) => slot) };
  }

  /** A last holder that has the address still is on its way out, unless it was out before the members were listed. */
  #isExcluded(slot: number, { at, routed, members }: Others): boolean {
    if (routed.has(slot)) return true;
    const holding = members.get(slot);
    if (holding === undefined) return false;
    const { node, freeAt } = this.released(slot) ?? {};
    const last = freeAt === undefined || at <= outSince(freeAt) ? node : undefined;
    return holding.some(({ member }) => member !== last);
  }
}

function fromRow(row: Row): ReleasedSlot {
  return {
    slot: row.slot,
    node: row.node,
    releasedAt: row.released_at,
    freeAt: row.free_at ?? undefined,
  };
}
