// The secret that all that is sealed is sealed under, itself sealed twice: under the admin token and under the controller's token.
import type { Database } from "./database.ts";

export interface KeptSeal {
  readonly underAdminToken: ArrayBuffer;
  readonly underControllerToken: ArrayBuffer;
}

type Row = { under_admin_token: ArrayBuffer; under_controller_token: ArrayBuffer };

export class SealStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(): KeptSeal | undefined {
    return this.#db.read<Row>("SELECT under_admin_token, under_controller_token FROM seal").map((row) => ({
      underAdminToken: row.under_admin_token,
      underControllerToken: row.under_controller_token,
    }))[0];
  }

  put({ underAdminToken, underControllerToken }: KeptSeal): void {
    this.#db.write(
      "INSERT OR REPLACE INTO seal (only, under_admin_token, under_controller_token) VALUES (1, ?, ?)",
      underAdminToken,
      underControllerToken,
    );
  }

  /** Whether an earlier version may have sealed something, which it did under the admin token itself. */
  isNeeded(): boolean {
    const { needed } = this.#db.readOne<{ needed: number }>(
      "SELECT EXISTS (SELECT 1 FROM webhooks) OR EXISTS (SELECT 1 FROM user_data WHERE sealed IS NOT NULL) AS needed",
    );
    return needed === 1;
  }
}
