// What must be known before a slot is leased: that the ZeroTier network is fit for the mesh, and which addresses and
// subnets others hold in it by now. Asked once for all enrolments that follow one another closely.
import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import { ControllerError } from "../controller/controller.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import { describePool } from "../lease/pool.ts";
import { type FailedLook, failedLook } from "../store/memory-store.ts";
import { justRestored } from "./just-restored.ts";
import { makeFit } from "./make-fit.ts";
import { readMembers } from "./read-members.ts";
import type { Upkeep } from "./upkeep.ts";

/** ms for which what was read is as good as read now: enrolments that follow one another closely share it. */
const FRESH_MS = 3_000;

/** ms for which what is known is used on, after the controller could not be read. */
const RETRY_MS = 30_000;

/** What was found of the network by one look at the controller, and when it began (ms since 1970). */
interface Look {
  readonly at: number;
  readonly faults: readonly string[];
}

export class NetworkReadiness {
  readonly #upkeep: Upkeep;
  #looking: Promise<Look> | undefined;
  #last: Look | undefined;
  /** Until when the controller is not asked for a new lease after it failed (ms since 1970). */
  #notBefore = 0;

  constructor(upkeep: Upkeep) {
    this.#upkeep = upkeep;
  }

  /** Why no slot can be leased now; undefined when one can. */
  async refusal(): Promise<Refusal | undefined> {
    const { config, stores, log, now } = this.#upkeep;
    const restored = justRestored(stores, now());
    if (restored !== undefined) return restored;
    if (now() < this.#notBefore && this.#isKnown()) return undefined;
    try {
      const { faults } = await this.#look();
      return faults.length > 0
        ? { problem: "network-unfit", networkId: config.networkId, faults }
        : undefined;
    } catch (error) {
      if (!this.#isKnown()) return controllerRefusal(error, now());
      // The lease is made from what was read a while ago, and looked at once more before anybody is told of it.
      this.#notBefore = now() + RETRY_MS;
      log("network-not-read", { error: errorText(error) });
      return undefined;
    }
  }

  /** Reads the members as they are now, and notes what others hold. Rejects when the controller cannot be read, or the network does not fit. */
  async look(): Promise<void> {
    const { faults } = await this.#look();
    if (faults.length > 0) throw new ControllerError("rejected", faults.join(" "));
  }

  /** Whether the network was fit for this pool when it was last read, and that is not long ago. */
  #isKnown(): boolean {
    const { stores, config, now } = this.#upkeep;
    const fitness = stores.memory.fitness();
    if (fitness === undefined || fitness.faults.length > 0) return false;
    if (JSON.stringify(fitness.pool) !== JSON.stringify(describePool(config.pool))) return false;
    return now() - Math.min(fitness.at, stores.memory.slotsHeld()?.at ?? 0) < LIMITS.networkFreshMs;
  }

  #look(): Promise<Look> {
    const { now } = this.#upkeep;
    if (this.#last !== undefined && now() - this.#last.at < FRESH_MS && this.#isKnown())
      return Promise.resolve(this.#last);
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(): Promise<Look> {
    const { now } = this.#upkeep;
    const at = now();
    try {
      const { faults } = await makeFit(this.#upkeep);
      this.#noteCheck(null, faults);
      if (faults.length > 0) return { at, faults };
      await readMembers(this.#upkeep);
      this.#last = { at, faults };
      return this.#last;
    } catch (error) {
      if (error instanceof ControllerError) this.#noteCheck(failedLook(error, now()), []);
      throw error;
    }
  }

  /** So that the health says what a server has met before the hourly run meets it too. */
  #noteCheck(unreachable: FailedLook | null, faults: readonly string[]): void {
    const { stores, now } = this.#upkeep;
    stores.transaction(() => {
      const none = { at: now(), unbrokenSince: now(), heardSince: now() };
      stores.memory.setLastCheck({ ...(stores.memory.lastCheck() ?? none), unreachable, faults });
    });
  }
}
