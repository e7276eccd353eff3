import { isQuotaUsedUp, quotaBackAt } from "../base/quota.ts";

/** ms until a write is tried again after the first that was refused, and at most. */
const PAUSE_MS = { first: 60_000, longest: 15 * 60_000 } as const;

interface Refused {
  /** What the platform said. */
  readonly error: unknown;
  readonly pauseMs: number;
  /** ms since 1970. */
  readonly until: number;
}

/**
 * Whether the platform takes what the object writes. While it does not, because the day's rows are used up, nothing is begun that
 * would have to be kept: it would ask the controller, and forget the answer. Only in memory: nowhere else could it be noted.
 */
export class WritePause {
  readonly #now: () => number;
  readonly #trial: () => void;
  #refused: Refused | undefined;
  #isProven = false;

  /** `trial` writes a row; `now` gives ms since 1970. */
  constructor(now: () => number, trial: () => void) {
    this.#now = now;
    this.#trial = trial;
  }

  /** Makes a change, and notes whether the platform took it. */
  watch<T>(change: () => T): T {
    try {
      const result = change();
      this.#refused = undefined;
      this.#isProven = true;
      return result;
    } catch (error) {
      if (isQuotaUsedUp(error)) this.#note(error);
      throw error;
    }
  }

  /** Whether no write is to be tried now. */
  isOn(): boolean {
    return this.#refused !== undefined && this.#now() < this.#refused.until;
  }

  /** Throws what the platform said when it refused a write; after a pause it is asked again first, by a trial. */
  check(): void {
    if (this.#refused === undefined) return;
    if (this.isOn()) throw this.#refused.error;
    this.watch(this.#trial);
  }

  /** The same for what nobody waits for: a trial is also made when nothing was written yet. */
  prove(): void {
    if (this.#refused === undefined && !this.#isProven) this.watch(this.#trial);
    else this.check();
  }

  #note(error: unknown): void {
    const now = this.#now();
    const before = this.#refused?.pauseMs ?? PAUSE_MS.first / 2;
    const pauseMs = Math.min(PAUSE_MS.longest, 2 * before);
    this.#refused = { error, pauseMs, until: Math.min(now + pauseMs, quotaBackAt(now)) };
  }
}
