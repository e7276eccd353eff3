import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defaultLeaseTimes,
  freeAt,
  isOver,
  type LeaseState,
  mostEndings,
  renewBefore,
  stateAt,
  watchedSince,
} from "../../../worker/lease/lease-times.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const shown = (state: LeaseState, days: number) =>
  stateAt({ state, seenAt: 1_000, kept: false }, 1_000 + days * DAY);
const over = (state: LeaseState, unseen: number, watched = unseen, kept = false) =>
  isOver({ state, seenAt: 0, kept }, unseen * DAY, (unseen - watched) * DAY);

test("an active lease is offline after three missed calls, unless nothing would call for it", () => {
  const unseen = (minutes: number, kept: boolean) =>
    stateAt({ state: "active", seenAt: 0, kept }, minutes * 60_000);
  expect([unseen(3 * 70 - 1, false), unseen(3 * 70, false)]).toEqual(["active", "offline"]);
  expect([unseen(3 * 70, true), unseen(7 * 24 * 60, true)]).toEqual(["active", "stale"]);
});

test("an active lease is stale after 7 days unseen, and stands until it is released", () => {
  expect(shown("active", 6.99)).toBe("offline");
  expect(shown("active", 7)).toBe("stale");
  expect(shown("active", 300)).toBe("stale");
  expect(shown("pending", 8)).toBe("pending");
  expect(shown("revoked", 8)).toBe("revoked");
});

test("a stale lease that was seen is active again", () => expect(shown("active", 0)).toBe("active"));

test("it is over after 30 days, also while it waits for approval", () => {
  expect([over("active", 29.99), over("active", 30)]).toEqual([false, true]);
  expect([over("pending", 29.99), over("pending", 30)]).toEqual([false, true]);
});

test("one that is revoked, or that nothing would call for, is never over", () => {
  expect(over("revoked", 3_000)).toBe(false);
  expect(over("active", 3_000, 3_000, true)).toBe(false);
});

test("nothing is over before somebody has watched for 7 days without a gap", () => {
  expect([over("active", 300, 0), over("active", 300, 6.99), over("active", 300, 7)]).toEqual([
    false,
    false,
    true,
  ]);
});

test("the watch goes on from run to run, and begins anew after a gap", () => {
  expect(watchedSince(undefined, 5)).toBe(5);
  expect(watchedSince({ at: DAY, unbrokenSince: 3 }, DAY + HOUR)).toBe(3);
  expect(watchedSince({ at: DAY, unbrokenSince: 3 }, DAY + 7 * HOUR)).toBe(DAY + 7 * HOUR);
});

test("time ends a tenth of the leases a day, at least one", () => {
  expect([0, 1, 19, 20, 239].map(mostEndings)).toEqual([1, 1, 1, 2, 23]);
});

test("later is never less over", () => {
  fc.assert(
    fc.property(fc.nat({ max: 100 }), fc.nat({ max: 100 }), fc.nat({ max: 100 }), (a, b, watched) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      const at = (now: number) =>
        isOver({ state: "active", seenAt: 0, kept: false }, now * DAY, watched * DAY);
      expect(!at(early) || at(late)).toBe(true);
    }),
  );
});

test("it is over at the very moment that renewBefore names, and free a quarantine later", () => {
  const lease = { state: "active", seenAt: 5, kept: false } as const;
  expect(isOver(lease, renewBefore(5) - 1, 0)).toBe(false);
  expect(isOver(lease, renewBefore(5), 0)).toBe(true);
  expect(freeAt(5)).toBe(5 + defaultLeaseTimes.quarantine);
  expect(defaultLeaseTimes.quarantine).toBe(7 * DAY);
});
