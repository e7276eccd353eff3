import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ControllerNetwork } from "../../../worker/controller/controller.ts";
import { fit as fitOf } from "../../../worker/controller/fit.ts";
import { makePool, type Pool } from "../../../worker/lease/pool.ts";

function poolOf(zerotier: string, docker: string, nodePrefix: number): Pool {
  const made = makePool({ zerotier, docker, nodePrefix });
  if (!made.ok) throw new Error(made.error.join("\n"));
  return made.value;
}

const POOL = poolOf("10.147.17.0/24", "172.28.0.0/16", 24);
const ON_LINK = { target: "10.147.17.0/24", via: null };
const AUTO_ASSIGN = { ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" };

const FRESH: ControllerNetwork = {
  routes: [],
  pools: [],
  v4AutoAssign: false,
  v6: { sixPlane: false, rfc4193: false, zt: false },
  private: true,
  name: "",
};

const GOOD: ControllerNetwork = {
  ...FRESH,
  routes: [ON_LINK],
  pools: [AUTO_ASSIGN],
  v4AutoAssign: true,
  v6: { sixPlane: true, rfc4193: false, zt: false },
};

describe("what a network lacks", () => {
  it("is everything for a new one", () => {
    expect(fitOf(FRESH, POOL)).toEqual({
      change: {
        v6: { sixPlane: true, rfc4193: false, zt: false },
        routes: [ON_LINK],
        pools: [AUTO_ASSIGN],
        v4AutoAssign: true,
      },
      faults: [],
    });
  });

  it("is nothing for one that fits", () => {
    expect(fitOf(GOOD, POOL)).toEqual({ change: undefined, faults: [] });
  });

  it("takes a route with host bits for what its prefix is", () => {
    const faults = (target: string) =>
      fitOf({ ...GOOD, routes: [ON_LINK, { target, via: "10.147.17.250" }] }, POOL).faults;
    expect(faults("172.28.0.1/16")).toEqual([expect.stringContaining("172.28.0.1/16 via 10.147.17.250")]);
    expect(faults("10.147.17.9/25")).toEqual([expect.stringContaining("10.147.17.9/25 via 10.147.17.250")]);
    expect(faults("10.147.17.9/24")).toEqual([]);
    expect(faults("172.28.1.1/24")).toEqual([]);
    // Ours is still put first where only one with host bits is there.
    const bent = { target: "10.147.17.1/24", via: null };
    expect(fitOf({ ...GOOD, routes: [bent] }, POOL)).toEqual({
      change: { routes: [ON_LINK, bent] },
      faults: [],
    });
  });

  it("keeps the other IPv6 flags, which are written as a whole", () => {
    const network = { ...GOOD, v6: { sixPlane: false, rfc4193: true, zt: true } };
    expect(fitOf(network, POOL).change).toEqual({ v6: { sixPlane: true, rfc4193: true, zt: true } });
  });

  it("keeps the operator's routes and their order, and moves the on-link route only where no node is sent it", () => {
    const own = [
      { target: "192.168.7.0/24", via: "10.147.17.250" },
      { target: "10.0.0.5/16", via: null },
      { target: "0.0.0.0/0", via: "10.147.17.251" },
    ];
    expect(fitOf({ ...GOOD, routes: own }, POOL).change).toEqual({ routes: [ON_LINK, ...own] });
    expect(fitOf({ ...GOOD, routes: [...own, ON_LINK] }, POOL)).toEqual({ change: undefined, faults: [] });
    const many = Array.from({ length: 128 }, (_, i) => ({
      target: `192.168.${i}.0/24`,
      via: "10.147.17.250",
    }));
    expect(fitOf({ ...GOOD, routes: [...many, ON_LINK] }, POOL).change).toEqual({
      routes: [ON_LINK, ...many],
    });
  });

  it("keeps an auto-assign pool of the operator's outside the leases, and one that is switched off", () => {
    const elsewhere = [{ ipRangeStart: "10.99.0.1", ipRangeEnd: "10.99.0.254" }];
    const smaller = [{ ipRangeStart: "10.147.17.250", ipRangeEnd: "10.147.17.251" }];
    const whole = [{ ipRangeStart: "10.147.17.1", ipRangeEnd: "10.147.17.254" }];
    expect(fitOf({ ...GOOD, pools: elsewhere }, POOL)).toEqual({ change: undefined, faults: [] });
    expect(fitOf({ ...GOOD, pools: smaller }, POOL)).toEqual({ change: undefined, faults: [] });
    expect(fitOf({ ...GOOD, pools: whole, v4AutoAssign: false }, POOL)).toEqual({
      change: undefined,
      faults: [],
    });
  });

  it("adds the auto-assign pool beside one that assigns nothing, since it ends before it begins", () => {
    const turned = { ipRangeStart: "10.147.17.200", ipRangeEnd: "10.147.17.1" };
    expect(fitOf({ ...GOOD, pools: [turned] }, POOL)).toEqual({
      change: { pools: [turned, AUTO_ASSIGN] },
      faults: [],
    });
  });

  it("adds the auto-assign pool beside one for IPv6", () => {
    const six = { ipRangeStart: "fd00::1", ipRangeEnd: "fd00::ff" };
    expect(fitOf({ ...GOOD, pools: [six] }, POOL).change).toEqual({ pools: [six, AUTO_ASSIGN] });
  });
});

describe("what only the operator can put right, with its remedy", () => {
  it.each<[string, Partial<ControllerNetwork>, RegExp]>([
    ["a public network", { private: false }, /Set its Access Control to Private/],
    [
      "the ZeroTier range behind a gateway",
      { routes: [{ target: "10.147.17.0/24", via: "10.147.17.1" }] },
      /Delete the route in the controller, or choose another ZEROTIER_RANGE/,
    ],
    [
      "a route that cuts into the leased addresses",
      { routes: [ON_LINK, { target: "10.147.17.128/25", via: null }] },
      /10\.147\.17\.128\/25 \(on-link\) cuts into.*choose another ZEROTIER_RANGE/,
    ],
    [
      "a route over the whole Docker pool",
      { routes: [ON_LINK, { target: "172.16.0.0/12", via: "10.147.17.9" }] },
      /172\.16\.0\.0\/12 via 10\.147\.17\.9 covers.*choose another DOCKER_POOL/,
    ],
    [
      "an auto-assign pool that reaches into the leased addresses, as Central's Easy setting makes it",
      { pools: [{ ipRangeStart: "10.147.17.1", ipRangeEnd: "10.147.17.254" }] },
      /Change it in the controller to 10\.147\.17\.240-10\.147\.17\.254/,
    ],
  ])("%s", (_, settings, remedy) => {
    const { change, faults } = fitOf({ ...GOOD, ...settings }, POOL);
    expect(change).toBeUndefined();
    expect(faults).toEqual([expect.stringMatching(remedy)]);
  });

  it("lists every fault", () => {
    const network = {
      ...GOOD,
      private: false,
      routes: [ON_LINK, { target: "172.28.0.0/16", via: null }],
      pools: [{ ipRangeStart: "10.147.17.200", ipRangeEnd: "10.147.17.250" }],
    };
    expect(fitOf(network, POOL).faults).toHaveLength(3);
  });

  it("sees no fault in routes of other devices, a leased subnet, a default route, or what is no prefix", () => {
    const routes = [
      ON_LINK,
      { target: "10.147.17.240/28", via: null },
      { target: "10.147.0.0/16", via: null },
      { target: "172.28.7.0/24", via: "10.147.17.7" },
      { target: "0.0.0.0/0", via: "10.147.17.241" },
      { target: "::/0", via: "fd00::1" },
      { target: "10.147.17.5/24", via: null },
      { target: "nonsense", via: null },
    ];
    expect(fitOf({ ...GOOD, routes }, POOL)).toEqual({ change: undefined, faults: [] });
  });
});

describe("for any network", () => {
  const byte = fc.nat(255);
  const address = fc.oneof(
    byte.map((last) => `10.147.17.${last}`),
    fc.ipV4(),
    fc.ipV6(),
    fc.constant("nonsense"),
  );
  const target = fc.oneof(
    fc.constant("10.147.17.0/24"),
    fc.tuple(byte, fc.integer({ min: 24, max: 28 })).map(([n, bits]) => `172.28.${n}.0/${bits}`),
    fc.tuple(address, fc.nat(33)).map(([text, bits]) => `${text}/${bits}`),
  );
  const network: fc.Arbitrary<ControllerNetwork> = fc.record({
    routes: fc.array(fc.record({ target, via: fc.option(address, { nil: null }) }), { maxLength: 8 }),
    pools: fc.array(fc.record({ ipRangeStart: address, ipRangeEnd: address }), { maxLength: 3 }),
    v4AutoAssign: fc.boolean(),
    v6: fc.record({ sixPlane: fc.boolean(), rfc4193: fc.boolean(), zt: fc.boolean() }),
    private: fc.boolean(),
    name: fc.string(),
  });
  const pool = fc.constantFrom(
    POOL,
    poolOf("10.147.0.0/16", "172.16.0.0/12", 24),
    poolOf("10.147.17.0/27", "192.168.0.0/16", 28),
  );

  it("the change makes it fit: nothing is left to change, and no fault is added", () => {
    fc.assert(
      fc.property(network, pool, (before, ranges) => {
        const { change, faults } = fitOf(before, ranges);
        const after = fitOf({ ...before, ...change }, ranges);
        expect(after.change).toBeUndefined();
        expect(after.faults.filter((fault) => !faults.includes(fault))).toEqual([]);
      }),
    );
  });

  it("the change loses nothing of the operator's", () => {
    fc.assert(
      fc.property(network, pool, (before, ranges) => {
        const { change = {} } = fitOf(before, ranges);
        const routes = change.routes ?? before.routes;
        const isRange = ({ target }: { target: string }) => target.startsWith("10.147.");
        expect(routes.filter((route) => !isRange(route))).toEqual(
          before.routes.filter((route) => !isRange(route)),
        );
        expect(routes).toEqual(expect.arrayContaining([...before.routes]));
        expect(change.pools ?? before.pools).toEqual(expect.arrayContaining([...before.pools]));
        expect(change.v6 ?? before.v6).toMatchObject({ rfc4193: before.v6.rfc4193, zt: before.v6.zt });
        expect(change.v4AutoAssign).not.toBe(false);
      }),
    );
  });
});
