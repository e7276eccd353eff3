// All that is stored and cannot be found out again, read and written at once: what a backup holds. Which tables that is, and why
// not the others, is in docs/storage.md.
import { z } from "zod";
import type { ReleasedSlot } from "../lease/choose-slot.ts";
import { ENDINGS, type Ending } from "../lease/ending.ts";
import { isName } from "../lease/name.ts";
import type { Database } from "./database.ts";
import type { EnrolmentKey, KeyStore } from "./key-store.ts";
import type { MemoryStore, RoutesUnheard } from "./memory-store.ts";
import type { NodeStore } from "./node-store.ts";
import type { Reservation } from "./reservation-store.ts";
import type { SlotPages } from "./slot-pages.ts";
import { newNode, type StoredNode } from "./stored-node.ts";

/** A node without what it says of itself, which its next call says again. */
export type SnapshotNode = Omit<
  StoredNode,
  "address" | "facts" | "report" | "reportedAt" | "lastRepair" | "findings" | "probes"
>;

/** In place of a released slot's last holder: to a node that has another slot by now it must not be given back. */
export const NO_NODE = "0000000000";

/** A released slot; `freeAt` is null until its quarantine has begun. */
export interface SnapshotSlot extends Omit<ReleasedSlot, "freeAt"> {
  readonly freeAt: number | null;
}

/** An enrolment key with its hash. How often it was used its admissions say, and for which name it is the reservations. */
export interface SnapshotKey extends Omit<EnrolmentKey, "uses" | "reservation"> {
  /** SHA-256. */
  readonly hash: string;
}

/** What is stored. Times in ms since 1970; secrets only as SHA-256. */
export interface Snapshot {
  readonly nodes: readonly SnapshotNode[];
  readonly released: readonly SnapshotSlot[];
  readonly reservations: readonly Reservation[];
  readonly keys: readonly SnapshotKey[];
  /** Whom keys let in; `barred`: the operator deleted the node, and the key does not let it in again. */
  readonly admissions: readonly { readonly key: string; readonly node: string; readonly barred: boolean }[];
  readonly formerNodes: readonly {
    readonly node: string;
    readonly tokenHashes: readonly string[];
    readonly ending: Ending;
    readonly endedAt: number;
  }[];
  /** The number that comes next for a name that is taken. */
  readonly nameNumbers: readonly { readonly name: string; readonly next: number }[];
  /** The Idempotency-Keys that user-data was made with, without that. */
  readonly idempotencyKeys: readonly { readonly idempotencyKey: string; readonly key: string }[];
  /** Writes to members that were not answered. */
  readonly unheard: readonly { readonly node: string; readonly authorized: boolean; readonly at: number }[];
  /** The slots whose managed routes are ours. */
  readonly slotsPublished: readonly number[];
  readonly routesUnheard: readonly RoutesUnheard[];
}

/** Nothing. */
export const NO_SNAPSHOT: Snapshot = {
  ...{
    nodes: [],
    released: [],
    reservations: [],
    keys: [],
    admissions: [],
    formerNodes: [],
    nameNumbers: [],
  },
  ...{ idempotencyKeys: [], unheard: [], slotsPublished: [], routesUnheard: [] },
};

type KeyRow = Omit<SnapshotKey, "tags" | "approval" | "allowOverlap"> & {
  readonly tags: string | null;
  readonly approval: number;
  readonly allowOverlap: number;
};

const texts = z.array(z.string());
const endings = z.enum(ENDINGS);

export class SnapshotStore {
  readonly #db: Database;
  readonly #nodes: NodeStore;
  readonly #keys: KeyStore;
  readonly #memory: MemoryStore;
  readonly #pages: SlotPages;

  constructor(db: Database, nodes: NodeStore, keys: KeyStore, memory: MemoryStore, pages: SlotPages) {
    this.#db = db;
    this.#nodes = nodes;
    this.#keys = keys;
    this.#memory = memory;
    this.#pages = pages;
  }

