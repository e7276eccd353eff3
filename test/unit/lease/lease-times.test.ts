import fc from "fast-check";
import { expect, test } from "vitest";
import {
  defaultLeaseTimes,
  EPHEMERAL_MINUTES,
  freeAt,
  heardSince,
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
const watch = (since: number) => ({ unbrokenSince: since, heardSince: since });
const over = (state: LeaseState, unseen: number, watched = unseen, kept = false) =>
  isOver({ state, seenAt: 0, kept, ephemeralMinutes: null }, unseen * DAY, watch((unseen - watched) * DAY));

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
  const days = fc.nat({ max: 100 });
  const minutes = fc.option(fc.integer({ min: EPHEMERAL_MINUTES.least, max: EPHEMERAL_MINUTES.most }));
  fc.assert(
    fc.property(days, days, days, minutes, (a, b, watched, ephemeralMinutes) => {
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      const at = (now: number) =>
        isOver(
          { state: "active", seenAt: 0, kept: false, ephemeralMinutes },
          now * DAY,
          watch(watched * DAY),
        );
      expect(!at(early) || at(late)).toBe(true);
    }),
  );
});

test.each([null, EPHEMERAL_MINUTES.least, 1440])(
  "it is over at the very moment that renewBefore names, and free a quarantine later (ephemeral: %s)",
  (ephemeralMinutes) => {
    const lease = { state: "active", seenAt: 5, kept: false, ephemeralMinutes } as const;
    expect(isOver(lease, renewBefore(lease) - 1, watch(-8 * DAY))).toBe(false);
    expect(isOver(lease, renewBefore(lease), watch(-8 * DAY))).toBe(true);
    expect(renewBefore(lease) - 5).toBe((ephemeralMinutes ?? 30 * 24 * 60) * 60_000);
    expect(freeAt(5)).toBe(5 + defaultLeaseTimes.quarantine);
    expect(defaultLeaseTimes.quarantine).toBe(7 * DAY);
  },
);

test("an ephemeral lease is over when it missed its calls while others were heard, however long there was nobody before", () => {
  const lease = { state: "pending", seenAt: 0, kept: false, ephemeralMinutes: 240 } as const;
  const over = (heard: number) =>
    isOver(lease, 10 * HOUR, { unbrokenSince: 10 * HOUR, heardSince: 10 * HOUR - heard });
  expect([over(0), over(3.5 * HOUR - 1), over(3.5 * HOUR)]).toEqual([false, false, true]);
  expect(isOver({ ...lease, state: "revoked" }, 10 * DAY, watch(0))).toBe(false);
  expect(isOver({ ...lease, kept: true }, 10 * DAY, watch(0))).toBe(false);
});

test("servers are heard from run to run, and anew after a run at which none was, or that was late", () => {
  const before = { at: DAY, heardSince: 3 };
  expect(heardSince(undefined, true, 5)).toBe(5);
  expect(heardSince(before, true, DAY + HOUR)).toBe(3);
  expect(heardSince(before, false, DAY + HOUR)).toBe(DAY + HOUR);
  expect(heardSince(before, true, DAY + 2 * HOUR + 1)).toBe(DAY + 2 * HOUR + 1);
});
