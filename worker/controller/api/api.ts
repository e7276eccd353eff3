import { z } from "zod";
import type { NetworkId } from "../../lease/ids.ts";
import { ControllerError } from "../controller.ts";
import type { Pace } from "../pace.ts";
import { readRateHeaders, retryTime } from "./rate-headers.ts";
import { type Answer, quote, type Remedies, refusalOf } from "./refusal.ts";

/** The part of the platform's `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    method: Method;
    headers: Record<string, string>;
    body?: string;
    redirect: "manual";
    signal: AbortSignal;
  },
) => Promise<Pick<Response, "status" | "headers" | "text">>;

/** What a client of any kind of controller is given. */
export interface ClientOptions {
  /** The API's base, such as `https://api.zerotier.com/api/v1`. */
  readonly url: string;
  readonly token: string;
  readonly fetch: Fetch;
  /** A signal that is aborted after so many ms. */
  readonly timeout?: (ms: number) => AbortSignal;
  readonly pace: Pace;
  readonly now: () => number;
  /** For each call, from the moment that it leaves until its answer is read. */
  readonly timeoutMs?: number;
}

/** What a client needs besides the settings of its controller. */
export type ClientSurroundings = Omit<ClientOptions, "url" | "token"> & { readonly networkId: NetworkId };

/** In what the API of one kind differs from the others'. */
export interface ApiDialect {
  /** Which network its refusals are about. */
  readonly network: string;
  /** The headers that carry the token, and whatever else each call needs. */
  readonly headers: Readonly<Record<string, string>>;
  /** Secrets besides the token that no message may hold. */
  readonly secrets?: readonly string[];
  readonly remedies: Remedies;
  /** What messages call it, when that is not scheme and host. */
  readonly place?: string;
}

/** Calls of a controller's HTTP API: each in its turn, with errors that say what failed, why, and what to do. */
export interface Api {
  /** Scheme and host, or what else messages call it. */
  readonly origin: string;
  /** The answer's text. Rejects with a {@link ControllerError} unless it is a 2xx; `first`: as {@link Pace.run} has it. */
  ask(method: Method, path: string, doing: string, body?: object, order?: "first"): Promise<string>;
  /** The text of an answer, parsed. Throws a {@link ControllerError} for one that is not of that shape. */
  parse<T>(schema: z.ZodType<T>, text: string, doing: string): T;
}

export type Method = "GET" | "POST" | "DELETE";

const TIMEOUT_MS = 10_000;
/** A member takes about 1 KB; the Worker has 128 MB. */
const MAX_ANSWER_CHARACTERS = 32 * 1024 * 1024;

export function makeApi(options: ClientOptions, dialect: ApiDialect): Api {
  const { token, pace, now, fetch } = options;
  const { network, remedies } = dialect;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const timeout = options.timeout ?? ((ms) => AbortSignal.timeout(ms));
  const base = options.url.replace(/\/+$/, "");
  const origin = dialect.place ?? (URL.canParse(base) ? new URL(base).origin : "the controller");
  const secrets = [token, ...(dialect.secrets ?? [])].filter((secret) => secret !== "");
  const hide = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, "[token]"), text);

  async function exchange(method: Method, path: string, doing: string, body?: object): Promise<Answer> {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new ControllerError(
        "unauthorized",
        "ZEROTIER_TOKEN is empty or holds a space, a line break or a character that no token has: store it again with: wrangler secret put ZEROTIER_TOKEN",
      );
    }
    const signal = timeout(timeoutMs);
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          ...dialect.headers,
          accept: "application/json",
          ...(body && { "content-type": "application/json" }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: "manual",
        signal,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      const changed = method === "GET" ? "" : "; the change may have taken effect all the same";
      if (signal.aborted) {
        throw new ControllerError(
          "timeout",
          `${doing} at ${origin} failed: no answer within ${timeoutMs / 1000} s${changed}. It is tried again; if it lasts, look at ${remedies.down}`,
        );
      }
      throw new ControllerError(
        "unreachable",
        `${doing} at ${origin} failed: no connection, or it broke${causeOf(error)}${changed}. It is tried again; check ZEROTIER_URL if it lasts`,
      );
    }
  }

  return {
    origin,
    async ask(method, path, doing, body, order) {
      const answer = await pace.run(() => exchange(method, path, doing, body), order);
      const answeredAt = now();
      const rate = readRateHeaders(answer.headers, answeredAt);
      if (rate.limit !== undefined) pace.learnLimit(rate.limit);
      if (answer.status === 429) pace.holdUntil(retryTime(answer.headers, answeredAt));
      else if (rate.remaining === 0 && rate.resetAt !== undefined) pace.holdUntil(rate.resetAt);
      const refusal = refusalOf(answer, { doing, network, origin }, remedies, answeredAt, hide);
      if (refusal !== undefined) throw refusal;
      return answer.text;
    },
    parse(schema, text, doing) {
      const bad = (why: string): ControllerError =>
        new ControllerError(
          "bad-answer",
          `${doing} at ${origin} failed: ${why}. Check that ZEROTIER_URL is the API itself, such as ${remedies.url}`,
        );
      if (text.length > MAX_ANSWER_CHARACTERS) throw bad("the answer is over 32 MB");
      const json = parseJson(text);
      if (json === undefined) throw bad(`the answer is not JSON${quote(hide(text))}`);
      const result = schema.safeParse(json.value);
      if (result.success) return result.data;
      throw bad(`the answer has not the expected shape: ${z.prettifyError(result.error).slice(0, 300)}`);
    },
  };
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The code of a network error, when it is a plain one; never its message, which could quote a header. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code =
    typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : "";
  return /^[A-Z_]{2,40}$/.test(code) ? ` (${code})` : "";
}
