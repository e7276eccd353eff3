import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  desiredRoutes,
  foreignRoutes,
  isOurs,
  mergeRoutes,
  onLinkRoute,
  type Route,
  sameRoutes,
  slotOfRoute,
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

test("a route with host bits is in the way of the slots that it covers, and is written back as it was", () => {
  const bent = { target: "172.28.1.1/24", via: "10.147.17.250" };
  const wide = { target: "172.28.6.7/23", via: "10.147.17.251" };
  // By its numbers it could be ours, but we write no host bits.
  const like = { target: "172.28.3.9/24", via: "10.147.17.3" };
  const current = [onLink, bent, wide, like];
  const merged = mergeRoutes(current, desiredRoutes(pool, []), pool, 32, new Set([3]));
  expect(merged).toEqual({ routes: current, changed: false });
  const foreign = foreignRoutes(current, pool, new Set([3]));
  expect(foreign).toEqual([bent, wide, like]);
  expect(slotsTakenByRoutes(pool, foreign)).toEqual(new Set([1, 3, 6, 7]));
});

test("what is missing is added and what is ours no more goes; everything else stays in its place", () => {
  const current = [lan, slotRoute(pool, 5), onLink, taken, slotRoute(pool, 7)];
  const ours = desiredRoutes(pool, [{ slot: 7 }, { slot: 3 }, { slot: 7 }]);
  expect(ours).toEqual([onLink, slotRoute(pool, 3), slotRoute(pool, 7)]);
  expect(mergeRoutes(current, ours, pool, 32, new Set([5, 7]))).toEqual({
    routes: [lan, onLink, taken, slotRoute(pool, 7), slotRoute(pool, 3)],
    changed: true,
  });
  expect(foreignRoutes(current, pool, new Set([5, 7]))).toEqual([taken]);
});

test("the on-link route is put first when it is missing", () => {
  const { routes } = mergeRoutes([lan], desiredRoutes(pool, []), pool, 32, new Set());
  expect(routes).toEqual([onLink, lan]);
});

test("order alone is no change", () => {
  const current = [slotRoute(pool, 7), lan, slotRoute(pool, 3), onLink];
  const ours = desiredRoutes(pool, [{ slot: 3 }, { slot: 7 }]);
  expect(mergeRoutes(current, ours, pool, 32, new Set([3, 7]))).toEqual({ routes: current, changed: false });
});

test("the route of a server set up by hand after the same scheme is not ours, whether its slot is leased or not", () => {
  const byHand = slotRoute(pool, 5);
  for (const leases of [[{ slot: 3 }], [{ slot: 3 }, { slot: 5 }]]) {
    const current = [onLink, byHand];
    const { routes } = mergeRoutes(current, desiredRoutes(pool, leases), pool, 32, new Set([3]));
    expect(routes).toEqual([onLink, byHand, slotRoute(pool, 3)]);
    expect(foreignRoutes(current, pool, new Set([3]))).toEqual([byHand]);
  }
  expect(slotsTakenByRoutes(pool, [byHand])).toEqual(new Set([5]));
});

test("a slot's route is its subnet via its own address, and that alone is ours", () => {
  const owned = new Set([0, 233, 240]);
  expect(slotRoute(pool, 233)).toEqual({ target: "172.28.233.0/24", via: "10.147.17.233" });
  expect(isOurs(pool, slotRoute(pool, 233), owned)).toBe(true);
  const strangers: Route[] = [
    onLinkRoute(pool),
    { target: "172.28.233.0/24", via: "10.147.17.234" },
    { target: "172.28.233.0/24", via: null },
    { target: "172.28.233.0/25", via: "10.147.17.233" },
    { target: "172.28.240.0/24", via: "10.147.17.240" },
    { target: "172.28.0.0/24", via: "10.147.17.0" },
    { target: "10.147.17.0/24", via: "10.147.17.1" },
  ];
  for (const route of strangers) expect(isOurs(pool, route, owned)).toBe(false);
});

