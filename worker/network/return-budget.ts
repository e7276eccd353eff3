import { HOUR_MS } from "../base/time-units.ts";

/**
 * How often nodes that gave up their leases come back. A server that leaves and comes in a loop would use up the day's rows, and
 * push what others did out of the audit log. Only in memory: what comes in a loop keeps the object there.
 */
export class ReturnBudget {
  readonly #most: number;
  /** When they came back within the last hour (ms since 1970), by node. */
  readonly #returns = new Map<string, readonly number[]>();

  /** `most`: how often an hour. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts that the node comes back at `now` (ms since 1970). When it did too often: ms until it may again, and nothing is counted. */
  take(node: string, now: number): number | undefined {
    for (const [other, times] of this.#returns) {
      const late = times.filter((at) => at > now - HOUR_MS);
      if (late.length === 0) this.#returns.delete(other);
      else this.#returns.set(other, late);
    }
    const times = this.#returns.get(node) ?? [];
    const [first] = times;
    if (first !== undefined && times.length >= this.#most) return first + HOUR_MS - now;
    this.#returns.set(node, [...times, now]);
    return undefined;
  }
}
