/** What was called, for tests that hold Meshboot to few calls and to the rate limit. */
export interface CallCounts {
  readonly total: number;
  /** Answered 429. */
  readonly refused: number;
  /** The most calls that arrived within any sliding second, refused ones too. */
  readonly peak: number;
  /** Calls in each second of the clock, by its Unix time: the last ten minutes' worth. */
  readonly seconds: readonly { readonly second: number; readonly calls: number }[];
  /** Calls by method and path, ids left out: `POST /network/:network/member/:node`. */
  readonly byCall: Readonly<Record<string, number>>;
}

export interface CallLog {
  record(call: string, now: number): void;
  recordRefusal(): void;
  counts(): CallCounts;
  reset(): void;
}

const SECONDS_KEPT = 600;

/** Counts the calls to the API. */
export function makeCallLog(): CallLog {
  let total = 0;
  let refused = 0;
  let peak = 0;
  let lastSecond: number[] = [];
  const seconds = new Map<number, number>();
  const byCall = new Map<string, number>();

  return {
    record(call, now) {
      total += 1;
      lastSecond = [...lastSecond.filter((time) => time > now - 1000), now];
      peak = Math.max(peak, lastSecond.length);
      const second = Math.floor(now / 1000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
      for (const old of seconds.keys()) if (old <= second - SECONDS_KEPT) seconds.delete(old);
      byCall.set(call, (byCall.get(call) ?? 0) + 1);
    },
    recordRefusal() {
      refused += 1;
    },
    counts() {
      return {
        total,
        refused,
        peak,
        seconds: [...seconds].map(([second, calls]) => ({ second, calls })),
        byCall: Object.fromEntries(byCall),
      };
    },
    reset() {
      total = 0;
      refused = 0;
      peak = 0;
      lastSecond = [];
      seconds.clear();
      byCall.clear();
    },
  };
}
