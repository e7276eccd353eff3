// Enrolment keys and whom they let in. A key is found by its hash; the key itself is never stored.
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import { HOUR_MS } from "../base/time-units.ts";
import type { Database } from "./database.ts";
import { listByMaking, type MadePlace } from "./made-place.ts";

/** An enrolment key, without its secret. Times in ms since 1970. */
export interface EnrolmentKey {
  readonly id: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly maxUses: number;
  readonly uses: number;
  readonly approval: boolean;
  readonly allowOverlap: boolean;
  /** Which names it lets in, see {@link matchesName}; null: all. */
  readonly names: string | null;
  /** Minutes unseen after which the leases end that it lets in; null: as those of others. */
  readonly ephemeralMinutes: number | null;
  /** When a server last came by it, also one that it had let in before, to the hour; null: none has. */
  readonly lastUsedAt: number | null;
  /** The reserved slot that it leases; null: any slot. */
  readonly reservedSlot: number | null;
  /** The name for which that is reserved. */
  readonly reservation: string | null;
  /** The node from which it takes that slot over, should that have it still. */
  readonly takesOver: string | null;
  /** When the operator took it back; null: not. */
  readonly revokedAt: number | null;
  /** What the nodes are tagged with that it lets in. */
  readonly tags: readonly string[];
  readonly note: string | null;
  /** The user-data's options as JSON, for a key that was made with one. */
  readonly userData: string | null;
}

/** What a key is when it is made. */
export type NewKey = Omit<EnrolmentKey, "uses" | "lastUsedAt" | "revokedAt">;

/** Why a key does not let a node in; `revoked`: the operator deleted the node, which this key had let in. */
export type KeyFault = "unknown-key" | "key-revoked" | "key-expired" | "key-spent" | "revoked";

type Row = {
  id: string;
  created_at: number;
  expires_at: number;
  max_uses: number;
  approval: number;
  allow_overlap: number;
  note: string | null;
  user_data: string | null;
  tags: string | null;
  uses: number;
  names: string | null;
  last_used_at: number | null;
  revoked_at: number | null;
  ephemeral_minutes: number | null;
  reserved_slot: number | null;
  reservation: string | null;
  takes_over: string | null;
};

const SELECT = `SELECT id, created_at, expires_at, max_uses, approval, allow_overlap, note, user_data, tags, uses, names,
  last_used_at, revoked_at, ephemeral_minutes, reserved_slot, takes_over,
  (SELECT name FROM reservations WHERE slot = reserved_slot) AS reservation FROM keys`;

const tags = z.array(z.string());

