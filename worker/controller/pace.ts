import { HeldBackError } from "./controller.ts";

/**
 * Keeps the calls to a controller under its rate limit, in the order they were asked for but for those that go first.
 *
 * A bucket of tokens, one a call, each of which comes back a second after the call's answer: whenever between leaving
 * here and being answered a call arrives there, no sliding second over there can hold more calls than there are
 * tokens. Leaving calls are spaced as well, after a small burst, for the sake of a limiter that is stricter about
 * bursts than about seconds (how Central's works is not documented). And only a few are under way at once: a Worker
 * queues what goes over six open connections.
 */
export interface Pace {
  /**
   * Runs the call in its turn; with `first` ahead of those without, for a call that another one must follow closely.
   * After two of that kind, a look and its write, one of the others has its turn.
   * Rejects with `rate-limited` as soon as it is known that the turn comes later than the longest wait.
   */
  run<T>(call: () => Promise<T>, order?: "first"): Promise<T>;
  /** Takes the limit that the controller told (calls a second). */
  learnLimit(limit: number): void;
  /** Holds every call back until then (Unix milliseconds), as after a 429. */
  holdUntil(time: number): void;
  state(): PaceState;
}

/** How a pace stands. */
export interface PaceState {
  /** Calls that it lets go in a second. */
  readonly limit: number;
  /** Those under way, and those that were answered within the last second. */
  readonly lately: number;
  /** Those that wait for their turn. */
  readonly waiting: number;
  /** Until when it holds back all of them (Unix milliseconds), if it ever did. */
  readonly heldUntil: number | undefined;
}

/** A pace that counts, since it was made. */
export interface CountedPace extends Pace {
  /** Calls that left, calls that were refused a turn, and how many a second the controller allows. */
  use(): { readonly made: number; readonly refused: number; readonly limit: number };
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

/** The highest limit that is believed when a header tells one, and kept where there is none: the highest that ZeroTier documents. */
export const HIGHEST_LIMIT = 100;
const DEFAULTS = { limit: 20, maxWaitMs: 20_000, maxInFlight: 5 } as const;
const SECOND = 1000;
/** A look and the write that must follow it closely. */
const FIRST_IN_A_ROW = 2;

interface Waiting {
  readonly deadline: number;
  readonly start: () => void;
  readonly refuse: (retryAt: number) => void;
}

/** Tokens, calls that may leave at once, and ms between those that follow. One token stays unused, for a call made elsewhere. */
function shapeFor(limit: number): { tokens: number; burst: number; interval: number } {
  const tokens = Math.max(1, limit - 1);
  return { tokens, burst: Math.max(1, Math.floor(limit / 5)), interval: SECOND / tokens };
}

/** Makes the pace of one token at one controller; everything that uses the token must share it. */
export function makePace(options: PaceOptions): CountedPace {
  const { now, sleep } = options;
  const maxWaitMs = options.maxWaitMs ?? DEFAULTS.maxWaitMs;
  const maxInFlight = options.maxInFlight ?? DEFAULTS.maxInFlight;
  let limit = options.limit ?? DEFAULTS.limit;
  let shape = shapeFor(limit);
  let made = 0;
  let refused = 0;
  /** The spacing as GCRA keeps it: each call moves this time on by one interval. */
  let spacedUntil = Number.NEGATIVE_INFINITY;
  let heldUntil = Number.NEGATIVE_INFINITY;
  let inFlight = 0;
  /** When the calls were answered whose tokens have not come back, oldest first. */
  let answered: number[] = [];
  let pumping = false;
  let queue: Waiting[] = [];
  let firsts: Waiting[] = [];
  /** Calls of `firsts` that have left since one of `queue` did. */
  let inARow = 0;

  /** Takes the call whose turn is next from its queue. */
  function takeNext(): Waiting | undefined {
    if (queue.length === 0 || (firsts.length > 0 && inARow < FIRST_IN_A_ROW)) {
      inARow += 1;
      return firsts.shift();
    }
    inARow = 0;
    return queue.shift();
  }

  function countWaiting(): number {
    return firsts.length + queue.length;
  }

  /** When a call with so many before it may leave, as far as spacing and a hold say. */
  function turnAfter(ahead: number): number {
    return Math.max(now(), heldUntil, spacedUntil + (ahead - shape.burst + 1) * shape.interval);
  }

  /** When the next call may leave; undefined: not before one that is under way is answered. */
  function nextTurn(): number | undefined {
    answered = answered.filter((time) => time + SECOND > now());
    const lacking = inFlight + answered.length + 1 - shape.tokens;
    if (inFlight >= maxInFlight || lacking > answered.length) return undefined;
    const back = lacking > 0 ? (answered[lacking - 1] ?? 0) + SECOND : 0;
    return Math.max(turnAfter(0), back);
  }

  /** Refuses the calls that cannot leave before their deadline: a hold may be much longer than they wait. */
  function refuseLate(turn: number): void {
    const late = [...firsts, ...queue].filter(({ deadline }) => deadline < turn);
    if (late.length === 0) return;
    firsts = firsts.filter(({ deadline }) => deadline >= turn);
    queue = queue.filter(({ deadline }) => deadline >= turn);
    const retryAt = Math.max(turn, turnAfter(countWaiting()));
    for (const { refuse } of late) refuse(retryAt);
  }

  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    while (countWaiting() > 0) {
      const turn = nextTurn();
      if (turn === undefined) break;
      refuseLate(turn);
      if (turn > now() && countWaiting() > 0) {
        await sleep(Math.ceil(turn - now()));
        continue;
      }
      const next = takeNext();
      if (next === undefined) break;
      spacedUntil = Math.max(spacedUntil, now()) + shape.interval;
      inFlight += 1;
      made += 1;
      next.start();
    }
    pumping = false;
  }

  function finish(): void {
    inFlight -= 1;
    answered.push(now());
    void pump();
  }

  function tooLong(retryAt: number): HeldBackError {
    refused += 1;
    return new HeldBackError(
      `The ZeroTier controller's rate limit makes this call wait more than ${maxWaitMs / 1000} s. It is tried again later; many enrolments at once take longer.`,
      retryAt,
    );
  }

  return {
    run<T>(call: () => Promise<T>, order?: "first"): Promise<T> {
      const deadline = now() + maxWaitMs;
      const turn = turnAfter(order === "first" ? firsts.length : countWaiting());
      if (turn > deadline) return Promise.reject(tooLong(turn));
      return new Promise<T>((resolve, reject) => {
        const waiting: Waiting = {
          deadline,
          start: () => {
            call().then(resolve, reject).then(finish);
          },
          refuse: (retryAt) => reject(tooLong(retryAt)),
        };
        (order === "first" ? firsts : queue).push(waiting);
        void pump();
      });
    },
    learnLimit(told) {
      if (!Number.isInteger(told) || told < 1) return;
      limit = Math.min(told, HIGHEST_LIMIT);
      shape = shapeFor(limit);
    },
    holdUntil(time) {
      heldUntil = Math.max(heldUntil, time);
      refuseLate(heldUntil);
    },
    state() {
      return {
        limit: shape.tokens,
        lately: inFlight + answered.filter((time) => time + SECOND > now()).length,
        waiting: countWaiting(),
        heldUntil: Number.isFinite(heldUntil) ? heldUntil : undefined,
      };
    },
    use: () => ({ made, refused, limit }),
  };
}
