import { setTimeout as pause } from "node:timers/promises";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { Refused } from "./worker.ts";

/** ms between one try and the next, at first and at most. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

/**
 * What a look gives, once it gets an answer: where nobody answers, or the Worker is not well or asked too often, it is tried
 * again with growing pauses. `missing` is told once why. Ends otherwise by the signal, or a refusal that stays, by throwing.
 */
export async function untilAnswered<T>(
  look: () => Promise<T>,
  signal: AbortSignal,
  missing: (reason: string) => void,
): Promise<T> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    try {
      return await look();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      if (wait === FIRST_PAUSE_MS) missing(error.message.replace(/\.$/, ""));
      await pause(wait, undefined, { signal });
    }
  }
}

/** Whether asking again may help. */
function mayPass(error: unknown): error is Failure {
  if (error instanceof Refused) return error.status === 429 || error.status >= 500;
  return error instanceof Failure && error.exitCode === EXIT.unreachable;
}