export class KeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  add(key: NewKey, hash: string): void {
    this.put({ ...key, uses: 0, lastUsedAt: null, revokedAt: null }, hash);
  }

  /** Adds a key that was in use before. */
  put(key: Omit<EnrolmentKey, "reservation">, hash: string): void {
    this.#db.write(
      `INSERT INTO keys (id, hash, created_at, expires_at, max_uses, approval, allow_overlap, note, user_data, tags, uses,
         names, last_used_at, revoked_at, ephemeral_minutes, reserved_slot, takes_over)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      key.id,
      hash,
      key.createdAt,
      key.expiresAt,
      key.maxUses,
      Number(key.approval),
      Number(key.allowOverlap),
      key.note,
      key.userData,
      key.tags.length === 0 ? null : JSON.stringify(key.tags),
      key.uses,
      key.names,
      key.lastUsedAt,
      key.revokedAt,
      key.ephemeralMinutes,
      key.reservedSlot,
      key.takesOver,
    );
  }

  byHash(hash: string): EnrolmentKey | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE hash = ?`, hash).map(fromRow)[0];
  }

  /** SHA-256 of each key whose digest begins with these hex digits: mostly one or none. */
  hashesFrom(prefix: string): string[] {
    return this.#db
      .read<{ hash: string }>(
        "SELECT hash FROM keys WHERE hash >= ? AND hash < ? LIMIT 4",
        prefix,
        `${prefix}g`,
      )
      .map(({ hash }) => hash);
  }

  byId(id: string): EnrolmentKey | undefined {
    return this.#db.read<Row>(`${SELECT} WHERE id = ?`, id).map(fromRow)[0];
  }

  /** Keys in the order of their making, at most `limit`, those after the place. */
  list(limit: number, after: MadePlace | undefined): EnrolmentKey[] {
    return listByMaking<Row>(this.#db, SELECT, limit, after).map(fromRow);
  }

  count(): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM keys").number;
  }

  /** Deletes a key; the nodes that it let in stay. False when there is none. */
  remove(id: string): boolean {
    this.#db.write("DELETE FROM admissions WHERE key_id = ?", id);
    return this.#db.write("DELETE FROM keys WHERE id = ?", id) > 0;
  }

  /** Takes a key back. The time of the first word counts. False when it was back already, or there is none. */
  revoke(id: string, at: number): boolean {
    return this.#db.write("UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", at, id) > 0;
  }

  /** The ids of the keys that lease the reserved slot, and were not taken back. */
  goodReserved(slot: number): string[] {
    return this.#db
      .read<{ id: string }>(
        "SELECT id FROM keys WHERE reserved_slot = ? AND revoked_at IS NULL ORDER BY id",
        slot,
      )
      .map(({ id }) => id);
  }

  /** The slot is reserved no more: takes back the keys that lease it. Gives their ids, and whether they were not taken back before. */
  revokeReserved(slot: number, at: number): { readonly id: string; readonly wasGood: boolean }[] {
    const keys = this.#db.read<{ id: string; revoked_at: number | null }>(
      "SELECT id, revoked_at FROM keys WHERE reserved_slot = ? ORDER BY id",
      slot,
    );
    this.#db.write(
      `UPDATE keys SET revoked_at = coalesce(revoked_at, ?), reserved_slot = NULL, takes_over = NULL
         WHERE reserved_slot = ?`,
      at,
      slot,
    );
    return keys.map(({ id, revoked_at }) => ({ id, wasGood: revoked_at === null }));
  }

  /**
   * The key, if it lets this node in: one that it let in before may use it again, also spent or expired, until the
   * operator deletes the node. Then this key never does again. One that was taken back serves those alone whose leases it made:
   * they may have come by it and not have been answered yet. `has`: the id of the key by which the node has a lease.
   */
  admit(hash: string, node: string, has: string | null, now: number): Result<EnrolmentKey, KeyFault> {
    const key = this.byHash(hash);
    if (key === undefined) return err("unknown-key");
    if (key.revokedAt !== null && has !== key.id) return err("key-revoked");
    const before = this.#db.read<{ barred: number }>(
      "SELECT barred FROM admissions WHERE key_id = ? AND node = ?",
      key.id,
      node,
    )[0];
    if (before !== undefined) return before.barred === 1 ? err("revoked") : ok(key);
    if (key.expiresAt <= now) return err("key-expired");
    if (key.uses >= key.maxUses) return err("key-spent");
    return ok(key);
  }

  /** Counts the node as let in by the key at that time (ms since 1970). */
  use(id: string, node: string, at: number): void {
    const isNew =
      this.#db.write("INSERT INTO admissions (key_id, node) VALUES (?, ?) ON CONFLICT DO NOTHING", id, node) >
      0;
    // A server that waits asks every few minutes: that costs a row an hour.
    this.#db.write(
      `UPDATE keys SET uses = uses + ?1, last_used_at = ?2
         WHERE id = ?3 AND (?1 > 0 OR last_used_at IS NULL OR last_used_at <= ?2 - ${HOUR_MS})`,
      Number(isNew),
      at,
      id,
    );
  }

  /** Shuts out the node, which the operator deleted, from every key that let it in. */
  bar(node: string): void {
    this.#db.write("UPDATE admissions SET barred = 1 WHERE node = ?", node);
  }

  /** Lets the keys that let the node in do so again. */
  unbar(node: string): void {
    this.#db.write("UPDATE admissions SET barred = 0 WHERE node = ?", node);
  }
}

/** What the key is good for at `now` (ms since 1970). */
export function keyState(key: EnrolmentKey, now: number): "valid" | "spent" | "expired" | "revoked" {
  if (key.revokedAt !== null) return "revoked";
  if (key.expiresAt <= now) return "expired";
  return key.uses >= key.maxUses ? "spent" : "valid";
}

function fromRow(row: Row): EnrolmentKey {
  return {
    id: row.id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    maxUses: row.max_uses,
    approval: row.approval === 1,
    allowOverlap: row.allow_overlap === 1,
    note: row.note,
    userData: row.user_data,
    tags: row.tags === null ? [] : tags.parse(JSON.parse(row.tags)),
    uses: row.uses,
    names: row.names,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    ephemeralMinutes: row.ephemeral_minutes,
    reservedSlot: row.reserved_slot,
    reservation: row.reservation,
    takesOver: row.takes_over,
  };
}