  read(): Snapshot {
    return {
      nodes: this.#readNodes(),
      released: this.#db.read<{ slot: number; node: string; releasedAt: number; freeAt: number | null }>(
        "SELECT slot, node, released_at AS releasedAt, free_at AS freeAt FROM released ORDER BY slot",
      ),
      reservations: this.#db.read<{ name: string; slot: number; createdAt: number }>(
        "SELECT name, slot, created_at AS createdAt FROM reservations ORDER BY name",
      ),
      keys: this.#readKeys(),
      admissions: this.#db
        .read<{ key: string; node: string; barred: number }>(
          "SELECT key_id AS key, node, barred FROM admissions ORDER BY key_id, node",
        )
        .map((row) => ({ ...row, barred: row.barred === 1 })),
      formerNodes: this.#readFormerNodes(),
      // Names with a number at their end were taken apart for this before, and what is left of some is no name.
      nameNumbers: this.#db
        .read<{ name: string; next: number }>("SELECT name, next FROM name_numbers ORDER BY name")
        .filter(({ name }) => isName(name)),
      idempotencyKeys: this.#db.read<{ idempotencyKey: string; key: string }>(
        "SELECT idempotency_key AS idempotencyKey, key_id AS key FROM user_data ORDER BY idempotency_key",
      ),
      unheard: this.#db
        .read<{ node: string; authorized: number; at: number }>(
          "SELECT node, authorized, at FROM unheard ORDER BY node, authorized",
        )
        .map((row) => ({ ...row, authorized: row.authorized === 1 })),
      slotsPublished: this.#memory.slotsPublished(),
      routesUnheard: this.#memory.routesUnheard(),
    };
  }

  #readNodes(): SnapshotNode[] {
    return Array.from(
      this.#nodes.inOrder("slot", undefined),
      ({
        address: _a,
        facts: _f,
        report: _r,
        reportedAt: _t,
        lastRepair: _l,
        findings: _d,
        probes: _p,
        ...node
      }) => node,
    );
  }

  #readKeys(): SnapshotKey[] {
    return this.#db
      .read<{ [column in keyof KeyRow]: KeyRow[column] }>(
        `SELECT id, hash, created_at AS createdAt, expires_at AS expiresAt, max_uses AS maxUses, approval,
           allow_overlap AS allowOverlap, names, ephemeral_minutes AS ephemeralMinutes, last_used_at AS lastUsedAt,
           reserved_slot AS reservedSlot, takes_over AS takesOver, revoked_at AS revokedAt, tags, note,
           user_data AS userData FROM keys ORDER BY created_at, id`,
      )
      .map((row) => ({
        ...row,
        approval: row.approval === 1,
        allowOverlap: row.allowOverlap === 1,
        tags: row.tags === null ? [] : texts.parse(JSON.parse(row.tags)),
      }));
  }

  #readFormerNodes(): Snapshot["formerNodes"] {
    return this.#db
      .read<{ node: string; tokenHashes: string; ending: string; endedAt: number }>(
        "SELECT node, token_hashes AS tokenHashes, ending, ended_at AS endedAt FROM former_nodes ORDER BY node",
      )
      .map(({ ending, tokenHashes, ...row }) => ({
        ...row,
        ending: endings.parse(ending),
        tokenHashes: texts.parse(JSON.parse(tokenHashes)),
      }));
  }

  /**
   * Within a transaction, where there is neither lease nor key nor reservation: writes all of it. What is known here of a slot, a
   * node or a name is newer, and stays.
   */
  write(snapshot: Snapshot): void {
    for (const node of snapshot.nodes) this.#writeNode(node);
    for (const { slot, node, releasedAt, freeAt } of snapshot.released)
      this.#db.write(
        "INSERT OR IGNORE INTO released (slot, node, released_at, free_at) VALUES (?, ?, ?, ?)",
        ...[slot, node, releasedAt, freeAt],
      );
    for (const { name, slot, createdAt } of snapshot.reservations)
      this.#db.write(
        "INSERT INTO reservations (name, slot, created_at) VALUES (?, ?, ?)",
        ...[name, slot, createdAt],
      );
    const uses = Map.groupBy(snapshot.admissions, ({ key }) => key);
    for (const { hash, ...key } of snapshot.keys)
      this.#keys.put({ ...key, uses: uses.get(key.id)?.length ?? 0 }, hash);
    for (const { key, node, barred } of snapshot.admissions)
      this.#db.write(
        "INSERT OR IGNORE INTO admissions (key_id, node, barred) VALUES (?, ?, ?)",
        ...[key, node, Number(barred)],
      );
    for (const { node, tokenHashes, ending, endedAt } of snapshot.formerNodes)
      this.#db.write(
        "INSERT OR IGNORE INTO former_nodes (node, token_hashes, ending, ended_at) VALUES (?, ?, ?, ?)",
        ...[node, JSON.stringify(tokenHashes), ending, endedAt],
      );
    for (const { name, next } of snapshot.nameNumbers)
      this.#db.write(
        "INSERT INTO name_numbers (name, next) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = max(next, excluded.next)",
        ...[name, next],
      );
    for (const { idempotencyKey, key } of snapshot.idempotencyKeys)
      this.#db.write(
        "INSERT OR IGNORE INTO user_data (idempotency_key, key_id) VALUES (?, ?)",
        ...[idempotencyKey, key],
      );
    for (const { node, authorized, at } of snapshot.unheard)
      this.#db.write(
        "INSERT OR IGNORE INTO unheard (node, authorized, at) VALUES (?, ?, ?)",
        ...[node, Number(authorized), at],
      );
    this.#memory.setSlotsPublished([
      ...new Set([...this.#memory.slotsPublished(), ...snapshot.slotsPublished]),
    ]);
    this.#memory.setRoutesUnheard([...snapshot.routesUnheard, ...this.#memory.routesUnheard()]);
    this.#pages.fill();
  }

  /** How a lease of its ended here since is over with this. */
  #writeNode(node: SnapshotNode): void {
    this.#db.write("DELETE FROM released WHERE slot = ?", node.slot);
    this.#db.write("DELETE FROM former_nodes WHERE node = ?", node.node);
    this.#nodes.putRow({ ...newNode(node, node.leasedAt), ...node });
  }
}
