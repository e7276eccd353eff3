import { expect, test } from "vitest";
import { chooseRanges, clashes, otherNetworks } from "../../../scripts/deploy/choose-ranges.ts";
import { makePool } from "../../../worker/lease/pool.ts";

const USUAL = { ZEROTIER_RANGE: "10.147.17.0/24", DOCKER_POOL: "172.28.0.0/16" };
const beside = (...cidrs: string[]) => otherNetworks(cidrs.map((cidr) => ({ cidr, what: cidr })));

test("the usual ranges are taken where nothing is in their way", () => {
  const others = beside("192.168.1.7/24", "172.17.0.1/16", "::1/128", "no network");
  expect(chooseRanges({}, USUAL, others)).toEqual(USUAL);
});

test("a network in the way moves the range that it touches, and that one alone", () => {
  expect(chooseRanges({}, USUAL, beside("172.28.5.1/24"))).toEqual({
    ...USUAL,
    DOCKER_POOL: "172.31.0.0/16",
  });
  expect(chooseRanges({}, USUAL, beside("10.147.17.9/24"))).toEqual({
    ...USUAL,
    ZEROTIER_RANGE: "10.147.18.0/24",
  });
});

test("what is chosen is always a pool that the Worker takes, clear of all others", () => {
  const others = beside("172.16.0.0/12", "10.64.0.0/12", "10.147.0.0/17");
  const ranges = chooseRanges({}, USUAL, others);
  expect(ranges).toEqual({ ZEROTIER_RANGE: "10.147.128.0/24", DOCKER_POOL: "10.80.0.0/16" });
  expect(makePool({ zerotier: ranges.ZEROTIER_RANGE, docker: ranges.DOCKER_POOL, nodePrefix: 24 }).ok).toBe(
    true,
  );
});

test("a range that was given is taken as it is, and the other one keeps clear of it", () => {
  expect(chooseRanges({ ZEROTIER_RANGE: "172.28.9.0/24" }, USUAL, [])).toEqual({
    ZEROTIER_RANGE: "172.28.9.0/24",
    DOCKER_POOL: "172.31.0.0/16",
  });
  const ranges = chooseRanges(
    { ZEROTIER_RANGE: "10.1.0.0/24", DOCKER_POOL: "10.147.0.0/16" },
    USUAL,
    beside("10.147.5.0/24"),
  );
  expect(clashes(ranges.DOCKER_POOL, beside("10.147.5.0/24"))).toHaveLength(1);
  expect(ranges.DOCKER_POOL).toBe("10.147.0.0/16");
});

test("where no range is free that is said, with the flag", () => {
  expect(() => chooseRanges({}, USUAL, beside("10.0.0.0/8"))).toThrow(
    /^No ZEROTIER_RANGE is free .*--zerotier-range$/,
  );
});
