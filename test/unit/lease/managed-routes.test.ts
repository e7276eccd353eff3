import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  desiredRoutes,
  isOurRoute,
  mergeRoutes,
  onLinkRoute,
  type Route,
  sameRoutes,
  slotRoute,
  slotsTakenByRoutes,
} from "../../../worker/lease/managed-routes.ts";
import { isLeasable } from "../../../worker/lease/pool.ts";
import { defaultPool as pool } from "./pools.ts";

const onLink = { target: "10.147.17.0/24", via: null };
const lan = { target: "192.168.7.0/24", via: "10.147.17.250" };
const taken = { target: "172.28.9.0/24", via: "10.147.17.8" };

const anySlot = fc.integer({ min: 0, max: 300 });
const anyLeases = fc.array(
  anySlot.map((slot) => ({ slot })),
  { maxLength: 60 },
);
const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  fc.constantFrom(onLink, lan, taken, { target: "0.0.0.0/0", via: "10.147.17.250" }),
  fc.record({ target: fc.string(), via: fc.option(fc.string()) }),
  fc.integer({ min: 1, max: 239 }).map((slot) => slotRoute(pool, slot)),
  fc.tuple(anySlot, anySlot).map(([n, m]) => ({ target: `172.28.${n}.0/24`, via: `10.147.17.${m}` })),
);
const anyRoutes = fc.array(anyRoute, { maxLength: 30 });

test("on-link first, then the others as they were, then ours by slot", () => {
  const current = [lan, slotRoute(pool, 5), onLink, taken];
  const ours = desiredRoutes(pool, [{ slot: 7 }, { slot: 3 }, { slot: 7 }], 32);
  expect(ours).toEqual([onLink, slotRoute(pool, 3), slotRoute(pool, 7)]);
  expect(mergeRoutes(current, ours, pool, 32, new Set([3, 5, 7]))).toEqual({
    routes: [onLink, lan, taken, slotRoute(pool, 3), slotRoute(pool, 7)],
    changed: true,
    foreign: [taken],
  });
});

test("the route of a server set up by hand after the same scheme is not ours while its slot was never leased", () => {
  const byHand = slotRoute(pool, 5);
  const ours = desiredRoutes(pool, [{ slot: 3 }], 32);
  const { routes, foreign } = mergeRoutes([onLink, byHand], ours, pool, 32, new Set([3]));
  expect(routes).toEqual([onLink, byHand, slotRoute(pool, 3)]);
  expect(foreign).toEqual([byHand]);
  expect(slotsTakenByRoutes(pool, foreign)).toEqual(new Set([5]));
});

test("a slot's route is its subnet via its own address, and that alone is ours", () => {
  const owned = new Set([0, 233, 240]);
  expect(slotRoute(pool, 233)).toEqual({ target: "172.28.233.0/24", via: "10.147.17.233" });
  expect(isOurRoute(pool, slotRoute(pool, 233), owned)).toBe(true);
  expect(isOurRoute(pool, onLinkRoute(pool), owned)).toBe(true);
  const strangers: Route[] = [
    { target: "172.28.233.0/24", via: "10.147.17.234" },
    { target: "172.28.233.0/24", via: null },
    { target: "172.28.233.0/25", via: "10.147.17.233" },
    { target: "172.28.240.0/24", via: "10.147.17.240" },
    { target: "172.28.0.0/24", via: "10.147.17.0" },
    { target: "10.147.17.0/24", via: "10.147.17.1" },
  ];
  for (const route of strangers) expect(isOurRoute(pool, route, owned)).toBe(false);
});

describe("whatever the network holds", () => {
  const merged = fc.tuple(anyRoutes, anyLeases, fc.integer({ min: 1, max: 40 }), fc.array(anySlot));
  const ownedBy = (leases: { slot: number }[], released: number[]) =>
    new Set([...leases.map(({ slot }) => slot), ...released]);
  const run = (current: Route[], leases: { slot: number }[], limit: number, released: number[]) =>
    mergeRoutes(current, desiredRoutes(pool, leases, limit), pool, limit, ownedBy(leases, released));

  test("no foreign route is dropped, altered or reordered", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, released]) => {
        const owned = ownedBy(leases, released);
        const foreign = (routes: Route[]) => routes.filter((route) => !isOurRoute(pool, route, owned));
        expect(foreign(run(current, leases, limit, released).routes)).toEqual(foreign(current));
      }),
    );
  });

  test("the on-link route is first and there once; only active leases have a route; the limit is kept", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, released]) => {
        const { routes } = run(current, leases, limit, released);
        expect(routes[0]).toEqual(onLink);
        const owned = ownedBy(leases, released);
        const ours = routes.filter((route) => isOurRoute(pool, route, owned)).slice(1);
        const wanted = [...new Set(leases.map(({ slot }) => slot))]
          .filter((slot) => isLeasable(pool, slot))
          .sort((a, b) => a - b);
        const room = Math.max(0, limit - (routes.length - ours.length));
        expect(ours).toEqual(wanted.slice(0, room).map((slot) => slotRoute(pool, slot)));
        expect(routes.length).toBeLessThanOrEqual(Math.max(limit, routes.length - ours.length));
      }),
    );
  });

  test("a second merge changes nothing, and says so", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, released]) => {
        const once = run(current, leases, limit, released);
        expect(once.changed).toBe(!sameRoutes(once.routes, current));
        const twice = run(once.routes, leases, limit, released);
        expect(twice).toEqual({ ...once, changed: false });
      }),
    );
  });
});

test("foreign routes inside the pool are reported with the slots they take; wider and other ones are not", () => {
  const wide = { target: "172.16.0.0/12", via: "10.147.17.250" };
  const everything = { target: "0.0.0.0/0", via: "10.147.17.250" };
  const half = { target: "172.28.12.0/23", via: null };
  const { foreign } = mergeRoutes(
    [wide, taken, everything, half, lan],
    desiredRoutes(pool, [], 32),
    pool,
    32,
    new Set(),
  );
  expect(foreign).toEqual([taken, half]);
  expect(slotsTakenByRoutes(pool, foreign)).toEqual(new Set([9, 12, 13]));
  expect(slotsTakenByRoutes(pool, [wide, everything])).toEqual(new Set());
});

test("more foreign routes than the limit: they all stay, and none of ours but the on-link one is added", () => {
  const foreign = Array.from({ length: 40 }, (_, i) => ({
    target: `192.168.${i}.0/24`,
    via: "10.147.17.250",
  }));
  const { routes } = mergeRoutes(foreign, desiredRoutes(pool, [{ slot: 1 }], 32), pool, 32, new Set([1]));
  expect(routes).toEqual([onLink, ...foreign]);
});
