import type { Refusal } from "../base/refusal.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";

/** A refusal on its way out of a handler; `worker/http/problem-answer.ts` turns it into the response. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.problem}: ${occurrenceOf(refusal).detail}`);
    this.refusal = refusal;
  }
}
