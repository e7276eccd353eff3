import fc from "fast-check";
import { expect, test } from "vitest";
import { webhookPause } from "../../../worker/webhook/webhook-pause.ts";

const HOUR = 3_600_000;

test("each pause is twice as long, up to an hour", () => {
  const pauses = [1, 2, 3, 10, 11, 12, 5000].map((failures) => webhookPause(failures, () => 0));
  expect(pauses).toEqual([5_000, 10_000, 20_000, 2_560_000, HOUR, HOUR, HOUR]);
});

test("chance takes off no more than half", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, chance) => {
        const longest = webhookPause(failures, () => 0);
        const pause = webhookPause(failures, () => chance);
        expect(pause).toBeGreaterThanOrEqual(longest / 2);
        expect(pause).toBeLessThanOrEqual(longest);
      },
    ),
  );
});
