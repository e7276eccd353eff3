import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryDelay } from "../../worker/outbox/outbox.ts";

describe("retryDelay", () => {
  it("doubles its most with each failure, up to ten minutes", () => {
    const most = [0, 1, 2, 3, 8, 9, 50].map((attempts) => retryDelay(attempts, () => 1));
    expect(most).toEqual([2_000, 4_000, 8_000, 16_000, 512_000, 600_000, 600_000]);
  });

  it("has full jitter, but never no delay at all", () => {
    expect(retryDelay(5, () => 0)).toBe(500);
    expect(retryDelay(5, () => 0.5)).toBe(32_000);
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
        const delay = retryDelay(attempts, () => random);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThanOrEqual(600_000);
      }),
    );
  });
});
