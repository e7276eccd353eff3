// Which agents the servers run, by their own word, and how many run each.
import type { Database } from "./database.ts";

export class AgentStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** How many servers in the mesh say that they run another agent than that with this SHA-256. Kept by triggers of `nodes`: a row read for each agent that is run. */
  countOthers(sha256: string): number {
    return this.#db.readOne<{ number: number }>(
      "SELECT coalesce(sum(servers), 0) AS number FROM agents WHERE sha256 <> ?",
      sha256,
    ).number;
  }
}
