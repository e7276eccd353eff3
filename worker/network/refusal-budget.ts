import { HOUR_MS } from "../base/time-units.ts";
import { LIMITS } from "../config/limits.ts";

/** How many refusals may still be written in the hour: of keys that are known, and of others. */
export class RefusalBudget {
  readonly #written: (isKnownKey: boolean, since: number) => number;
  #hour = 0;
  #spent = { known: 0, others: 0 };

  /** `written`: how many were written from then on (ms since 1970), which an object that starts anew has to count as well. */
  constructor(written: (isKnownKey: boolean, since: number) => number) {
    this.#written = written;
  }

  /** Whether one more may be; it counts then. `at`: ms since 1970. */
  take(isKnownKey: boolean, at: number): boolean {
    const hour = Math.floor(at / HOUR_MS);
    if (hour !== this.#hour) {
      this.#hour = hour;
      const since = hour * HOUR_MS;
      this.#spent = { known: this.#written(true, since), others: this.#written(false, since) };
    }
    const kind = isKnownKey ? "known" : "others";
    if (this.#spent[kind] >= LIMITS.refusalsAnHour) return false;
    this.#spent[kind] += 1;
    return true;
  }
}
