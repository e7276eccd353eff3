import { DAY_MS } from "./time-units.ts";

// The quotas of the Cloudflare account. What the platform says when one is used up is in no document of its own; it was taken from
// logs that people have published: "KV put() limit exceeded for the day.", "Exceeded allowed rows written in Durable Objects
// free tier.", and, from the page on spending limits, "Exceeded the account's spending cap for Durable Objects".
const USED_UP =
  /limit exceeded for the day|exceeded allowed .* free tier|exceeded the account's spending cap/i;

/** Whether the platform refused something because a quota of the account is used up. */
export function isQuotaUsedUp(error: unknown): boolean {
  return error instanceof Error && USED_UP.test(error.message);
}

/** When the day's quotas are back (ms since 1970): at 00:00 UTC, by Cloudflare's pages on the pricing of Durable Objects and KV. */
export function quotaBackAt(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS;
}
