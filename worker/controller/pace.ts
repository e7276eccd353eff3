import { ControllerError } from "./controller.ts";

/**
 * Keeps the calls to a controller under its rate limit, in the order they were asked for.
 *
 * A token bucket (as GCRA: one time stamp instead of a counter) with a small burst. Calls leave here at most
 * 0.9 × limit in any sliding second; the rest is for the network, which can press calls closer together on the way
 * (133 ms of difference in latency at the free plan's 20 a second). For the same reason only a few calls are under
 * way at once: a Worker queues what goes over six open connections, and would let that queue go all at once.
 */
export interface Pace {
  /** Runs the call in its turn. Rejects with `rate-limited` when the turn would come later than the longest wait. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Takes the limit that the controller told (calls a second). */
  learnLimit(limit: number): void;
  /** Holds every call back until then (Unix milliseconds), as after a 429. */
  holdUntil(time: number): void;
}

/** What {@link makePace} needs; clock and sleep are arguments, so that tests run on their own time. */
export interface PaceOptions {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Calls a second that the controller allows, until it says otherwise. ZeroTier Central: 20 free, 100 paid. */
  readonly limit?: number;
  /** The longest time that a call waits for its turn. */
  readonly maxWaitMs?: number;
  /** Calls under way at once. */
  readonly maxInFlight?: number;
}

/** The limits that are believed when a header tells one; 100 a second is the highest that ZeroTier documents. */
const LIMITS = { lowest: 1, highest: 100 } as const;
const DEFAULTS = { limit: 20, maxWaitMs: 20_000, maxInFlight: 5 } as const;

interface Waiting {
  readonly deadline: number;
  readonly start: () => void;
  readonly refuse: (retryAt: number) => void;
}

/** Burst (calls) and interval (ms between calls) for a limit: burst + calls a second = 0.9 × limit, but one call always fits. */
export function paceFor(limit: number): { burst: number; interval: number } {
  return { burst: Math.max(1, Math.floor(limit * 0.15)), interval: 1000 / (limit * 0.75) };
}

/** Makes the pace of one token at one controller; everything that uses the token must share it. */
export function makePace(options: PaceOptions): Pace {
  const { now, sleep } = options;
  const maxWaitMs = options.maxWaitMs ?? DEFAULTS.maxWaitMs;
  const maxInFlight = options.maxInFlight ?? DEFAULTS.maxInFlight;
  let shape = paceFor(options.limit ?? DEFAULTS.limit);
  /** When the bucket is full again, as GCRA has it: each call moves it on by one interval. */
  let fullAt = Number.NEGATIVE_INFINITY;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let inFlight = 0;
  let pumping = false;
  const queue: Waiting[] = [];

  /** When the call with so many before it may start, were connections free. */
  function turnAfter(ahead: number): number {
    return Math.max(now(), heldUntil, fullAt + (ahead - shape.burst + 1) * shape.interval);
  }

  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    while (queue[0] !== undefined && inFlight < maxInFlight) {
      const turn = turnAfter(0);
      if (turn > now()) {
        await sleep(Math.ceil(turn - now()));
        continue;
      }
      const next = queue.shift();
      if (next === undefined) break;
      if (now() > next.deadline) {
        next.refuse(turnAfter(queue.length));
        continue;
      }
      fullAt = Math.max(fullAt, now()) + shape.interval;
      inFlight += 1;
      next.start();
    }
    pumping = false;
  }

  function tooLong(retryAt: number): ControllerError {
    return new ControllerError(
      "rate-limited",
      `The ZeroTier controller's rate limit makes this call wait more than ${maxWaitMs / 1000} s. It is tried again later; many enrolments at once take longer.`,
      retryAt,
    );
  }

  return {
    run<T>(call: () => Promise<T>): Promise<T> {
      const deadline = now() + maxWaitMs;
      const turn = turnAfter(queue.length);
      if (turn > deadline) return Promise.reject(tooLong(turn));
      return new Promise<T>((resolve, reject) => {
        const finish = (): void => {
          inFlight -= 1;
          void pump();
        };
        queue.push({
          deadline,
          start: () => {
            call().then(resolve, reject).then(finish);
          },
          refuse: (retryAt) => reject(tooLong(retryAt)),
        });
        void pump();
      });
    },
    learnLimit(limit) {
      if (!Number.isInteger(limit) || limit < LIMITS.lowest) return;
      shape = paceFor(Math.min(limit, LIMITS.highest));
    },
    holdUntil(time) {
      heldUntil = Math.max(heldUntil, time);
    },
  };
}
