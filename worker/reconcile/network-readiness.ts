// What must be known before a slot is leased: that the ZeroTier network is fit for the mesh, and which addresses and
// subnets others hold in it by now. Asked once for all enrolments that follow one another closely.
import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import { ControllerError } from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { describePool } from "../lease/pool.ts";
import { noteMembers } from "./address-conflicts.ts";
import { makeFit } from "./make-fit.ts";
import type { Upkeep } from "./upkeep.ts";

/** ms within which one enrolment follows another closely, and the longest that what was read for the first is used. */
const BURST = { gap: 3_000, longest: 30_000 } as const;

/** ms for which what is known is used on, after the controller could not be read. */
const RETRY_MS = 30_000;

export class NetworkReadiness {
  readonly #upkeep: Upkeep;
  #asking: Promise<Refusal | undefined> | undefined;
  /** When a slot was last wanted, and until when the controller is not asked after it failed (ms since 1970). */
  #wantedAt = 0;
  #notBefore = 0;

  constructor(upkeep: Upkeep) {
    this.#upkeep = upkeep;
  }

  /** Why no slot can be leased now; undefined when one can. */
  async refusal(): Promise<Refusal | undefined> {
    const fresh = this.#isFresh();
    this.#wantedAt = this.#upkeep.now();
    if (fresh) return undefined;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  #isFit(): boolean {
    const { stores, config } = this.#upkeep;
    const fitness = stores.memory.fitness();
    if (fitness === undefined || fitness.faults.length > 0) return false;
    return JSON.stringify(fitness.pool) === JSON.stringify(describePool(config.pool));
  }

  /** Age (ms) of what is known. */
  #age(): number {
    const { stores, now } = this.#upkeep;
    return now() - Math.min(stores.memory.fitness()?.at ?? 0, stores.memory.slotsHeld()?.at ?? 0);
  }

  #isFresh(): boolean {
    if (!this.#isFit()) return false;
    const now = this.#upkeep.now();
    const age = this.#age();
    if (now < this.#notBefore) return age < LIMITS.networkFreshMs;
    return age < BURST.gap || (age < BURST.longest && now - this.#wantedAt < BURST.gap);
  }

  /** So that the health says what a server has met before the hourly run meets it too. */
  #noteCheck(unreachable: string | null, faults: readonly string[]): void {
    const { stores, now } = this.#upkeep;
    stores.transaction(() => {
      const { at, unbrokenSince } = stores.memory.lastCheck() ?? { at: now(), unbrokenSince: now() };
      stores.memory.setLastCheck({ at, unbrokenSince, unreachable, faults });
    });
  }

  async #ask(): Promise<Refusal | undefined> {
    const { config, stores, controller, log, now } = this.#upkeep;
    try {
      const { faults } = await makeFit(this.#upkeep);
      this.#noteCheck(null, faults);
      if (faults.length > 0) return { problem: "network-unfit", networkId: config.networkId, faults };
      const members = await controller.listMembers();
      stores.transaction(() => noteMembers(this.#upkeep, members));
      return undefined;
    } catch (error) {
      if (error instanceof ControllerError) this.#noteCheck(error.message, []);
      if (!this.#isFit() || this.#age() >= LIMITS.networkFreshMs) return controllerRefusal(error, now());
      // What was read a moment ago is better than no lease: the controller being away must not keep a server out.
      this.#notBefore = now() + RETRY_MS;
      log("network-not-read", { error: errorText(error) });
      return undefined;
    }
  }
}