describe("whatever the network holds", () => {
  const merged = fc.tuple(anyRoutes, anyLeases, fc.integer({ min: 1, max: 40 }), fc.array(anySlot));
  const run = (current: Route[], leases: { slot: number }[], limit: number, owned: number[]) =>
    mergeRoutes(current, desiredRoutes(pool, leases), pool, limit, new Set(owned));

  test("no foreign route is dropped, altered or reordered", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, owned]) => {
        const foreign = (routes: Route[]) =>
          routes.filter(
            (route) => !isOurs(pool, route, new Set([...owned, ...leases.map(({ slot }) => slot)])),
          );
        const before = foreign(current);
        const after = foreign(run(current, leases, limit, owned).routes);
        const isLinked = before.some(({ target, via }) => target === onLink.target && via === null);
        expect(after).toEqual(isLinked ? before : [onLink, ...before]);
      }),
    );
  });

  test("nothing is taken away but what is ours, and nothing of it that is called for and fits", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, owned]) => {
        const { routes } = run(current, leases, limit, owned);
        const slots = new Set(leases.map(({ slot }) => slot));
        const gone = current.filter((route) => !routes.includes(route));
        const ours = routes.filter((route) => isOurs(pool, route, new Set(owned)));
        expect(gone.every((route) => isOurs(pool, route, new Set(owned)))).toBe(true);
        expect(ours.every((route) => slots.has(slotOfRoute(pool, route) ?? 0))).toBe(true);
        expect(new Set(ours.map(({ target }) => target)).size).toBe(ours.length);
      }),
    );
  });

  test("what is added is called for, and fits into the limit", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, owned]) => {
        const { routes } = run(current, leases, limit, owned);
        const added = routes.filter((route) => !current.includes(route));
        const slots = new Set(leases.map(({ slot }) => slot).filter((slot) => isLeasable(pool, slot)));
        const isOnLink = (route: Route) => sameRoutes([route], [onLink]);
        expect(added.every((route) => isOnLink(route) || slots.has(slotOfRoute(pool, route) ?? 0))).toBe(
          true,
        );
        if (added.some((route) => !isOnLink(route))) expect(routes.length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test("a second merge changes nothing, and says so", () => {
    fc.assert(
      fc.property(merged, ([current, leases, limit, owned]) => {
        const once = run(current, leases, limit, owned);
        expect(once.changed).toBe(!sameRoutes(once.routes, current));
        // By then what was written is ours.
        const added = once.routes.filter((route) => !current.includes(route));
        const twice = run(once.routes, leases, limit, [
          ...owned,
          ...added.flatMap((route) => slotOfRoute(pool, route) ?? []),
        ]);
        expect(twice).toEqual({ ...once, changed: false });
      }),
    );
  });
});

test("foreign routes inside the pool are reported with the slots they take; wider and other ones are not", () => {
  const wide = { target: "172.16.0.0/12", via: "10.147.17.250" };
  const everything = { target: "0.0.0.0/0", via: "10.147.17.250" };
  const half = { target: "172.28.12.0/23", via: null };
  const foreign = foreignRoutes([wide, taken, everything, half, lan], pool, new Set());
  expect(foreign).toEqual([taken, half]);
  expect(slotsTakenByRoutes(pool, foreign)).toEqual(new Set([9, 12, 13]));
  expect(slotsTakenByRoutes(pool, [wide, everything])).toEqual(new Set());
});

test("more foreign routes than the limit: they all stay, and none of ours but the on-link one is added", () => {
  const foreign = Array.from({ length: 40 }, (_, i) => ({
    target: `192.168.${i}.0/24`,
    via: "10.147.17.250",
  }));
  const { routes } = mergeRoutes(foreign, desiredRoutes(pool, [{ slot: 1 }]), pool, 32, new Set([1]));
  expect(routes).toEqual([onLink, ...foreign]);
});

test("a route that is there stays beyond the limit as long as it is called for, and a lower slot's waits", () => {
  const there = [onLink, slotRoute(pool, 20), slotRoute(pool, 21)];
  const merged = (limit: number, leases: number[]) =>
    mergeRoutes(
      there,
      desiredRoutes(
        pool,
        leases.map((slot) => ({ slot })),
      ),
      pool,
      limit,
      new Set([20, 21]),
    );
  for (const limit of [1, 2, 3])
    expect(merged(limit, [1, 20, 21])).toEqual({ routes: there, changed: false });
  expect(merged(4, [1, 2, 20, 21]).routes).toEqual([...there, slotRoute(pool, 1)]);
  expect(merged(3, [1, 21]).routes).toEqual([onLink, slotRoute(pool, 21), slotRoute(pool, 1)]);
});
