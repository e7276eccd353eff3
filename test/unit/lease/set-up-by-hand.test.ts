import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPrefix, overlaps, parsePrefix } from "../../../worker/address/prefix.ts";
import { type Route, slotRoute } from "../../../worker/lease/managed-routes.ts";
import { dockerSubnet, isLeasable, type Pool, zerotierAddress } from "../../../worker/lease/pool.ts";
import { type HandMade, slotByHand } from "../../../worker/lease/set-up-by-hand.ts";
import { anyPool, defaultPool as pool } from "./pools.ts";

const NODE = "4e8d87c868";

/** A network of these members and routes. */
function networkOf(of: Pool, members: readonly HandMade[], routes: readonly Route[]) {
  const holdersOf = (slot: number) =>
    members.filter(({ addresses }) => addresses.includes(zerotierAddress(of, slot))).map(({ node }) => node);
  return { holdersOf, routes };
}

const made = (...addresses: string[]): HandMade => ({ node: NODE, authorized: true, addresses });
const found = (member: HandMade, routes: readonly Route[] = []) =>
  slotByHand(pool, member, networkOf(pool, [member], routes));

describe("the slot of a member that was set up by hand", () => {
  test("is that of its address and its route, or of its address alone", () => {
    expect(found(made("10.147.17.7"), [slotRoute(pool, 7)])).toEqual({
      ok: true,
      value: { slot: 7, isRouted: true },
    });
    expect(found(made("10.147.17.7"), [slotRoute(pool, 8)])).toEqual({
      ok: true,
      value: { slot: 7, isRouted: false },
    });
  });

  test("is not hidden by addresses of other ranges, nor by one that the controller gave besides", () => {
    expect(found(made("10.9.9.9", "10.147.17.250", "10.147.17.7", "fd00::1", "10.147.17.7"))).toMatchObject({
      value: { slot: 7 },
    });
  });

  test("is none where its route is there twice: one would go with the next write", () => {
    expect(found(made("10.147.17.7"), [slotRoute(pool, 7), slotRoute(pool, 7)])).toMatchObject({
      error: { reason: "slot-routed", slot: 7 },
    });
  });
});

/** Small networks in which much meets: few members, few slots, and routes of every kind near them. */
const anyNetwork = anyPool.chain((of) => {
  const slot = fc.integer({ min: 0, max: 6 });
  const leasable = slot.filter((n) => isLeasable(of, n));
  const address = fc.oneof(
    slot.map((n) => zerotierAddress(of, n)),
    fc.constantFrom("10.9.9.9", "fd00::1", "not an address"),
  );
  const member = fc.record({
    authorized: fc.boolean(),
    addresses: fc.array(address, { maxLength: 3 }),
  });
  const route: fc.Arbitrary<Route> = fc.oneof(
    leasable.map((n) => slotRoute(of, n)),
    fc.tuple(leasable, fc.integer({ min: -1, max: 1 }), fc.option(slot)).map(([n, wider, gateway]): Route => {
      const { first } = dockerSubnet(of, n);
      const length = of.nodePrefix + wider;
      const size = 1n << BigInt(32 - length);
      return {
        target: formatPrefix({ family: 4, first: first - (first % size), length }),
        via: gateway === null ? null : zerotierAddress(of, gateway),
      };
    }),
  );
  return fc.record({
    of: fc.constant(of),
    members: fc
      .array(member, { maxLength: 5 })
      .map((all) => all.map((one, at): HandMade => ({ ...one, node: `5e1000000${at}` }))),
    routes: fc.array(route, { maxLength: 6 }),
  });
});

/** The slots that members are found to have, whatever the network. */
function slotsIn({ of, members, routes }: { of: Pool; members: HandMade[]; routes: Route[] }) {
  const network = networkOf(of, members, routes);
  return members.flatMap((member) => {
    const slot = slotByHand(of, member, network);
    return slot.ok ? [{ member, ...slot.value }] : [];
  });
}

describe("whatever somebody built", () => {
  test("no slot is two members', and each is of an authorized one that has its address", () => {
    fc.assert(
      fc.property(anyNetwork, (built) => {
        const slots = slotsIn(built);
        expect(new Set(slots.map(({ slot }) => slot)).size).toBe(slots.length);
        for (const { member, slot } of slots) {
          expect(isLeasable(built.of, slot)).toBe(true);
          expect(member.authorized).toBe(true);
          expect(member.addresses).toContain(zerotierAddress(built.of, slot));
          const others = built.members.filter(({ node }) => node !== member.node);
          expect(others.flatMap(({ addresses }) => addresses)).not.toContain(zerotierAddress(built.of, slot));
        }
      }),
    );
  });

  test("no route says otherwise: the only one in the slot's subnet, and to its address, is the slot's", () => {
    fc.assert(
      fc.property(anyNetwork, (built) => {
        for (const { slot, isRouted } of slotsIn(built)) {
          const { target, via } = slotRoute(built.of, slot);
          const near = built.routes.filter((route) => {
            const prefix = parsePrefix(route.target);
            // What covers the whole pool is a fault of the network's.
            const isInside = prefix !== undefined && prefix.length >= built.of.docker.length;
            const touches = isInside && overlaps(prefix, dockerSubnet(built.of, slot));
            return touches || (isInside && route.via === via);
          });
          expect(near).toEqual(isRouted ? [{ target, via }] : []);
        }
      }),
    );
  });
});
