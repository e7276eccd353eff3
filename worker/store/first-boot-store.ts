// First boots: one row for each machine and key, written anew with each report.
import { z } from "zod";
import { BOOT_STAGES, BOOT_STATES, type FirstBoot } from "../lease/first-boot.ts";
import type { Database } from "./database.ts";

/** A first boot in the table; `id` grows with each that is added. */
export interface StoredBoot extends FirstBoot {
  readonly id: number;
}

type Row = {
  id: number;
  key_id: string;
  machine_id: string;
  node: string | null;
  name: string | null;
  address: string | null;
  state: string;
  step: string | null;
  log: string | null;
  clock_ahead: number | null;
  stages: string;
  at: number;
  proven_at: number | null;
};

const state = z.enum(BOOT_STATES);
const stages = z.partialRecord(z.enum(BOOT_STAGES), z.number());

export class FirstBootStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(keyId: string, machineId: string): StoredBoot | undefined {
    return this.#db
      .read<Row>("SELECT * FROM first_boots WHERE key_id = ? AND machine_id = ?", keyId, machineId)
      .map(fromRow)[0];
  }

  /** How many machines told of boots with this key. */
  countOf(keyId: string): number {
    return this.#db.readOne<{ number: number }>(
      "SELECT count(*) AS number FROM first_boots WHERE key_id = ?",
      keyId,
    ).number;
  }

  /** Adds or changes it: one row, and that of an index for one that is new. */
  put(boot: FirstBoot): void {
    this.#db.write(
      `INSERT INTO first_boots (key_id, machine_id, node, name, address, state, step, log, clock_ahead, stages, at, proven_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (key_id, machine_id) DO UPDATE SET node = excluded.node, name = excluded.name, address = excluded.address,
         state = excluded.state, step = excluded.step, log = excluded.log, clock_ahead = excluded.clock_ahead,
         stages = excluded.stages, at = excluded.at, proven_at = excluded.proven_at`,
      boot.keyId,
      boot.machineId,
      boot.node,
      boot.name,
      boot.address,
      boot.state,
      boot.step,
      boot.log,
      boot.clockAhead,
      JSON.stringify(boot.stages),
      boot.at,
      boot.provenAt,
    );
  }

  /** Whether one more makes no other one be forgotten, of so many that are kept in all. */
  hasRoom(most: number): boolean {
    return (
      this.#db.readOne<{ fits: number }>(
        "SELECT coalesce(max(id) - min(id) + 1, 0) < ? AS fits FROM first_boots",
        most,
      ).fits === 1
    );
  }

  /** Forgets the key's oldest. */
  forgetOldestOf(keyId: string): void {
    this.#db.write(
      "DELETE FROM first_boots WHERE id = (SELECT min(id) FROM first_boots WHERE key_id = ?)",
      keyId,
    );
  }

  /** Forgets the oldest beyond so many. */
  forgetBeyond(most: number): void {
    this.#db.write("DELETE FROM first_boots WHERE id <= (SELECT max(id) FROM first_boots) - ?", most);
  }

  /**
   * Forgets, `most` at a time, those of which nothing was heard since then (ms since 1970); but none that told of itself by a proof while
   * its key is good: that proof would be taken once more.
   */
  forgetBefore(time: number, most: number, now: number): void {
    this.#db.write(
      `DELETE FROM first_boots WHERE id IN (SELECT id FROM first_boots WHERE at < ?
         AND (proven_at IS NULL OR NOT EXISTS (SELECT 1 FROM keys WHERE keys.id = key_id AND expires_at > ?)) LIMIT ?)`,
      time,
      now,
      most,
    );
  }

  /** The newest first, at most `limit`, those before the id: all, or those of a key. */
  list(limit: number, before: number | undefined, keyId: string | undefined): StoredBoot[] {
    const from = before ?? Number.MAX_SAFE_INTEGER;
    const rows =
      keyId === undefined
        ? this.#db.read<Row>("SELECT * FROM first_boots WHERE id < ? ORDER BY id DESC LIMIT ?", from, limit)
        : this.#db.read<Row>(
            "SELECT * FROM first_boots WHERE key_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            keyId,
            from,
            limit,
          );
    return rows.map(fromRow);
  }
}

function fromRow(row: Row): StoredBoot {
  return {
    id: row.id,
    keyId: row.key_id,
    machineId: row.machine_id,
    node: row.node,
    name: row.name,
    address: row.address,
    state: state.parse(row.state),
    step: row.step,
    log: row.log,
    clockAhead: row.clock_ahead,
    stages: stages.parse(JSON.parse(row.stages)),
    at: row.at,
    provenAt: row.proven_at,
  };
}
