// The servers that are in the mesh, each with its name and slot: of those that are not yet told to the controller the slot may change.
import type { Database } from "./database.ts";

/** A server of the mesh by name. */
export interface Host {
  readonly slot: number;
  readonly node: string;
  readonly name: string;
}

export class HostStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Within a transaction: another one after each change of the list, and in tables that were made anew. Kept by triggers of `nodes`, which
   * count once until it is asked for again: where nobody asks, changes cost no row.
   */
  version(): string {
    const { began, changes, told } = this.#db.readOne<{ began: string; changes: number; told: number }>(
      "SELECT began, changes, told FROM hosts",
    );
    if (told === 0) this.#db.write("UPDATE hosts SET told = 1");
    return `${began}-${changes}`;
  }

  /** All of them, by slot: a row read each. */
  all(): Host[] {
    return this.#db.read<{ slot: number; node: string; name: string }>(
      "SELECT slot, node, name FROM nodes WHERE state = 'active' AND delivered_at IS NOT NULL ORDER BY slot",
    );
  }
}
