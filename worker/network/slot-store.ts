// Which slots may not be leased, besides those in use: released ones until their quarantine ends, and those
// that somebody else's route or address stands in.
import type { ReleasedSlot } from "../lease/choose-slot.ts";
import type { FactStore } from "./fact-store.ts";

/** A slot that was given back, and who had it last. */
export interface Release extends ReleasedSlot {
  readonly node: string;
  readonly name: string;
}

/** The table `released`, and the lists of slots that others hold. */
export class SlotStore {
  readonly #sql: SqlStorage;
  readonly #facts: FactStore;

  constructor(sql: SqlStorage, facts: FactStore) {
    this.#sql = sql;
    this.#facts = facts;
  }

  /** Every slot that was released and not leased since. */
  released(): ReleasedSlot[] {
    return this.#sql
      .exec<{ slot: number; released_at: number; free_at: number }>(
        "SELECT slot, released_at, free_at FROM released",
      )
      .toArray()
      .map((row) => ({ slot: row.slot, releasedAt: row.released_at, freeAt: row.free_at }));
  }

  /** Every slot that is leased or was: those whose managed routes are ours to withdraw. */
  owned(): Set<number> {
    const rows = this.#sql.exec<{ slot: number }>("SELECT slot FROM nodes UNION SELECT slot FROM released");
    return new Set(rows.toArray().map(({ slot }) => slot));
  }

  release({ slot, node, name, releasedAt, freeAt }: Release): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO released (slot, node, name, released_at, free_at) VALUES (?, ?, ?, ?, ?)",
      slot,
      node,
      name,
      releasedAt,
      freeAt,
    );
  }

  /** The slot is leased anew. */
  take(slot: number): void {
    this.#sql.exec("DELETE FROM released WHERE slot = ?", slot);
  }

  /** Slots that a foreign route inside the pool touches. */
  routed(): Set<number> {
    return new Set(this.#facts.slotsRouted()?.slots);
  }

  /** Slots whose ZeroTier address another member holds. */
  held(): Set<number> {
    return new Set(this.#facts.slotsHeld()?.slots);
  }

  /** Slots that must not be leased, for either reason. */
  excluded(): Set<number> {
    return new Set([...this.routed(), ...this.held()]);
  }
}
