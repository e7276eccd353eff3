// The names of nodes. Many servers come with the same: golden images have one host name, and so each name that is taken
// keeps the number that comes next, so that not all are tried each time.
import { type NumberedName, uniqueName } from "../lease/name.ts";
import type { Database } from "./database.ts";
import type { ReservationStore } from "./reservation-store.ts";

/** The first number that is given to a second node of a name. */
const FIRST = 2;

export class NameStore {
  readonly #db: Database;
  readonly #reservations: ReservationStore;

  constructor(db: Database, reservations: ReservationStore) {
    this.#db = db;
    this.#reservations = reservations;
  }

  /** The node that has the name. */
  holder(name: string): string | undefined {
    return this.#db.read<{ node: string }>("SELECT node FROM nodes WHERE name = ?", name)[0]?.node;
  }

  /** Within a transaction: the name for a new node, with a number when it is taken or reserved. No number is given twice. */
  choose(wanted: string): string {
    const { name, number } = this.#free(wanted, new Set());
    if (number >= FIRST)
      this.#db.write("INSERT OR REPLACE INTO name_numbers (name, next) VALUES (?, ?)", wanted, number + 1);
    return name;
  }

  /** The name that a new node would be given after others have been given those. */
  preview(wanted: string, given: ReadonlySet<string>): string {
    return this.#free(wanted, given).name;
  }

  #free(wanted: string, given: ReadonlySet<string>): NumberedName {
    const isTaken = (name: string): boolean =>
      given.has(name) || this.holder(name) !== undefined || this.#reservations.byName(name) !== undefined;
    return uniqueName(wanted, isTaken, this.#next(wanted));
  }

  #next(name: string): number {
    const [row] = this.#db.read<{ next: number }>("SELECT next FROM name_numbers WHERE name = ?", name);
    return row?.next ?? FIRST;
  }
}
