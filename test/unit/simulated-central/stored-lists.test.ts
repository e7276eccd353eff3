import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  storedAddresses,
  storedRanges,
  storedRoutes,
} from "../../../scripts/simulated-central/stored-lists.ts";

/** The route that is stored for one that is sent; undefined when it is dropped. */
function stored(target: unknown, via: unknown = null): object | undefined {
  return storedRoutes([{ target, via }])?.[0];
}

describe("routes as a controller stores them, never with an error", () => {
  it.each([
    ["10.1.0.0/16", "10.1.0.0/16"],
    ["10.1.0.5/16", "10.1.0.5/16"],
    ["10.2.3.4", "10.2.3.4/0"],
    ["10.2.3.4/", "10.2.3.4/0"],
    ["10.0.0.0/0", "10.0.0.0/0"],
    ["10.0.0.1/32", "10.0.0.1/32"],
    ["FD00:0:0::/48", "fd00::/48"],
    ["fd00::1/128", "fd00::1/128"],
  ])("takes the target %s as %s", (sent, kept) => {
    expect(stored(sent)).toEqual({ target: kept, via: null });
  });

  it.each<[unknown]>([
    ["10.0.0.0/33"],
    ["fd00::/129"],
    ["10.0.0"],
    ["10.0.0.256/24"],
    ["nonsense"],
    [""],
    [5],
    [null],
  ])("drops the target %j", (sent) => {
    expect(stored(sent)).toBeUndefined();
  });

  it.each<[unknown, string | null]>([
    ["10.1.2.3", "10.1.2.3"],
    ["", null],
    [null, null],
    [undefined, null],
    ["nonsense", null],
    ["fd00::1", null],
    [7, null],
  ])("takes the gateway %j of an IPv4 route as %j", (sent, kept) => {
    expect(stored("172.28.3.0/24", sent)).toEqual({ target: "172.28.3.0/24", via: kept });
  });

  it("makes an IPv4 gateway of an IPv6 route none", () => {
    expect(stored("fd00::/64", "10.1.2.3")).toEqual({ target: "fd00::/64", via: null });
  });

  it("keeps duplicates and the order, and drops flags and metric", () => {
    const route = { target: "10.1.0.0/16", via: null };
    expect(storedRoutes([{ ...route, flags: 1, metric: 7 }, "x", null, {}, route])).toEqual([route, route]);
  });

  it("leaves what is there when the value is no list", () => {
    for (const value of ["x", 5, {}, null, undefined]) expect(storedRoutes(value)).toBeUndefined();
  });

  it("cuts a list at 16384", () => {
    const routes = Array.from({ length: 16_400 }, () => ({ target: "10.0.0.0/8", via: null }));
    expect(storedRoutes(routes)).toHaveLength(16_384);
  });

  it("never fails, and what it stored it stores again unchanged", () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string(),
      fc.tuple(fc.ipV4(), fc.nat()).map((p) => p.join("/")),
    );
    const item = fc.oneof(fc.anything(), fc.record({ target: text, via: fc.option(text) }));
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const once = storedRoutes(items);
        expect(storedRoutes(once)).toEqual(once);
      }),
    );
  });
});

describe("other lists", () => {
  it("keeps ranges whose ends are addresses of one family", () => {
    const good = { ipRangeStart: "10.0.0.1", ipRangeEnd: "10.0.0.9" };
    const mixed = { ipRangeStart: "10.0.0.1", ipRangeEnd: "fd00::9" };
    expect(storedRanges([good, mixed, { ipRangeStart: "10.0.0.1" }, null, 5])).toEqual([good]);
    expect(storedRanges("x")).toBeUndefined();
  });

  it("keeps readable addresses of a member, without their length", () => {
    expect(storedAddresses(["10.147.17.3/24", "x", "10.0.0.256", "fd00::1"])).toEqual([
      "10.147.17.3",
      "fd00::1",
    ]);
  });
});
