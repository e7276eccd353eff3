/** What the headers of one of Central's answers say about its rate limit. */
export interface RateHeaders {
  /** Calls a second that the token may make. */
  readonly limit: number | undefined;
  /** Calls left before `resetAt`. */
  readonly remaining: number | undefined;
  /** Unix milliseconds by the clock here. */
  readonly resetAt: number | undefined;
}

/** The least and the most that an answer can make us wait: the date has whole seconds, and a wrong one must not stop us for ever. */
const WAIT = { least: 1000, most: 600_000 } as const;

/**
 * Reads `X-Ratelimit-Limit`, `-Remaining` and `-Reset`. The last is a date such as `Tue, 06 Aug 2024 20:53:48 UTC`
 * (as the official client go-ztcentral reads it): UTC, not the GMT of HTTP, and not seconds.
 */
export function readRateHeaders(headers: Headers, now: number): RateHeaders {
  return {
    limit: wholeNumber(headers.get("x-ratelimit-limit")),
    remaining: wholeNumber(headers.get("x-ratelimit-remaining")),
    resetAt: timeOf(headers.get("x-ratelimit-reset"), headers, now),
  };
}

/** When a refused call may be tried again: `Retry-After` (seconds or a date), or the reset, or without either after a second. */
export function retryTime(headers: Headers, now: number): number {
  const after = headers.get("retry-after");
  const seconds = wholeNumber(after);
  const told = seconds !== undefined ? now + seconds * 1000 : timeOf(after, headers, now);
  const at = told ?? readRateHeaders(headers, now).resetAt ?? 0;
  return Math.min(Math.max(at, now + WAIT.least), now + WAIT.most);
}

/** A date header on the clock here: the distance to the answer's own `Date` counts, so that a wrong clock does no harm. */
function timeOf(text: string | null, headers: Headers, now: number): number | undefined {
  const time = text === null ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  const sent = Date.parse(headers.get("date") ?? "");
  const at = Number.isNaN(sent) ? time : now + (time - sent);
  return Math.min(at, now + WAIT.most);
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}
