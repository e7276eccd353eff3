import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseSlot as choose, type ReleasedSlot } from "../../../worker/lease/choose-slot.ts";
import { isLeasable, type Pool, slotLimit } from "../../../worker/lease/pool.ts";
import { defaultPool, poolOf } from "./pools.ts";
import { bookOf, type SlotUse, slotByTheRule } from "./slot-model.ts";

const tiny = poolOf("10.0.0.0/27", "172.28.0.0/16", 19); // slots 1 to 7
const NODE = "4e8d87c868";
const OTHER = "39f51dfb25";
const chooseSlot = (pool: Pool, use: SlotUse, node: string, now: number): number | undefined =>
  choose(pool, bookOf(use), node, now);
const none = { leased: new Set<number>(), released: [], excluded: new Set<number>() };

test("the lowest slot that was never leased comes first", () => {
  expect(chooseSlot(defaultPool, none, NODE, 0)).toBe(1);
  const use = {
    leased: new Set([1, 3]),
    excluded: new Set([2]),
    released: [{ slot: 4, node: OTHER, releasedAt: 0, freeAt: 0 }],
  };
  expect(chooseSlot(defaultPool, use, NODE, 1_000)).toBe(5);
});

test("then the slot released longest ago, never before its quarantine ends", () => {
  const released = [
    { slot: 2, node: OTHER, releasedAt: 10, freeAt: 900 },
    { slot: 5, node: OTHER, releasedAt: 30, freeAt: 60 },
    { slot: 6, node: OTHER, releasedAt: 20, freeAt: 50 },
  ];
  const use = { leased: new Set([1, 3, 4, 7]), excluded: new Set<number>(), released };
  expect(chooseSlot(tiny, use, NODE, 49)).toBeUndefined();
  expect(chooseSlot(tiny, use, NODE, 50)).toBe(6);
  expect(chooseSlot(tiny, use, NODE, 60)).toBe(6);
  expect(chooseSlot(tiny, { ...use, excluded: new Set([6]) }, NODE, 60)).toBe(5);
  expect(chooseSlot(tiny, use, NODE, 900)).toBe(2);
});

test("a node gets back the slot that it had last, also in its quarantine, unless somebody else has it", () => {
  const released = [
    { slot: 2, node: NODE, releasedAt: 10, freeAt: 900 },
    { slot: 3, node: NODE, releasedAt: 20, freeAt: undefined },
    { slot: 5, node: OTHER, releasedAt: 30, freeAt: 900 },
  ];
  const use = { ...none, released };
  expect(chooseSlot(tiny, use, NODE, 50)).toBe(3);
  expect(chooseSlot(tiny, { ...use, excluded: new Set([3]) }, NODE, 50)).toBe(2);
  expect(chooseSlot(tiny, { ...use, leased: new Set([2, 3]) }, NODE, 50)).toBe(1);
  expect(chooseSlot(tiny, use, "aabbccddee", 50)).toBe(1);
});

test("a node gets the slot that it has at the controller, which is excluded for others, unless that is leased or in quarantine", () => {
  const use = { ...none, excluded: new Set([5]), own: 5 };
  expect(chooseSlot(tiny, use, NODE, 50)).toBe(5);
  expect(chooseSlot(tiny, { ...use, leased: new Set([5]) }, NODE, 50)).toBe(1);
  const former = { slot: 5, node: OTHER, releasedAt: 30, freeAt: 900 };
  expect(chooseSlot(tiny, { ...use, released: [former] }, NODE, 50)).toBe(1);
  expect(chooseSlot(tiny, { ...use, released: [former] }, NODE, 900)).toBe(5);
  const last = { slot: 2, node: NODE, releasedAt: 30, freeAt: 900 };
  expect(chooseSlot(tiny, { ...use, released: [last] }, NODE, 50)).toBe(2);
});

test("a slot whose quarantine has not begun is nobody else's, however long ago it was released", () => {
  const released = [1, 2, 3, 4, 5, 6, 7].map((slot) => ({
    slot,
    node: OTHER,
    releasedAt: 0,
    freeAt: undefined,
  }));
  expect(chooseSlot(tiny, { ...none, released }, NODE, 1e15)).toBeUndefined();
  expect(chooseSlot(tiny, { ...none, released }, OTHER, 1e15)).toBe(7);
});

function isOpen(past: ReleasedSlot | undefined, now: number): boolean {
  return past === undefined || past.node === NODE || (past.freeAt !== undefined && past.freeAt <= now);
}

const slots = fc.array(fc.integer({ min: 0, max: 9 })).map((list) => new Set(list));
const anyReleased: fc.Arbitrary<ReleasedSlot[]> = fc.uniqueArray(
  fc.record({
    slot: fc.integer({ min: 0, max: 9 }),
    node: fc.constantFrom(NODE, OTHER),
    releasedAt: fc.nat({ max: 9 }),
    freeAt: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
  }),
  { selector: ({ slot }) => slot },
);
const anyUse = fc.record({
  leased: slots,
  excluded: slots,
  released: anyReleased,
  own: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});

test("whatever the use: the same slot as by the rule, read over everything at once", () => {
  fc.assert(
    fc.property(anyUse, fc.nat({ max: 9 }), (use, now) => {
      expect(chooseSlot(tiny, use, NODE, now)).toBe(slotByTheRule(tiny, use, NODE, now));
    }),
    { numRuns: 2_000 },
  );
});

test("a book that takes a slot for one that was never leased is not believed", () => {
  fc.assert(
    fc.property(anyUse, fc.nat({ max: 9 }), (use, now) => {
      const book = { ...bookOf(use), neverLeased: () => [1, 2, 3, 4, 5, 6, 7, 8, 9] };
      expect(choose(tiny, book, NODE, now)).toBe(slotByTheRule(tiny, use, NODE, now));
    }),
    { numRuns: 2_000 },
  );
});

test("whatever the use: a leasable slot that is free, and undefined only when there is none", () => {
  fc.assert(
    fc.property(slots, slots, anyReleased, fc.nat({ max: 9 }), (leased, excluded, released, now) => {
      const slot = chooseSlot(tiny, { leased, excluded, released }, NODE, now);
      const past = new Map(released.map((entry) => [entry.slot, entry]));
      const free = Array.from({ length: slotLimit(tiny) }, (_, i) => i + 1).filter(
        (n) => !leased.has(n) && !excluded.has(n) && isOpen(past.get(n), now),
      );
      const former = free.filter((n) => past.get(n)?.node === NODE);
      if (former.length > 0) {
        expect(former).toContain(slot);
        expect(past.get(slot ?? 0)?.releasedAt).toBe(
          Math.max(...former.map((n) => past.get(n)?.releasedAt ?? 0)),
        );
        return;
      }
      const fresh = free.filter((n) => !past.has(n));
      if (slot === undefined) {
        expect(free).toEqual([]);
        return;
      }
      expect(isLeasable(tiny, slot)).toBe(true);
      expect(free).toContain(slot);
      if (fresh.length > 0) {
        expect(slot).toBe(fresh[0]);
        return;
      }
      const oldest = Math.min(...free.map((n) => past.get(n)?.releasedAt ?? 0));
      expect(past.get(slot)?.releasedAt).toBe(oldest);
    }),
  );
});

test("leasing until the pool is empty gives every slot once", () => {
  const leased = new Set<number>();
  for (let slot = chooseSlot(defaultPool, none, NODE, 0); slot !== undefined; ) {
    leased.add(slot);
    slot = chooseSlot(defaultPool, { ...none, leased }, NODE, 0);
  }
  expect([...leased]).toEqual(Array.from({ length: 239 }, (_, i) => i + 1));
});
