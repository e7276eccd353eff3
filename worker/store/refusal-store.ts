// Enrolments that were refused: one row for each node, problem and key, so that a server that asks again and again has one.
import type { ProblemName } from "../base/refusal.ts";
import type { Database } from "./database.ts";

/** A refused enrolment. Times in ms since 1970. */
export interface StoredRefusal {
  readonly node: string;
  readonly problem: string;
  /** Empty when no such key is known. */
  readonly keyId: string;
  readonly name: string;
  readonly address: string | null;
  /** What the problem was about in this case. */
  readonly about: string | null;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** A place in the list, also when the row there is gone. */
export type RefusalPlace = Pick<StoredRefusal, "lastAt" | "node" | "problem" | "keyId">;

type Row = {
  node: string;
  problem: string;
  key_id: string;
  name: string;
  address: string | null;
  about: string | null;
  first_at: number;
  last_at: number;
};

export class RefusalStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** When such an enrolment was last noted. */
  lastAt({ node, problem, keyId }: Pick<StoredRefusal, "node" | "problem" | "keyId">): number | undefined {
    return this.#db.read<{ last_at: number }>(
      "SELECT last_at FROM refusals WHERE node = ? AND problem = ? AND key_id = ?",
      node,
      problem,
      keyId,
    )[0]?.last_at;
  }

  /** How many are kept of each problem. */
  countByProblem(): Record<string, number> {
    const rows = this.#db.read<{ problem: string; number: number }>(
      "SELECT problem, count(*) AS number FROM refusals GROUP BY problem ORDER BY problem",
    );
    return Object.fromEntries(rows.map(({ problem, number }) => [problem, number]));
  }

  /** How many were last noted at that time or later: of those whose key is known, or of the others. */
  countSince(isKnownKey: boolean, since: number): number {
    return (
      this.#db.read<{ count: number }>(
        "SELECT count(*) AS count FROM refusals WHERE (key_id <> '') = ? AND last_at >= ?",
        Number(isKnownKey),
        since,
      )[0]?.count ?? 0
    );
  }

  /** Notes it, or that it happened again. */
  put(refusal: StoredRefusal): void {
    this.#db.write(
      `INSERT INTO refusals (node, problem, key_id, name, address, about, first_at, last_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (node, problem, key_id) DO UPDATE SET name = excluded.name, address = excluded.address,
         about = excluded.about, last_at = excluded.last_at`,
      refusal.node,
      refusal.problem,
      refusal.keyId,
      refusal.name,
      refusal.address,
      refusal.about,
      refusal.firstAt,
      refusal.lastAt,
    );
  }

  /** Forgets the oldest beyond so many: of those whose key is known, or of the others. */
  forgetBeyond(most: number, isKnownKey: boolean): void {
    this.#db.write(
      `DELETE FROM refusals WHERE (node, problem, key_id) IN (
         SELECT node, problem, key_id FROM refusals WHERE (key_id <> '') = ? ORDER BY last_at DESC LIMIT -1 OFFSET ?)`,
      Number(isKnownKey),
      most,
    );
  }

  /** Forgets the node's refusals for these reasons. */
  forget(node: string, problems: readonly ProblemName[]): void {
    this.#db.write(
      `DELETE FROM refusals WHERE node = ? AND problem IN (${problems.map(() => "?").join(", ")})`,
      node,
      ...problems,
    );
  }

  /** The latest first, at most `limit`, those after the place. */
  list(limit: number, after: RefusalPlace | undefined): StoredRefusal[] {
    return this.#db
      .read<Row>(
        `SELECT * FROM refusals WHERE (last_at, node, problem, key_id) < (?, ?, ?, ?)
           ORDER BY last_at DESC, node DESC, problem DESC, key_id DESC LIMIT ?`,
        after?.lastAt ?? Number.MAX_SAFE_INTEGER,
        after?.node ?? "",
        after?.problem ?? "",
        after?.keyId ?? "",
        limit,
      )
      .map((row) => ({
        node: row.node,
        problem: row.problem,
        keyId: row.key_id,
        name: row.name,
        address: row.address,
        about: row.about,
        firstAt: row.first_at,
        lastAt: row.last_at,
      }));
  }
}
