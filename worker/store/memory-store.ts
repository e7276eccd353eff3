// The few things that the object remembers by name: when the network was made fit, how it was last found, and what
// others hold. In the table `facts`, as JSON; what a released version wrote there must stay readable.
import { z } from "zod";
import { CONTROLLER_FAULTS, type ControllerError, type ControllerFault } from "../controller/controller.ts";
import type { Route } from "../lease/managed-routes.ts";
import type { Database } from "./database.ts";
import { poolSettings } from "./pool-settings.ts";

const slotsAt = z.object({ at: z.number(), slots: z.array(z.number()) });
const heldAt = z.object({
  at: z.number(),
  held: z.array(z.object({ slot: z.number(), address: z.string(), member: z.string() })),
});
const fitness = z.object({ at: z.number(), pool: poolSettings, faults: z.array(z.string()) });
const routes: z.ZodType<Route[]> = z.array(z.object({ target: z.string(), via: z.string().nullable() }));
const routesUnheard = z.array(
  z.object({ at: z.number(), routes: routes, slots: z.array(z.number()), seen: routes }),
);
const lastCheck = z.object({
  at: z.number(),
  since: z.number(),
  unread: z.string().nullable(),
  /** Two that older versions did not write. */
  unreadAt: z.number().optional(),
  unreadReason: z.enum(CONTROLLER_FAULTS).optional(),
  /** Versions before ephemeral leases did not write it. */
  heardSince: z.number().optional(),
  faults: z.array(z.string()),
});

const controllerTurn = z.object({
  number: z.number().int(),
  node: z.string(),
  since: z.number(),
  isWhole: z.boolean(),
  isFound: z.boolean(),
  askedAt: z.number().nullable(),
});

/** Which node hosts the controller, one after the other. Times in ms since 1970. */
export interface ControllerTurn {
  /** 1 for the first, and one more with each move. */
  readonly number: number;
  readonly node: string;
  readonly since: number;
  /** Whether the controller there was told all that the one before it knew. */
  readonly isWhole: boolean;
  /** Whether the node was found to host it after the storage was lost, by its own word. */
  readonly isFound: boolean;
  /** When the node last asked, give or take some minutes; null: not since. */
  readonly askedAt: number | null;
}

/** Slots, and when they were found out (ms since 1970). */
export type SlotsAt = z.infer<typeof slotsAt>;

/** Addresses of slots that members hold to whom they are not leased, and when they were found out (ms since 1970). */
export type HeldAt = z.infer<typeof heldAt>;

/**
 * A write of the routes that was not answered: what it wrote, the slots whose routes were ours in it, and the routes
 * of others that were seen last before it took effect, if it did.
 */
export type RoutesUnheard = z.infer<typeof routesUnheard>[number];

/** When the network was found fit for a pool; with faults, that it no longer was. */
export type Fitness = z.infer<typeof fitness>;

/** A look at the controller that failed. */
export interface FailedLook {
  /** ms since 1970. */
  readonly at: number;
  /** Undefined when an older version noted it. */
  readonly reason: ControllerFault | undefined;
  /** For the operator: it may quote what the other side said. */
  readonly text: string;
}

/** The look that failed so at that time (ms since 1970). */
export function failedLook({ reason, message }: ControllerError, at: number): FailedLook {
  return { at, reason, text: message };
}

/** How the controller was last found, by the hourly run or for a server that came. Times in ms since 1970. */
export interface LastCheck {
  /** Of the hourly run. */
  readonly at: number;
  /** Start of the unbroken series of runs that it belongs to. */
  readonly unbrokenSince: number;
  /** Start of the unbroken series of runs at each of which some server had just been heard. */
  readonly heardSince: number;
  /** Why the controller could not be read; null when it could. */
  readonly unreachable: FailedLook | null;
  /** What keeps the network from carrying the mesh. */
  readonly faults: readonly string[];
}

export class MemoryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Which network the tables are of; undefined while they are of none. */
  networkId(): string | undefined {
    return this.#get("network", z.string());
  }

  setNetworkId(value: string): void {
    this.#set("network", value);
  }

  /** Writes one row, and changes nothing. */
  rewrite(): void {
    this.#db.write("UPDATE facts SET value = value WHERE name = 'network'");
  }

  fitness(): Fitness | undefined {
    return this.#get("fitness", fitness);
  }

  setFitness(value: Fitness): void {
    this.#set("fitness", value);
  }

  lastCheck(): LastCheck | undefined {
    const stored = this.#get("look", lastCheck);
    if (stored === undefined) return undefined;
    const { at, since, unread, unreadAt = at, unreadReason: reason, heardSince = at, faults } = stored;
    const unreachable = unread === null ? null : { at: unreadAt, reason, text: unread };
    return { at, unbrokenSince: since, heardSince, unreachable, faults };
  }

  setLastCheck({ at, unbrokenSince, heardSince, unreachable, faults }: LastCheck): void {
    const stored: z.infer<typeof lastCheck> = {
      at,
      since: unbrokenSince,
      unread: unreachable?.text ?? null,
      unreadAt: unreachable?.at,
      unreadReason: unreachable?.reason,
      heardSince,
      faults: [...faults],
    };
    this.#set("look", stored);
  }

  /** The controller has answered: that it did not is no longer so. */
  controllerAnswered(): void {
    const check = this.lastCheck();
    if (check?.unreachable) this.setLastCheck({ ...check, unreachable: null });
  }

  /** When leases were put back after the storage was lost (ms since 1970). */
  restoredAt(): number | undefined {
    return this.#get("restored", z.object({ at: z.number() }))?.at;
  }

  setRestoredAt(at: number): void {
    this.#set("restored", { at });
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

  /** Writes of the routes whose answer was not heard, the oldest first. */
  routesUnheard(): RoutesUnheard[] {
    return this.#get("routesUnheard", routesUnheard) ?? [];
  }

  setRoutesUnheard(value: readonly RoutesUnheard[]): void {
    this.#set("routesUnheard", value);
  }

  /** Slots that a foreign route touches. */
  slotsRouted(): SlotsAt | undefined {
    return this.#get("slotsRouted", slotsAt);
  }

  setSlotsRouted(value: SlotsAt): void {
    this.#set("slotsRouted", value);
  }

  /** Foreign routes inside the pool. */
  conflicts(): Route[] {
    return this.#get("conflicts", routes) ?? [];
  }

  setConflicts(value: readonly Route[]): void {
    this.#set("conflicts", value);
  }

  /** Whose turn it is to host the controller. */
  controllerTurn(): ControllerTurn | undefined {
    return this.#get("controllerTurn", controllerTurn);
  }

  setControllerTurn(value: ControllerTurn): void {
    this.#set("controllerTurn", value);
  }

  /** The nodes that may host it after the present one. */
  controllerCandidates(): string[] {
    return this.#get("controllerCandidates", z.array(z.string())) ?? [];
  }

  setControllerCandidates(value: readonly string[]): void {
    this.#set("controllerCandidates", value);
  }

  /** Forgets what is known of slots, by their numbers, and the pool that gave them a meaning. */
  forgetSlots(): void {
    this.#db.write(
      `DELETE FROM facts WHERE name IN
         ('fitness', 'slotsHeld', 'slotsPublished', 'routesUnheard', 'slotsRouted', 'conflicts')`,
    );
  }

  #get<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const [row] = this.#db.read<{ value: string }>("SELECT value FROM facts WHERE name = ?", name);
    return row === undefined ? undefined : schema.parse(JSON.parse(row.value));
  }

  #set(name: string, value: unknown): void {
    this.#db.write("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, JSON.stringify(value));
  }
}
