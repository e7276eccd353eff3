// The admin tokens that were made through the API, and the one that the settings had before the present one.
import { z } from "zod";
import { SCOPES, type Scope } from "../base/scope.ts";
import { HOUR_MS } from "../base/time-units.ts";
import type { Database } from "./database.ts";
import { listByMaking, type MadePlace } from "./made-place.ts";

/** An admin token; times in ms since 1970. */
export interface AdminToken {
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly note: string | null;
  readonly createdAt: number;
  /** null: never. */
  readonly expiresAt: number | null;
  /** To the hour; null: never. */
  readonly lastUsedAt: number | null;
  /** May be to come, for one that was rotated. */
  readonly revokedAt: number | null;
}

type Row = {
  id: string;
  scopes: string;
  note: string | null;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
};

const SELECT = "SELECT id, scopes, note, created_at, expires_at, last_used_at, revoked_at FROM admin_tokens";

export class AdminTokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  byHash(hash: string): AdminToken | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE hash = ?`, hash).map(fromRow)[0];
  }

  byId(id: string): AdminToken | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE id = ?`, id).map(fromRow)[0];
  }

  count(): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM admin_tokens").number;
  }

  /** Admin tokens in the order of their making, at most `limit`, those after the place. */
  list(limit: number, after: MadePlace | undefined): AdminToken[] {
    return listByMaking<Row>(this.#db, SELECT, limit, after).map(fromRow);
  }

  add({ id, scopes, note, createdAt, expiresAt }: AdminToken, hash: string): void {
    this.#db.write(
      "INSERT INTO admin_tokens (id, hash, scopes, note, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      id,
      hash,
      JSON.stringify(scopes),
      note,
      createdAt,
      expiresAt,
    );
  }

  /** Notes that it was used. */
  use(id: string, at: number): void {
    this.#db.write("UPDATE admin_tokens SET last_used_at = ? WHERE id = ?", at, id);
  }

  /** It is good until then (ms since 1970), or as long as it was to be if that is less. */
  revoke(id: string, at: number): void {
    this.#db.write(
      "UPDATE admin_tokens SET revoked_at = min(coalesce(revoked_at, ?2), ?2) WHERE id = ?1",
      id,
      at,
    );
  }

  remove(id: string): void {
    this.#db.write("DELETE FROM admin_tokens WHERE id = ?", id);
  }
}

/** Whether it has to be noted that the token was used, which is done once an hour. */
export function isUseNews({ lastUsedAt }: AdminToken, now: number): boolean {
  return lastUsedAt === null || lastUsedAt <= now - HOUR_MS;
}

/** When it is good no more (ms since 1970); null: it is until somebody revokes it. */
export function adminTokenEnd({ expiresAt, revokedAt }: AdminToken): number | null {
  if (expiresAt === null || revokedAt === null) return expiresAt ?? revokedAt;
  return Math.min(expiresAt, revokedAt);
}

/** What the token is good for at `now` (ms since 1970). */
export function adminTokenState(
  { revokedAt, expiresAt }: AdminToken,
  now: number,
): "valid" | "expired" | "revoked" {
  if (revokedAt !== null && revokedAt <= now) return "revoked";
  return expiresAt !== null && expiresAt <= now ? "expired" : "valid";
}

const scopes = z.array(z.enum(SCOPES));

function fromRow(row: Row): AdminToken {
  return {
    id: row.id,
    scopes: scopes.parse(JSON.parse(row.scopes)),
    note: row.note,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
