// Writes to members whose answer was not heard: they may have taken effect, or still do. Noted before they leave, so
// that a crash forgets none.
import type { Database } from "./database.ts";

/** ms after which a write that was not heard of has taken effect, or never does. */
export const LATEST_MS = 10 * 60_000;

/** What one node may still become by writes of ours: the times (ms since 1970) of those that let it in and take it out. */
export interface Unheard {
  readonly in: number | undefined;
  readonly out: number | undefined;
}

/** Nothing that one may still become. */
export const ALL_HEARD: Unheard = { in: undefined, out: undefined };

export class UnheardStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  of(node: string): Unheard {
    const rows = this.#db.read<{ authorized: number; at: number }>(
      "SELECT authorized, at FROM unheard WHERE node = ?",
      node,
    );
    const at = (authorized: number) => rows.find((row) => row.authorized === authorized)?.at;
    return { in: at(1), out: at(0) };
  }

  /** The nodes that there are writes of, in the order of their ids. There are few. */
  nodes(): Set<string> {
    const rows = this.#db.read<{ node: string }>("SELECT DISTINCT node FROM unheard");
    return new Set(rows.map(({ node }) => node));
  }

  /** A write leaves, or the one before it is the last that is left. */
  note(node: string, authorized: boolean, at: number): void {
    this.#db.write(
      "INSERT OR REPLACE INTO unheard (node, authorized, at) VALUES (?, ?, ?)",
      node,
      Number(authorized),
      at,
    );
  }

  heard(node: string, authorized: boolean): void {
    this.#db.write("DELETE FROM unheard WHERE node = ? AND authorized = ?", node, Number(authorized));
  }

  /** Forgets the writes of a node that cannot take effect any more after `now`. */
  forget(node: string, now: number): void {
    this.#db.write("DELETE FROM unheard WHERE node = ? AND at < ?", node, now - LATEST_MS);
  }
}

/** Whether a write of that time may still take effect. */
export function canStillLand(written: number, now: number): boolean {
  return now <= written + LATEST_MS;
}

/** Whether a write of that time, if any, may be what happened at the controller then; when is not always told. */
export function explains(written: number | undefined, happened: number | undefined): boolean {
  return written !== undefined && (happened === undefined || canStillLand(written, happened));
}
