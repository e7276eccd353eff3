import { setTimeout as pause } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { z } from "zod";
import { problemSchema } from "../../../worker/schema/problem.ts";
import type { Deployment } from "../deployment/deployment.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { oneLine, printable } from "../terminal/printable.ts";
import { VERSION } from "../version.ts";
import { inOwnVerbs } from "./own-verbs.ts";
import { type Received, send, wayOut } from "./transport.ts";

/** Longest wait that a Retry-After is followed for, in seconds, and how often. */
const LONGEST_WAIT = 120;
const WAITS = 5;
const PATIENCE_MS = 60_000;

/** What goes with a call. */
export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** A status besides the 2xx that has an answer to read. */
  readonly orStatus?: number;
  /** ms to wait for the answer. */
  readonly patience?: number;
}

/** An answer: as it is understood here, and as it came. */
export interface Answer<T> {
  readonly value: T;
  readonly document: unknown;
  readonly headers: Received["headers"];
}

/** Says something that passes to the person who waits. */
export type Say = (text: string) => void;

/** A refusal, by its problem's name. */
export class Refused extends Failure {
  readonly status: number;
  /** `name-taken`; undefined when what came is no problem document. */
  readonly problem: string | undefined;

  constructor(message: string, status: number, problem: string | undefined) {
    super(message, status === 401 || status === 403 ? EXIT.refused : EXIT.failed);
    this.status = status;
    this.problem = problem;
  }
}

/** A Worker's HTTP API, called with one token. */
export class Worker {
  readonly deployment: Deployment;
  readonly way: Dispatcher = wayOut();
  readonly signal: AbortSignal;
  readonly #say: Say;

  constructor(deployment: Deployment, signal: AbortSignal, say: Say) {
    this.deployment = deployment;
    this.signal = signal;
    this.#say = say;
  }

  /** Calls, and reads the answer by its schema. Throws {@link Refused} for a refusal, a {@link Failure} otherwise. */
  async ask<S extends z.ZodType>(
    method: string,
    path: string,
    schema: S,
    ask: Ask = {},
  ): Promise<Answer<z.output<S>>> {
    const { text, headers } = await this.call(method, path, ask);
    const document = parseJson(text);
    const read = schema.safeParse(document);
    if (read.success) return { value: read.data, document, headers };
    throw new Failure(
      `the answer to ${method} ${path} is not as this version (${VERSION}) knows it: ${oneLine(z.prettifyError(read.error)).slice(0, 200)}. Is ${this.deployment.url} a Meshboot Worker? If so, take the command line of its version: meshboot doctor compares them`,
    );
  }

  /** Calls, waiting where the Worker says that it is asked too often. Throws {@link Refused} for a refusal. */
  async call(method: string, path: string, ask: Ask = {}): Promise<Received> {
    for (let waits = 0; ; waits++) {
      const received = await send(`${this.deployment.url}${path}`, this.way, {
        method,
        headers: {
          authorization: `Bearer ${this.deployment.token}`,
          "user-agent": `meshboot/${VERSION}`,
          ...(ask.body !== undefined && { "content-type": "application/json" }),
          ...ask.headers,
        },
        body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
        signal: this.signal,
        patience: ask.patience ?? PATIENCE_MS,
      });
      const { status } = received;
      if ((status >= 200 && status < 300) || status === ask.orStatus) return received;
      const wait = Number(received.headers.get("retry-after") ?? Number.NaN);
      // What is answered so was not done: it may be asked again.
      if (status !== 429 || waits === WAITS || !(wait <= LONGEST_WAIT))
        throw refusal(method, path, received, this.deployment);
      this.#say(`The Worker is asked too often: asking again in ${wait} s.`);
      await pause(wait * 1000, undefined, { signal: this.signal });
    }
  }
}

function refusal(
  method: string,
  path: string,
  { status, headers, text }: Received,
  { remedy }: Deployment,
): Refused {
  const read = problemSchema.safeParse(parseJson(text));
  const call = `${method} ${path.split("?")[0]}`;
  if (!read.success) {
    const to = status >= 300 && status < 400 ? `, and leads to ${headers.get("location") ?? "nowhere"}` : "";
    return new Refused(
      `${call} is answered with ${status}${to}, and not by a Meshboot Worker. Look at the address: meshboot context`,
      status,
      undefined,
    );
  }
  const { type, title, detail, errors = [] } = read.data;
  const single = errors.length > 1 ? errors.map((error) => `\n  ${error}`).join("") : "";
  const retry = headers.get("retry-after");
  const remedies = [
    ...(status === 401 ? [remedy] : []),
    ...(status === 403 && type.endsWith("/forbidden")
      ? ["meshboot tokens lists what each token may do"]
      : []),
    ...(retry !== null && status !== 429 ? [`Asking again may help in ${retry} s`] : []),
  ];
  return new Refused(
    printable(
      [`${title}: ${inOwnVerbs(single === "" ? detail : single.trimStart())}`, ...remedies]
        .join(". ")
        .replaceAll("..", "."),
    ),
    status,
    type.split("/").at(-1),
  );
}

/** Undefined when it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
