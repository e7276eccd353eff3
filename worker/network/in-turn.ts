import { err, ok, type Result } from "../base/result.ts";

/** Why a call is not even begun. */
export interface TooLongWait {
  /** ms until its turn would come. */
  readonly waitMs: number;
}

/** How calls take turns; clock and pause are arguments. */
export interface Turns {
  /** Between two calls. */
  readonly pause: () => Promise<void>;
  readonly now: () => number;
  /** ms that a turn takes, until some were measured. */
  readonly usualMs: number;
  /** ms that a call may wait for its turn. */
  readonly longestMs: number;
}

interface Waiting<In, Out> {
  readonly input: In;
  /** ms since 1970. */
  readonly asked: number;
  readonly done: (result: Promise<Result<Out, TooLongWait>>) => void;
}

/**
 * Makes a costly function run one call after the other, with a pause behind each. A hundred proofs that arrive at once
 * would otherwise hold the object's only thread for seconds, and what waits for the controller would time out with
 * the answer already there. A call whose turn would come too late is told so at once, as far as that can be foreseen, else at its
 * turn: who waits for it would be gone.
 */
export function inTurn<In, Out>(
  work: (input: In) => Promise<Out>,
  { pause, now, usualMs, longestMs }: Turns,
): (input: In) => Promise<Result<Out, TooLongWait>> {
  let before: Promise<void> = Promise.resolve();
  let waiting = 0;
  let turnMs = usualMs;
  /** When the turn began behind which others wait. */
  let begunAt: number | undefined;
  const turn = async ({ input, asked, done }: Waiting<In, Out>): Promise<void> => {
    const at = now();
    // From one beginning to the next: a Worker's clock stands still while it computes. The last few count, and none for more than
    // twice as long as those before: at the beginning of a burst the requests themselves take the processor's time.
    if (begunAt !== undefined) turnMs += (Math.min(at - begunAt, 2 * turnMs) - turnMs) / 8;
    const isLate = at - asked > longestMs;
    const result = isLate ? Promise.resolve(err({ waitMs: at - asked })) : work(input).then(ok);
    done(result);
    await Promise.allSettled([result]);
    waiting -= 1;
    begunAt = waiting > 0 && !isLate ? at : undefined;
    if (!isLate) await pause();
  };
  return (input) => {
    const waitMs = waiting * turnMs;
    if (waitMs > longestMs) return Promise.resolve(err({ waitMs }));
    waiting += 1;
    const { promise, resolve } = Promise.withResolvers<Result<Out, TooLongWait>>();
    const asked = now();
    before = before.then(() => turn({ input, asked, done: resolve }));
    return promise;
  };
}
