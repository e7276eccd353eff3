// The few things that the object remembers by name: when the network was made fit, how it was last found, and what
// others hold.
import { z } from "zod";

const slotsAt = z.object({ at: z.number(), slots: z.array(z.number()) });
const heldAt = z.object({
  at: z.number(),
  held: z.array(z.object({ slot: z.number(), address: z.string(), member: z.string() })),
});
const poolSettings = z.object({ zerotier: z.string(), docker: z.string(), nodePrefix: z.number() });
const fitness = z.object({ at: z.number(), pool: poolSettings, faults: z.array(z.string()) });
const conflicts = z.array(z.object({ target: z.string(), via: z.string().nullable() }));

const look = z.object({
  at: z.number(),
  since: z.number(),
  unread: z.string().nullable(),
  faults: z.array(z.string()),
});

/** Slots, and when they were found out (ms since 1970). */
export type SlotsAt = z.infer<typeof slotsAt>;

/** Addresses of slots that members hold to whom they are not leased, and when they were found out (ms since 1970). */
export type HeldAt = z.infer<typeof heldAt>;

/** When the network was found fit for a pool; with faults, that it no longer was. */
export type Fitness = z.infer<typeof fitness>;

/**
 * How the hourly run last found the controller: why it could not be read, or what stands against the mesh. `since`: since
 * when the runs have come without a gap.
 */
export type Look = z.infer<typeof look>;

/** A route of somebody else inside the pool. */
export type Conflict = z.infer<typeof conflicts>[number];

/** The table `facts`: values as JSON. */
export class FactStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Which network the tables are of: the one that is given at the first call, for good. */
  network(given: string): string {
    const known = this.#get("network", z.string());
    if (known !== undefined) return known;
    this.#set("network", given);
    return given;
  }

  fitness(): Fitness | undefined {
    return this.#get("fitness", fitness);
  }

  setFitness(value: Fitness): void {
    this.#set("fitness", value);
  }

  look(): Look | undefined {
    return this.#get("look", look);
  }

  setLook(value: Look): void {
    this.#set("look", value);
  }

  /** Slots whose ZeroTier address another member holds. */
  slotsHeld(): HeldAt | undefined {
    return this.#get("slotsHeld", heldAt);
  }

  setSlotsHeld(value: HeldAt): void {
    this.#set("slotsHeld", value);
  }

  /** Slots whose managed routes we wrote and have not seen gone since. */
  slotsPublished(): number[] {
    return this.#get("slotsPublished", z.array(z.number())) ?? [];
  }

  setSlotsPublished(value: readonly number[]): void {
    this.#set("slotsPublished", value);
  }

  /** Slots that a foreign route touches. */
  slotsRouted(): SlotsAt | undefined {
    return this.#get("slotsRouted", slotsAt);
  }

  setSlotsRouted(value: SlotsAt): void {
    this.#set("slotsRouted", value);
  }

  /** Foreign routes inside the pool. */
  conflicts(): Conflict[] {
    return this.#get("conflicts", conflicts) ?? [];
  }

  setConflicts(value: readonly Conflict[]): void {
    this.#set("conflicts", value);
  }

  /** Forgets what is known of slots, by their numbers, and the pool that gave them a meaning. */
  forgetSlots(): void {
    this.#sql.exec(
      "DELETE FROM facts WHERE name IN ('fitness', 'slotsHeld', 'slotsPublished', 'slotsRouted', 'conflicts')",
    );
  }

  #get<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const row = this.#sql
      .exec<{ value: string }>("SELECT value FROM facts WHERE name = ?", name)
      .toArray()[0];
    return row === undefined ? undefined : schema.parse(JSON.parse(row.value));
  }

  #set(name: string, value: unknown): void {
    this.#sql.exec("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, JSON.stringify(value));
  }
}
