import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defaultLeaseTimes,
  freeAt,
  type LeaseState,
  renewBefore,
  stateAt,
} from "../../../worker/lease/lease-times.ts";

const DAY = 86_400_000;
const at = (state: LeaseState, days: number, reserved = false) =>
  stateAt({ state, seenAt: 1_000, reserved }, 1_000 + days * DAY);

test("an active lease is stale after 7 days unseen and released after 30", () => {
  expect(at("active", 6.99)).toBe("active");
  expect(at("active", 7)).toBe("stale");
  expect(at("active", 29.99)).toBe("stale");
  expect(at("active", 30)).toBe("released");
});

test("a stale lease that was seen is active again", () => expect(at("stale", 0)).toBe("active"));

test("a reserved name is never released by time", () => expect(at("active", 3_000, true)).toBe("stale"));

test("a pending lease stays pending until nobody asked for it for 30 days", () => {
  expect(at("pending", 8)).toBe("pending");
  expect(at("pending", 30)).toBe("released");
});

test("time brings nothing back: released and revoked stay so, and later is never fresher", () => {
  const order: LeaseState[] = ["active", "stale", "released"];
  fc.assert(
    fc.property(fc.nat({ max: 100 }), fc.nat({ max: 100 }), (a, b) => {
      expect(at("released", a)).toBe("released");
      expect(at("revoked", a)).toBe("revoked");
      expect(order.indexOf(at("active", Math.max(a, b)))).toBeGreaterThanOrEqual(
        order.indexOf(at("active", Math.min(a, b))),
      );
    }),
  );
});

test("it is released at the very moment that renewBefore names, and free a quarantine later", () => {
  const lease = { state: "active", seenAt: 5 } as const;
  expect(stateAt(lease, renewBefore(5) - 1)).toBe("stale");
  expect(stateAt(lease, renewBefore(5))).toBe("released");
  expect(freeAt(5)).toBe(5 + defaultLeaseTimes.quarantine);
  expect(defaultLeaseTimes.quarantine).toBe(7 * DAY);
});
