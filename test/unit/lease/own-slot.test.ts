import fc from "fast-check";
import { expect, test } from "vitest";
import { slotRoute } from "../../../worker/lease/managed-routes.ts";
import { ownSlot } from "../../../worker/lease/own-slot.ts";
import { defaultPool as pool } from "./pools.ts";

const NODE = "4e8d87c868";
const OTHER = "39f51dfb25";
const holds = (slot: number, member = NODE) => ({ slot, member });

test("is that of the address which the node has at the controller, and nobody else", () => {
  expect(ownSlot(pool, NODE, [holds(7), holds(8, OTHER)], [])).toBe(7);
  expect(ownSlot(pool, NODE, [holds(8, OTHER)], [])).toBeUndefined();
  expect(ownSlot(pool, NODE, [holds(7), holds(7, OTHER)], [])).toBeUndefined();
});

test("has its own route, or none: any other to its subnet is somebody else's", () => {
  const own = slotRoute(pool, 7);
  expect(ownSlot(pool, NODE, [holds(7)], [own])).toBe(7);
  expect(ownSlot(pool, NODE, [holds(7)], [{ ...own, via: "10.147.17.250" }])).toBeUndefined();
  expect(
    ownSlot(pool, NODE, [holds(7)], [own, { target: "172.28.6.0/23", via: "10.147.17.7" }]),
  ).toBeUndefined();
  expect(ownSlot(pool, NODE, [holds(7)], [{ target: "172.28.7.128/25", via: null }])).toBeUndefined();
});

test("is, of several, the one that has its route, then the lowest", () => {
  const held = [holds(9), holds(7), holds(8)];
  expect(ownSlot(pool, NODE, held, [slotRoute(pool, 8)])).toBe(8);
  expect(ownSlot(pool, NODE, held, [])).toBe(7);
  expect(ownSlot(pool, NODE, [holds(0), holds(254)], [])).toBeUndefined();
});

test("is never one that two nodes may call their own", () => {
  const slots = fc.array(
    fc.record({ slot: fc.integer({ min: 1, max: 6 }), member: fc.constantFrom(NODE, OTHER) }),
  );
  const routes = fc.array(fc.integer({ min: 1, max: 6 }).map((slot) => slotRoute(pool, slot)));
  fc.assert(
    fc.property(slots, routes, (held, there) => {
      const mine = ownSlot(pool, NODE, held, there);
      if (mine !== undefined) expect(ownSlot(pool, OTHER, held, there)).not.toBe(mine);
    }),
  );
});
