// Nodes that the operator took out for good, and the tokens that they had: a server that wakes up after that is told what became
// of its lease, and no other is.
import { z } from "zod";
import { DAY_MS } from "../base/time-units.ts";
import { ENDINGS, type Ending } from "../lease/ending.ts";
import type { Database } from "./database.ts";
import type { StoredNode } from "./stored-node.ts";

const ending = z.enum(ENDINGS);

const hashes = z.array(z.string());

/** ms for which a server that was switched off is still told. */
const KEPT_MS = 366 * DAY_MS;

/** How many are forgotten at most when one is added. */
const FORGOTTEN_AT_ONCE = 10;

export class FormerNodeStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Notes how the node's lease ended, at that time (ms since 1970). */
  add({ node, tokenHashes }: Pick<StoredNode, "node" | "tokenHashes">, how: Ending, at: number): void {
    this.#db.write(
      "INSERT OR REPLACE INTO former_nodes (node, token_hashes, ending, ended_at) VALUES (?, ?, ?, ?)",
      node,
      JSON.stringify(tokenHashes),
      how,
      at,
    );
    this.#db.write(
      `DELETE FROM former_nodes WHERE node IN
         (SELECT node FROM former_nodes WHERE ended_at < ? ORDER BY ended_at LIMIT ?)`,
      at - KEPT_MS,
      FORGOTTEN_AT_ONCE,
    );
  }

  /** Whether the operator ended its lease, and it has none since. */
  has(node: string): boolean {
    return this.#db.read("SELECT node FROM former_nodes WHERE node = ?", node).length > 0;
  }

  /** How the lease ended of the node that had this token (SHA-256). */
  endingOf(node: string, tokenHash: string): Ending | undefined {
    const [row] = this.#db.read<{ token_hashes: string; ending: string }>(
      "SELECT token_hashes, ending FROM former_nodes WHERE node = ?",
      node,
    );
    if (row === undefined || !hashes.parse(JSON.parse(row.token_hashes)).includes(tokenHash))
      return undefined;
    return ending.parse(row.ending);
  }

  /** The node has a lease again. */
  remove(node: string): void {
    this.#db.write("DELETE FROM former_nodes WHERE node = ?", node);
  }
}
