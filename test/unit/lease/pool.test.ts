import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contains, formatPrefix, parseAddress, parsePrefix } from "../../../worker/address/prefix.ts";
import {
  autoAssignRange,
  dockerGateway,
  dockerSubnet,
  isLeasable,
  makePool,
  type Pool,
  slotLimit,
  slotOfAddress,
  slotsOfPrefix,
  zerotierAddress,
  zerotierAddressWithPrefix,
} from "../../../worker/lease/pool.ts";
import { anyPool, defaultPool, poolOf } from "./pools.ts";

const big = poolOf("10.147.0.0/16", "172.16.0.0/12", 24);

test("with the defaults slot 233 is 10.147.17.233 and 172.28.233.0/24, as in the manual recipe", () => {
  expect(zerotierAddress(defaultPool, 233)).toBe("10.147.17.233");
  expect(zerotierAddressWithPrefix(defaultPool, 233)).toBe("10.147.17.233/24");
  expect(formatPrefix(dockerSubnet(defaultPool, 233))).toBe("172.28.233.0/24");
  expect(dockerGateway(defaultPool, 233)).toBe("172.28.233.1");
});

test.each<[string, Pool, number, string, string]>([
  ["default", defaultPool, 239, "10.147.17.240", "10.147.17.254"],
  ["/16 with a /12", big, 4095, "10.147.240.0", "10.147.255.254"],
  [
    "smaller subnets a node",
    poolOf("10.147.0.0/16", "172.28.0.0/16", 28),
    4095,
    "10.147.240.0",
    "10.147.255.254",
  ],
  ["smallest range", poolOf("10.0.0.0/27", "172.28.0.0/16", 24), 29, "10.0.0.30", "10.0.0.30"],
  ["few subnets", poolOf("10.147.17.0/24", "192.168.0.0/22", 24), 3, "10.147.17.240", "10.147.17.254"],
  ["largest", poolOf("10.0.0.0/8", "11.0.0.0/8", 28), 2 ** 20 - 1, "10.240.0.0", "10.255.255.254"],
])("%s: the slots and the auto-assign range", (_, pool, limit, ipRangeStart, ipRangeEnd) => {
  expect(slotLimit(pool)).toBe(limit);
  expect(isLeasable(pool, 0)).toBe(false);
  expect(isLeasable(pool, 1.5)).toBe(false);
  expect(isLeasable(pool, 1)).toBe(true);
  expect(isLeasable(pool, limit)).toBe(true);
  expect(isLeasable(pool, limit + 1)).toBe(false);
  expect(autoAssignRange(pool)).toEqual({ ipRangeStart, ipRangeEnd });
});

test("every slot of every pool has its own address and subnet inside the ranges, and is found by them", () => {
  fc.assert(
    fc.property(anyPool, fc.nat(), (pool, number) => {
      const slot = 1 + (number % slotLimit(pool));
      const address = parseAddress(zerotierAddress(pool, slot));
      if (address === undefined) throw new Error("no address");
      expect(contains(pool.zerotier, address)).toBe(true);
      expect(slotOfAddress(pool, address)).toBe(slot);
      const from = parseAddress(autoAssignRange(pool).ipRangeStart);
      expect(from !== undefined && address.value < from.value).toBe(true);
      expect(slotsOfPrefix(pool, dockerSubnet(pool, slot))).toEqual([slot]);
      const gateway = parseAddress(dockerGateway(pool, slot));
      expect(gateway !== undefined && contains(dockerSubnet(pool, slot), gateway)).toBe(true);
    }),
  );
});

describe("finding slots", () => {
  const slots = (text: string, pool = defaultPool) => {
    const prefix = parsePrefix(text);
    return prefix === undefined ? undefined : slotsOfPrefix(pool, prefix);
  };

  test("by prefix: those it touches, and leasable ones only", () => {
    expect(slots("172.28.4.0/22")).toEqual([4, 5, 6, 7]);
    expect(slots("172.28.9.128/25")).toEqual([9]);
    expect(slots("172.28.0.0/23")).toEqual([1]);
    expect(slots("172.28.238.0/23")).toEqual([238, 239]);
    expect(slots("172.28.240.0/24")).toEqual([]);
    expect(slots("172.16.0.0/12")).toHaveLength(239);
    expect(slots("0.0.0.0/0")).toHaveLength(239);
    expect(slots("10.147.17.0/24")).toEqual([]);
    expect(slots("fc00::/7")).toEqual([]);
  });

  test("by address: none for slot 0, the auto-assign addresses, broadcast and strangers", () => {
    for (const text of [
      "10.147.17.0",
      "10.147.17.240",
      "10.147.17.255",
      "10.147.18.1",
      "172.28.1.1",
      "fc00::1",
    ]) {
      const address = parseAddress(text);
      expect(address && slotOfAddress(defaultPool, address)).toBeUndefined();
    }
  });
});

describe("refusals", () => {
  test.each<[string, string, number, RegExp[]]>([
    ["10.147.17.0/24", "172.28.0.0/16", 23.5, [/node prefix is 23.5.*from 17 .*to 28/]],
    ["10.147.17.0/24", "172.28.0.0/16", 15, [/node prefix is 15/]],
    ["10.147.17.0/24", "172.28.0.0/16", 29, [/node prefix is 29/]],
    ["10.147.17.0/24", "172.28.0.0/24", 24, [/node prefix is 24: .* from 25 .* to 28/]],
    ["10.147.17.0/24", "172.28.0.0/28", 28, [/Docker pool is 172.28.0.0\/28: .* between \/8 and \/27/]],
    [
      "10.147.17.1/24",
      "172.28.0.0",
      24,
      [/ZeroTier range is 10.147.17.1\/24, an address in 10.147.17.0\/24/, /Docker pool is "172.28.0.0"/],
    ],
    ["10.147.17.0/28", "172.28.0.0/16", 24, [/ZeroTier range.*between \/8 and \/27/]],
    ["10.0.0.0/7", "172.28.0.0/16", 24, [/ZeroTier range.*between \/8 and \/27/]],
    ["fc00::/64", "172.28.0.0/16", 24, [/ZeroTier range.*IPv6/]],
    ["8.8.8.0/24", "127.0.0.0/16", 24, [/ZeroTier range.*public/, /Docker pool.*public/]],
    ["169.254.0.0/16", "224.0.0.0/8", 24, [/ZeroTier range.*public/, /Docker pool.*public/]],
    ["172.28.17.0/24", "172.28.0.0/16", 30, [/node prefix/, /overlap/]],
  ])("%s with %s and /%d", (zerotier, docker, nodePrefix, faults) => {
    const made = makePool({ zerotier, docker, nodePrefix });
    if (made.ok) throw new Error("accepted");
    expect(made.error).toHaveLength(faults.length);
    faults.forEach((fault, i) => {
      expect(made.error[i]).toMatch(fault);
    });
  });

  test("junk is refused, never thrown at", () => {
    const settings = fc.record({ zerotier: fc.string(), docker: fc.string(), nodePrefix: fc.double() });
    fc.assert(fc.property(settings, (junk) => !makePool(junk).ok));
  });
});
