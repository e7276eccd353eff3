import { setTimeout as pause } from "node:timers/promises";

/** One look at a condition: it holds, with what it gave, or it does not yet, with what was seen instead. */
export type Look<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly seen: string };

/** The condition holds. */
export function holds<T>(value: T): Look<T> {
  return { done: true, value };
}

/** The condition does not hold yet. */
export function not(seen: string): Look<never> {
  return { done: false, seen };
}

/**
 * Looks again and again until the condition holds, and gives what it gave.
 * Rejects after `seconds`, naming what was awaited and what was last seen. A look that throws counts as "not yet".
 */
export async function until<T>(what: string, seconds: number, look: () => Promise<Look<T>>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look().catch((fault: unknown) =>
      not(fault instanceof Error ? fault.message : String(fault)),
    );
    if (seen.done) return seen.value;
    if (Date.now() > deadline) throw new Error(`${what}: not after ${seconds} s. Last seen: ${seen.seen}`);
    await pause(250);
  }
}
