// Names that keep their slots, whether a node has them or not. There are few.
import type { Database } from "./database.ts";
import type { SlotPages } from "./slot-pages.ts";

/** A name and its slot. */
export interface Reservation {
  readonly name: string;
  readonly slot: number;
  /** ms since 1970. */
  readonly createdAt: number;
}

type Row = { name: string; slot: number; created_at: number };

const SELECT = "SELECT name, slot, created_at FROM reservations";

export class ReservationStore {
  readonly #db: Database;
  readonly #pages: SlotPages;

  constructor(db: Database, pages: SlotPages) {
    this.#db = db;
    this.#pages = pages;
  }

  byName(name: string): Reservation | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE name = ?`, name).map(fromRow)[0];
  }

  bySlot(slot: number): Reservation | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE slot = ?`, slot).map(fromRow)[0];
  }

  /** Reservations in the order of their names, at most `limit`, those after the name. */
  list(limit: number, after: string | undefined): Reservation[] {
    return this.#db
      .read<Row>(`${SELECT} WHERE name > ? ORDER BY name LIMIT ?`, after ?? "", limit)
      .map(fromRow);
  }

  /** All of them. */
  all(): Reservation[] {
    return this.#db.read<Row>(SELECT).map(fromRow);
  }

  /** The slots that are reserved. */
  slots(): Set<number> {
    return new Set(this.#db.read<{ slot: number }>("SELECT slot FROM reservations").map(({ slot }) => slot));
  }

  count(): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM reservations").number;
  }

  add({ name, slot, createdAt }: Reservation): void {
    this.#db.write(
      "INSERT INTO reservations (name, slot, created_at) VALUES (?, ?, ?)",
      name,
      slot,
      createdAt,
    );
    this.#pages.follow(slot);
  }

  /** The node that has the slot is called otherwise now. */
  rename(slot: number, name: string): void {
    this.#db.write("UPDATE reservations SET name = ? WHERE slot = ? AND name <> ?", name, slot, name);
  }

  remove(slot: number): void {
    this.#db.write("DELETE FROM reservations WHERE slot = ?", slot);
    this.#pages.follow(slot);
  }
}

function fromRow({ name, slot, created_at }: Row): Reservation {
  return { name, slot, createdAt: created_at };
}
