import { HOUR_MS } from "../base/time-units.ts";

/** ms until a call that was not taken is made again: after the first, and at most. */
const FIRST_PAUSE_MS = 5_000;
export const LONGEST_PAUSE_MS = HOUR_MS;

/**
 * How long (ms) to wait after so many calls in a row that were not taken (1 is the first): twice as long each time, less up to a half by
 * chance, so that what failed together is not tried together again. `random` gives [0, 1).
 */
export function webhookPause(failures: number, random: () => number): number {
  const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(most * (1 - random() / 2));
}
