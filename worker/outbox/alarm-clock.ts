import { errorText, type Log } from "../base/log.ts";
import type { Waiting } from "../store/stores.ts";

/** ms by which an alarm may be late before it counts as lost: the platform gives one up that has failed too often. */
const LOST_MS = 60_000;

/** ms until the alarm goes off again after its work failed as a whole: at least and at most. */
const FAILED_MS = { shortest: 5_000, longest: 15 * 60_000 } as const;

/** What {@link AlarmClock} works with. */
export interface AlarmClockOptions {
  readonly storage: DurableObjectStorage;
  /** The alarm that storage holds already (ms since 1970). */
  readonly setTo: number | undefined;
  readonly now: () => number;
  readonly log: Log;
}

/** The object's one alarm: always set to when the next of what waits is due, or earlier. */
export class AlarmClock {
  readonly #options: AlarmClockOptions;
  #setTo: number | undefined;
  #working = false;
  /** When work that failed is tried again (ms since 1970). */
  #notBefore = 0;

  constructor(options: AlarmClockOptions) {
    this.#options = options;
    this.#setTo = options.setTo;
  }

  /** After the object's start: sets the alarm for what is due next if none is set, or one that should have gone off long ago. */
  begin(waiting: Waiting): void {
    if (this.#setTo === undefined || this.#isLost()) this.arm(waiting);
  }

  /** Sets the alarm for what is due next; leaves one that goes off earlier, unless it should have done so long ago. */
  arm(waiting: Waiting): void {
    // While the alarm works, something is due that it is about to deliver. It arms anew at its end; if it never
    // gets there, the platform calls it again.
    if (this.#working) return;
    const next = waiting.nextDue();
    if (next === undefined) return;
    const at = Math.max(next, this.#notBefore);
    if (this.#setTo !== undefined && this.#setTo <= at && !this.#isLost()) return;
    // In the past it would seem lost again at the next change.
    void this.#set(Math.max(at, this.#options.now()));
  }

  /**
   * Runs the alarm's work, then sets the alarm for what is left. Work that fails as a whole, because storage does not answer or
   * does not take what it did, is tried again after a pause, as long as what is due has waited by now: each time a longer one, also
   * when the object is forgotten in between. Thrown on, the platform would try again a few times within two minutes, then never.
   */
  async goOff(waiting: Waiting, work: () => Promise<void>): Promise<void> {
    const { now, log } = this.#options;
    this.#setTo = undefined;
    this.#working = true;
    try {
      await work();
      this.#notBefore = 0;
      this.#working = false;
      this.arm(waiting);
    } catch (error) {
      this.#notBefore = now() + pauseOf(waiting, now());
      log("alarm-failed", { error: errorText(error), until: this.#notBefore });
      await this.#set(this.#notBefore);
    } finally {
      this.#working = false;
    }
  }

  #isLost(): boolean {
    return this.#setTo !== undefined && this.#setTo + LOST_MS < this.#options.now();
  }

  /** One that the platform does not take is set by the next change. */
  async #set(at: number): Promise<void> {
    this.#setTo = at;
    try {
      await this.#options.storage.setAlarm(at);
    } catch (error) {
      this.#setTo = undefined;
      this.#options.log("alarm-not-set", { error: errorText(error) });
    }
  }
}

/** How long to wait (ms) after work that failed: as long as what is due has waited, or has still to wait. */
function pauseOf(waiting: Waiting, now: number): number {
  try {
    const next = waiting.nextDue();
    if (next === undefined) return FAILED_MS.longest;
    return Math.min(FAILED_MS.longest, Math.max(FAILED_MS.shortest, Math.abs(now - next)));
  } catch {
    // Storage does not answer.
    return FAILED_MS.longest;
  }
}
