// User-data that a call can ask for again. It carries a key and may carry the operator's own secrets, so it is sealed.
import type { Database } from "./database.ts";

/** What was answered to an Idempotency-Key. */
export interface KeptUserData {
  readonly keyId: string;
  /** Undefined once its enrolment key was deleted. */
  readonly sealed: ArrayBuffer | undefined;
}

type Row = { key_id: string; sealed: ArrayBuffer | null };

export class UserDataStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(idempotencyKey: string): KeptUserData | undefined {
    return this.#db
      .read<Row>("SELECT key_id, sealed FROM user_data WHERE idempotency_key = ?", idempotencyKey)
      .map((row) => ({ keyId: row.key_id, sealed: row.sealed ?? undefined }))[0];
  }

  keep(idempotencyKey: string, keyId: string, sealed: ArrayBuffer): void {
    this.#db.write(
      "INSERT INTO user_data (idempotency_key, key_id, sealed) VALUES (?, ?, ?)",
      idempotencyKey,
      keyId,
      sealed,
    );
  }

  /** Forgets what carries the enrolment key, but not that there was something. */
  forget(keyId: string): void {
    this.#db.write("UPDATE user_data SET sealed = NULL WHERE key_id = ?", keyId);
  }
}
