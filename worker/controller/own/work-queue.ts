import type { Fetch, Method } from "../api/api.ts";

/** One call of the controller's API, as the node that hosts it is to make it. */
export interface Exchange {
  readonly id: string;
  readonly method: Method;
  /** Below 127.0.0.1, such as `/controller/network/8056c2e21c000001`. */
  readonly path: string;
  /** JSON on one line. */
  readonly body: string | undefined;
}

/** What came of an exchange; status 0: the controller could not be asked there. */
export interface Done {
  readonly id: string;
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly exchange: Exchange;
  readonly answer: (done: Done) => void;
}

/**
 * The calls that wait for the controller's node to fetch them, and those that it has fetched and not answered. In memory alone: what
 * has to be told to the controller stands in the outbox, and is tried again when the object starts anew.
 */
export class WorkQueue {
  readonly #life: number;
  #count = 0;
  #waiting: Waiting[] = [];
  readonly #fetched = new Map<string, Waiting>();
  #wake: (() => void)[] = [];

  /** `life`: a number that no other queue of the same controller had, up to nine digits: an answer to a call of before is nobody's. */
  constructor(life: number) {
    this.#life = life;
  }

  /** In place of the platform's fetch: done when the node has answered. A call whose time is over is not handed out any more. */
  readonly fetch: Fetch = (url, { method, body, signal }) =>
    new Promise((resolve, reject) => {
      const { pathname } = new URL(url);
      this.#count += 1;
      const exchange = { id: `w${this.#life}-${this.#count}`, method, path: pathname, body };
      const waiting: Waiting = {
        exchange,
        answer: ({ status, body: text }) =>
          status === 0
            ? reject(new Error("the controller could not be asked on its node"))
            : resolve(new Response(isEmpty(status) ? null : text, { status })),
      };
      signal.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        this.#fetched.delete(exchange.id);
        reject(signal.reason);
      });
      this.#waiting.push(waiting);
      for (const wake of this.#wake.splice(0)) wake();
    });

  /** The next calls, in the order they were made. */
  take(most: number): Exchange[] {
    const taken = this.#waiting.splice(0, most);
    for (const waiting of taken) this.#fetched.set(waiting.exchange.id, waiting);
    return taken.map(({ exchange }) => exchange);
  }

  /** Hands an answer to whoever waits for it; the call that it answers, if anybody still does. */
  answer(done: Done): Exchange | undefined {
    const waiting = this.#fetched.get(done.id);
    if (waiting === undefined) return undefined;
    this.#fetched.delete(done.id);
    waiting.answer(done);
    return waiting.exchange;
  }

  /** All that wait are told that nobody is there. */
  refuseAll(): void {
    const all = [...this.#waiting.splice(0), ...this.#fetched.values()];
    this.#fetched.clear();
    for (const { exchange, answer } of all) answer({ id: exchange.id, status: 0, body: "" });
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Done as soon as a call comes. */
  whenWork(): Promise<void> {
    return this.isEmpty ? new Promise((resolve) => this.#wake.push(resolve)) : Promise.resolve();
  }
}

function isEmpty(status: number): boolean {
  return status === 204 || status === 304;
}
