import { ControllerError } from "../controller.ts";
import { retryTime } from "./rate-headers.ts";

/** An answer of the controller, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The call that an error message speaks of. */
export interface Call {
  /** What it does, for people: `reading the network`. */
  readonly doing: string;
  readonly network: string;
  /** Scheme and host of the controller. */
  readonly origin: string;
}

/** What an operator is told to do, in the words of the kind of controller. */
export interface Remedies {
  /** When the token is refused, as a sentence. */
  readonly token: string;
  /** When it has no such network: what to check, as a sentence. */
  readonly missing: string;
  /** The address of an API of this kind, as an example. */
  readonly url: string;
  /** When it does not answer for long, or has an error of its own: what to look at. */
  readonly down: string;
}

/** The error that an answer stands for, or undefined for a 2xx. `hide` takes the token out of quoted text. */
export function refusalOf(
  answer: Answer,
  call: Call,
  remedies: Remedies,
  now: number,
  hide: (text: string) => string,
): ControllerError | undefined {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return undefined;
  const failed = `${call.doing} at ${call.origin} failed`;
  const said = quote(hide(answer.text));
  if (status === 401 || status === 403) {
    return new ControllerError(
      "unauthorized",
      `${failed}: the token is refused, or has no right to network ${call.network} (status ${status}). ${remedies.token}`,
    );
  }
  if (status === 404) {
    return new ControllerError(
      "not-found",
      `${failed}: there is no network ${call.network} (status 404). ${remedies.missing}`,
    );
  }
  if (status === 429) {
    return new ControllerError(
      "rate-limited",
      `${failed}: too many calls (status 429). They are tried again when the limit allows; if it lasts, something else uses the same token: give Meshboot one of its own`,
      retryTime(headers, now),
    );
  }
  if (status >= 500) {
    const retryAt = headers.has("retry-after") ? retryTime(headers, now) : undefined;
    return new ControllerError(
      "server-error",
      `${failed}: the controller has an error of its own (status ${status}${said}). It is tried again; if it lasts, look at ${remedies.down}`,
      retryAt,
    );
  }
  if (status >= 300 && status < 400) {
    return new ControllerError(
      "bad-answer",
      `${failed}: the answer is a redirect (status ${status}), which is not followed because it would carry the token elsewhere. ZEROTIER_URL must be the API itself, such as ${remedies.url}`,
    );
  }
  return new ControllerError(
    "rejected",
    `${failed}: the controller does not take it (status ${status}${said})`,
  );
}

/** The beginning of what the other side said, on one line, for a message. */
export function quote(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, " ").trim();
  if (line === "") return "";
  return `, it says: ${line.length > 160 ? `${line.slice(0, 160)}…` : line}`;
}
