// Which slots may not be leased, besides those in use: released ones until their quarantine ends, and those
// in which somebody else has a route or an address.
import { isFree, type ReleasedSlot } from "../lease/choose-slot.ts";
import type { Database } from "./database.ts";
import type { MemoryStore } from "./memory-store.ts";

export class SlotStore {
  readonly #db: Database;
  readonly #memory: MemoryStore;

  constructor(db: Database, memory: MemoryStore) {
    this.#db = db;
    this.#memory = memory;
  }

  /** Every slot that was released and not leased since. */
  released(): ReleasedSlot[] {
    return this.#db
      .read<{ slot: number; node: string; released_at: number; free_at: number | null }>(
        "SELECT slot, node, released_at, free_at FROM released",
      )
      .map((row) => ({
        slot: row.slot,
        node: row.node,
        releasedAt: row.released_at,
        freeAt: row.free_at ?? undefined,
      }));
  }

  /**
   * Those whose managed routes are ours to withdraw: every leased slot, and each that was leased for as long as the route
   * that we wrote is there. After that a route to it is somebody else's.
   */
  owned(): Set<number> {
    const leased = this.#db.read<{ slot: number }>("SELECT slot FROM nodes");
    return new Set([...leased.map(({ slot }) => slot), ...this.#memory.slotsPublished()]);
  }

  /** Before a write of routes to these slots: those that are ours stay so also when its answer gets lost. */
  publishing(slots: readonly number[]): void {
    const owned = this.owned();
    const ours = slots.filter((slot) => owned.has(slot));
    this.#memory.setSlotsPublished([...new Set([...this.#memory.slotsPublished(), ...ours])]);
  }

  /** After it: the controller has routes to these slots; of the others, none is ours any more. */
  published(slots: readonly number[]): void {
    const owned = this.owned();
    this.#memory.setSlotsPublished(slots.filter((slot) => owned.has(slot)));
  }

  /** Gives the slot back. Its quarantine begins when the controller has taken that. */
  release(slot: number, node: string, releasedAt: number): void {
    this.#db.write(
      "INSERT OR REPLACE INTO released (slot, node, released_at) VALUES (?, ?, ?)",
      slot,
      node,
      releasedAt,
    );
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

  /** Forgets the slots that were leased: they were those of another pool. */
  forget(): void {
    this.#db.write("DELETE FROM released");
  }

  /** Notes that the slot is leased again. */
  take(slot: number): void {
    this.#db.write("DELETE FROM released WHERE slot = ?", slot);
  }

  /** Slots that a foreign route inside the pool touches. */
  routed(): Set<number> {
    return new Set(this.#memory.slotsRouted()?.slots);
  }

  /** Slots whose ZeroTier address another member holds. That the last holder had it still is what its quarantine is for. */
  held(): Set<number> {
    const { at, held } = this.#memory.slotsHeld() ?? { at: 0, held: [] };
    const inQuarantine = this.released().filter((released) => !isFree(released, at));
    const lastHolders = new Map(inQuarantine.map(({ slot, node }) => [slot, node]));
    return new Set(
      held.filter(({ slot, member }) => lastHolders.get(slot) !== member).map(({ slot }) => slot),
    );
  }

  /** Slots that must not be leased, for either reason. */
  excluded(): Set<number> {
    return new Set([...this.routed(), ...this.held()]);
  }
}
