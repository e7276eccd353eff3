import { type Dispatcher, EnvHttpProxyAgent, fetch } from "undici";
import { isLoopback } from "../../origin.ts";
import { EXIT } from "../exit-code.ts";
import { Failure } from "../failure.ts";

/** The most of an answer that is taken, in bytes: a backup has at most 20 MB. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What an answer was, read to its end. */
export interface Received {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

/** What is asked. */
export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /** ms after which nobody waits any more. */
  readonly patience: number;
}

/** The way out, by the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name. */
export function wayOut(): Dispatcher {
  return new EnvHttpProxyAgent({ maxResponseSize: MOST_BYTES });
}

/** One call. Throws a {@link Failure} when there is no answer. */
export async function send(url: string, way: Dispatcher, sent: Sent): Promise<Received> {
  const { method, headers, body, signal, patience } = sent;
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      // A token goes to nobody else.
      redirect: "manual",
      dispatcher: way,
      signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    const { origin, hostname, host } = new URL(url);
    if (isNoTls(error))
      throw new Failure(
        `${origin} does not speak https. ${isLoopback(hostname.replace(/^\[|\]$/g, "")) ? `Try http://${host}` : "A token goes there, so it has to"}`,
        EXIT.unreachable,
      );
    throw new Failure(
      `${origin} does not answer: ${reasonOf(error)}. Look at the address (meshboot context), at this machine's way out, and at the Worker: docs/worker-lost.md`,
      EXIT.unreachable,
    );
  }
}

/** Whether what answers is no TLS. What OpenSSL says of that is for nobody to read. */
function isNoTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && /^(EPROTO|ERR_SSL_.*)$/.test(String(error.code))) return true;
  return isNoTls(error.cause);
}

/** What undici says is in the cause, or in the causes' cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "it takes too long";
  if (error instanceof AggregateError && error.message === "")
    return error.errors.map((each) => reasonOf(each)).join(", ");
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
