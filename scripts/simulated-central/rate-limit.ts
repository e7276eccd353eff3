/** The count of one token's calls in the second that ends now. */
export interface RateLimit {
  /** Counts a call unless it is one too many; either way gives the headers that Central sends. */
  admit(now: number): { readonly admitted: boolean; readonly headers: Record<string, string> };
}

/**
 * A limit of calls in any sliding second, the strictest reading of Central's "20 requests per second". The headers
 * are as go-ztcentral reads them: the reset is a date with whole seconds that ends in UTC, not in GMT.
 */
export function makeRateLimit(limit: number): RateLimit {
  let times: number[] = [];
  return {
    admit(now) {
      times = times.filter((time) => time > now - 1000);
      const admitted = times.length < limit;
      if (admitted) times.push(now);
      const reset = Math.ceil(((times[0] ?? now) + 1000) / 1000) * 1000;
      return {
        admitted,
        headers: {
          "x-ratelimit-limit": String(limit),
          "x-ratelimit-remaining": String(limit - times.length),
          "x-ratelimit-reset": new Date(reset).toUTCString().replace(/GMT$/, "UTC"),
        },
      };
    },
  };
}
