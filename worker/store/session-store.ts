// Who is signed in: each session is as good as the admin token that it was begun with, and for some hours.
import type { Database } from "./database.ts";
import { listByMaking, type MadePlace } from "./made-place.ts";

/** A session; times in ms since 1970. */
export interface Session {
  readonly id: string;
  /** SHA-256 of the admin token that it was begun with, and that token's id. */
  readonly tokenHash: string;
  readonly tokenId: string;
  /** Where it was begun from. */
  readonly address: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
}

type Row = {
  id: string;
  token_hash: string;
  token_id: string;
  address: string | null;
  created_at: number;
  expires_at: number;
};

const SELECT = "SELECT id, token_hash, token_id, address, created_at, expires_at FROM sessions";

export class SessionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  byHash(hash: string): Session | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE hash = ?`, hash).map(fromRow)[0];
  }

  byId(id: string): Session | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE id = ?`, id).map(fromRow)[0];
  }

  /** Sessions in the order of their beginning, at most `limit`, those after the place; those that are over among them. */
  list(limit: number, after: MadePlace | undefined): Session[] {
    return listByMaking<Row>(this.#db, SELECT, limit, after).map(fromRow);
  }

  add({ id, tokenHash, tokenId, address, createdAt, expiresAt }: Session, hash: string): void {
    this.#db.write(
      "INSERT INTO sessions (id, hash, token_hash, token_id, address, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      hash,
      tokenHash,
      tokenId,
      address,
      createdAt,
      expiresAt,
    );
  }

  remove(id: string): void {
    this.#db.write("DELETE FROM sessions WHERE id = ?", id);
  }
}

function fromRow(row: Row): Session {
  return {
    id: row.id,
    tokenHash: row.token_hash,
    tokenId: row.token_id,
    address: row.address,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
