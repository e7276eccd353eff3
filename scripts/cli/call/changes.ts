import { setTimeout as pause } from "node:timers/promises";
import { type Dispatcher, WebSocket } from "undici";
import { z } from "zod";
import type { Session } from "../session.ts";
import type { Worker } from "./worker.ts";

/** ms between two looks where the Worker does not say by itself that something changed, and between two tries to have it say so. */
const PAUSE_MS = 15_000;
/** ms after which one looks again though nothing was said: a message may be lost with its connection. */
const LONGEST_SILENCE_MS = 5 * 60_000;

const messageSchema = z.object({ changed: z.array(z.string()) });

/**
 * Yields at once, and then whenever something of these kinds may have changed: as the Worker says by `GET /v1/live`, or, where
 * it cannot, every fifteen seconds, which is said once. Ends by the Worker's signal alone, by throwing.
 */
export async function* changes(
  { terminal }: Session,
  worker: Worker,
  kinds: readonly string[],
): AsyncGenerator<void> {
  const { signal } = worker;
  let isSaid = false;
  for (;;) {
    yield;
    const live = new Live(worker.deployment, worker.way, kinds, signal);
    try {
      if (await live.opened) {
        // What happened before it was open.
        yield;
        while (await live.next()) yield;
      } else if (!isSaid) {
        isSaid = true;
        terminal.note(
          `${worker.deployment.url} does not say here what changes: looking every ${PAUSE_MS / 1000} s.`,
        );
      }
    } finally {
      live.close();
    }
    await pause(PAUSE_MS, undefined, { signal });
  }
}

/** One connection to `GET /v1/live`. */
class Live {
  /** Whether it came about. */
  readonly opened: Promise<boolean>;
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal;
  #isChanged = false;
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(
    { url, token }: { readonly url: string; readonly token: string },
    dispatcher: Dispatcher,
    kinds: readonly string[],
    signal: AbortSignal,
  ) {
    this.#signal = signal;
    this.#socket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/live`, {
      dispatcher,
      headers: { authorization: `Bearer ${token}` },
    });
    this.opened = new Promise((resolve) => {
      this.#socket.addEventListener("open", () => resolve(true));
      this.#socket.addEventListener("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve(false);
      });
      this.#socket.addEventListener("error", () => resolve(false));
      signal.addEventListener("abort", () => resolve(false), { once: true });
    });
    this.#socket.addEventListener("message", ({ data }) => {
      const read = messageSchema.safeParse(jsonOf(data));
      if (!read.success || !read.data.changed.some((kind) => kinds.includes(kind))) return;
      this.#isChanged = true;
      this.#wake();
    });
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /** Whether there is something to look for; false when the connection is gone. */
  async next(): Promise<boolean> {
    if (!this.#isChanged && !this.#isClosed)
      await new Promise<void>((resolve) => {
        const longest = setTimeout(resolve, LONGEST_SILENCE_MS);
        this.#wake = () => {
          clearTimeout(longest);
          resolve();
        };
        if (this.#signal.aborted) this.#wake();
      });
    this.#signal.throwIfAborted();
    this.#isChanged = false;
    return !this.#isClosed;
  }

  close(): void {
    this.#socket.close();
  }
}

function jsonOf(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
