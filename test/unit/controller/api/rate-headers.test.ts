import { describe, expect, it } from "vitest";
import { readRateHeaders, retryTime } from "../../../../worker/controller/api/rate-headers.ts";

const NOW = Date.parse("2024-08-06T20:53:46Z");

describe("rate limit headers", () => {
  it("reads the reset as Central writes it: a date that ends in UTC", () => {
    const headers = new Headers({
      "x-ratelimit-limit": "20",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "Tue, 06 Aug 2024 20:53:48 UTC",
    });
    expect(readRateHeaders(headers, NOW)).toEqual({ limit: 20, remaining: 0, resetAt: NOW + 2000 });
    expect(retryTime(headers, NOW)).toBe(NOW + 2000);
  });

  it("counts from the answer's own date, so that a clock that is wrong does no harm", () => {
    const headers = new Headers({
      date: "Tue, 06 Aug 2024 21:00:00 GMT",
      "x-ratelimit-reset": "Tue, 06 Aug 2024 21:00:05 UTC",
    });
    expect(retryTime(headers, NOW)).toBe(NOW + 5000);
  });

  it("prefers Retry-After, in seconds or as a date", () => {
    const reset = { "x-ratelimit-reset": "Tue, 06 Aug 2024 20:53:48 UTC" };
    expect(retryTime(new Headers({ ...reset, "retry-after": "30" }), NOW)).toBe(NOW + 30_000);
    const date = "Tue, 06 Aug 2024 20:54:46 GMT";
    expect(retryTime(new Headers({ ...reset, "retry-after": date }), NOW)).toBe(NOW + 60_000);
  });

  it.each(["", "soon", "-5", "Tue, 06 Aug 1999 20:53:48 UTC"])("waits a second after %j", (text) => {
    expect(retryTime(new Headers({ "x-ratelimit-reset": text }), NOW)).toBe(NOW + 1000);
  });

  it("waits ten minutes at most", () => {
    expect(retryTime(new Headers({ "retry-after": "999999999" }), NOW)).toBe(NOW + 600_000);
    const far = new Headers({ "x-ratelimit-reset": "Tue, 06 Aug 2999 20:53:48 UTC" });
    expect(retryTime(far, NOW)).toBe(NOW + 600_000);
    expect(readRateHeaders(far, NOW).resetAt).toBe(NOW + 600_000);
  });

  it("knows nothing without headers", () => {
    expect(readRateHeaders(new Headers(), NOW)).toEqual({
      limit: undefined,
      remaining: undefined,
      resetAt: undefined,
    });
  });
});
