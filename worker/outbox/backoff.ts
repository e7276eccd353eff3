const FIRST_MS = 2_000;
const LONGEST_MS = 10 * 60_000;
const SHORTEST_MS = 500;

/**
 * How long (ms) to wait after the failure number `attempts` (0 is the first): up to twice as long each time,
 * with full jitter, so that what failed together is not tried together again. `random` gives [0, 1).
 */
export function retryDelay(attempts: number, random: () => number): number {
  const most = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts, 20));
  return Math.max(SHORTEST_MS, Math.round(random() * most));
}
