// Which admin tokens the settings have had: their hashes, never forgotten, so that one that was taken back stays so when a
// deployment with it comes back. A row for each `wrangler secret put ADMIN_TOKEN`.
import type { Database } from "./database.ts";

/** An admin token of the settings; times in ms since 1970. */
export interface RootToken {
  /** When another one took its place; null: it is the one that the settings have. */
  readonly replacedAt: number | null;
  readonly revokedAt: number | null;
}

type Row = { hash: string; replaced_at: number | null; revoked_at: number | null };

export class RootTokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  byHash(hash: string): RootToken | undefined {
    return this.#db
      .read<Row>("SELECT * FROM root_tokens WHERE hash = ?", hash)
      .map((row) => ({ replacedAt: row.replaced_at, revokedAt: row.revoked_at }))[0];
  }

  /** SHA-256 of the one that the settings have; undefined before the first was seen. */
  current(): string | undefined {
    return this.#db.read<{ hash: string }>("SELECT hash FROM root_tokens WHERE replaced_at IS NULL")[0]?.hash;
  }

  /** The one with this hash is the current one from then on (ms since 1970). */
  become(hash: string, at: number): void {
    this.#db.write("UPDATE root_tokens SET replaced_at = ? WHERE replaced_at IS NULL", at);
    this.#db.write("INSERT OR REPLACE INTO root_tokens (hash) VALUES (?)", hash);
  }

  /** All but the present one are good for nothing any more. */
  revokeFormer(at: number): void {
    this.#db.write(
      "UPDATE root_tokens SET revoked_at = ? WHERE replaced_at IS NOT NULL AND revoked_at IS NULL",
      at,
    );
  }
}
