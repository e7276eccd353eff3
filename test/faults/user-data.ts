import type { Operator } from "../../worker/lease/deed.ts";
import type { KeyRequest } from "../../worker/network/key-operations.ts";
import type { Ask } from "./ask.ts";
import type { Clock } from "./clock.ts";
import type { Judge } from "./judge.ts";

const REQUEST = "a digest of what is asked for";

/** User-data that is made once and has to be the same whenever it is asked for again: it is kept sealed. */
export class UserData {
  readonly #clock: Clock;
  readonly #judge: Judge;
  readonly #ask: Ask;
  readonly #terms: KeyRequest;
  readonly #by: Operator;
  /** What was answered, by the key of the call. */
  readonly #kept = new Map<string, string>();
  #made = 0;
  #lostAt = -1;

  constructor(clock: Clock, judge: Judge, ask: Ask, terms: KeyRequest, by: Operator) {
    this.#clock = clock;
    this.#judge = judge;
    this.#ask = ask;
    this.#terms = terms;
    this.#by = by;
  }

  make(): void {
    const idempotencyKey = `order-${this.#made++}`;
    const begun = this.#clock.now;
    this.#ask(
      (object) =>
        object.makeUserData({ idempotencyKey, request: REQUEST }, this.#terms, ["key: ", "\n"], this.#by),
      () => {},
      (made) => {
        if (made.ok && begun > this.#lostAt) this.#kept.set(idempotencyKey, made.value.text);
      },
    );
  }

  /** Asks for all of it again. */
  repeat(): void {
    for (const [idempotencyKey, text] of this.#kept)
      this.#ask(
        (object) => object.repeatUserData({ idempotencyKey, request: REQUEST }),
        () => {},
        (again) => {
          if (this.#kept.get(idempotencyKey) !== text) return;
          const found = again.ok ? again.value?.text : JSON.stringify(again.error);
          if (found !== text) this.#judge.accuse(`user-data ${idempotencyKey} is ${found} now`);
        },
      );
  }

  /** The storage is lost, and what was kept there with it. */
  lose(): void {
    this.#kept.clear();
    this.#lostAt = this.#clock.now;
  }
}
