import { HOUR_MS } from "../base/time-units.ts";

/**
 * How many reports of first boots may be written in the hour, of one key and of all: whoever has a key must not use up the day's
 * rows with it. Only in memory: what reports without end keeps the object there.
 */
export class BootBudget {
  readonly #mostOfKey: number;
  readonly #most: number;
  #hour = 0;
  #all = 0;
  readonly #ofKey = new Map<string, number>();

  constructor(mostOfKey: number, most: number) {
    this.#mostOfKey = mostOfKey;
    this.#most = most;
  }

  /** Counts one of the key's at `now` (ms since 1970). Where that is too many: ms until one more may be, and nothing is counted. */
  take(keyId: string, now: number): number | undefined {
    const hour = Math.floor(now / HOUR_MS);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#all = 0;
      this.#ofKey.clear();
    }
    const ofKey = this.#ofKey.get(keyId) ?? 0;
    if (ofKey >= this.#mostOfKey || this.#all >= this.#most) return (hour + 1) * HOUR_MS - now;
    this.#ofKey.set(keyId, ofKey + 1);
    this.#all += 1;
    return undefined;
  }
}
