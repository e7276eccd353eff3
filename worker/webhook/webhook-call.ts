// One call of a webhook: signed, bounded in time, and of what comes back no more is read than is kept.
import { errorText } from "../base/log.ts";
import { redact } from "../base/redact.ts";
import { LIMITS } from "../config/limits.ts";
import { type Message, signatureHeaders } from "./signature.ts";

/** The part of the platform's `fetch` that webhooks use. */
export type Post = (
  url: string,
  init: {
    method: "POST";
    headers: Record<string, string>;
    body: string;
    redirect: "manual";
    signal: AbortSignal;
  },
) => Promise<Pick<Response, "status" | "headers" | "body">>;

/** What a call works with. */
export interface Caller {
  readonly post: Post;
  /** A signal that is aborted after so many ms. */
  readonly timeout: (ms: number) => AbortSignal;
  /** ms since 1970. */
  readonly now: () => number;
}

/** What is sent, to where, and the secrets that sign it. */
export interface Call {
  readonly url: string;
  readonly message: Message;
  readonly body: string;
  readonly secrets: readonly string[];
}

/** What a call came to. */
export interface CallOutcome {
  /** Null when there was no answer. */
  readonly status: number | null;
  /** Null when it was taken. */
  readonly fault: string | null;
  /** How the answer began. */
  readonly text: string;
  readonly ms: number;
  /** When the receiver wants to be called again at the earliest (ms since 1970). */
  readonly retryAt?: number;
}

/** Makes the call. Never rejects: a receiver that is not there has an outcome too. */
export async function makeCall({ post, timeout, now }: Caller, call: Call): Promise<CallOutcome> {
  const { url, message, body, secrets } = call;
  const begun = now();
  const signal = timeout(LIMITS.webhookTimeoutMs);
  try {
    const headers = {
      "content-type": "application/json",
      "user-agent": "Meshboot",
      ...(await signatureHeaders(message, body, secrets)),
    };
    const answer = await post(url, { method: "POST", headers, body, redirect: "manual", signal });
    const text = await beginningOf(answer.body);
    const retryAt = retryTime(answer.headers.get("Retry-After"), now());
    return {
      status: answer.status,
      fault: faultOf(answer.status),
      text: redact(text),
      ms: now() - begun,
      ...(retryAt !== undefined && { retryAt }),
    };
  } catch (error) {
    const fault = signal.aborted
      ? `no answer within ${LIMITS.webhookTimeoutMs / 1000} s`
      : `not reached: ${redact(errorText(error).replaceAll(url, "[url]")).slice(0, LIMITS.webhookAnswerCharacters)}`;
    return { status: null, fault, text: "", ms: now() - begun };
  }
}

function faultOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  // Where it leads to was not looked at when the webhook was made.
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return `answered ${status}`;
}

/** The first of the body, however long it is and however slowly it comes. */
async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const most = LIMITS.webhookAnswerCharacters;
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  try {
    while (text.length < most) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value.subarray(0, 4 * most), { stream: true });
    }
    await reader.cancel();
  } catch {
    // The status has come; what the receiver says besides does not matter.
  }
  return text.slice(0, most);
}

/** Of the header's two forms the one in seconds. */
function retryTime(header: string | null, now: number): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? now + Number(header) * 1000 : undefined;
}
