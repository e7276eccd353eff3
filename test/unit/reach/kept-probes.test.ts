import { describe, expect, it } from "vitest";
import { parseNodeId } from "../../../worker/lease/ids.ts";
import { isShownOtherwise } from "../../../worker/reach/kept-probes.ts";
import type { Found } from "../../../worker/schema/reach.ts";

const ANSWERS = { answers: true, rttMs: 0.8, loss: 0, mtu: 1500 };
const SLOWLY = { answers: true, rttMs: 90.1, loss: 20, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };

function pair(server: string, change: Partial<Found> = {}): Found {
  const to = parseNodeId(server);
  if (to === undefined) throw new Error(`${server} is no node id`);
  return { ...{ to, ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" }, ...change };
}

const well = { fault: null, at: 1000, pairs: [pair("5e20000002"), pair("5e20000003")] };
const silent = (to: string, change: Partial<Found> = {}) => ({
  ...well,
  pairs: well.pairs.map((found) => (found.to === to ? pair(to, { ipv6: SILENT, ...change }) : found)),
});

describe("probes that were made again", () => {
  it.each([
    ["at another time", well, { ...well, at: 3_601_000 }],
    [
      "with other round trips",
      well,
      { ...well, pairs: well.pairs.map(({ to }) => pair(to, { ipv4: SLOWLY })) },
    ],
    [
      "with another round trip beside the same silence",
      silent("5e20000003"),
      silent("5e20000003", { ipv4: SLOWLY }),
    ],
  ] as const)("are shown alike %s", (_, before, later) => {
    expect(isShownOtherwise(before, later)).toBe(false);
  });

  it.each([
    ["when they are the first", { ...well, at: null, pairs: [] }, { ...well, pairs: [] }],
    ["when they cannot be made any more", well, { ...well, fault: "no-ping" }],
    ["when another server was probed as well", { ...well, pairs: well.pairs.slice(1) }, well],
    ["when a server has fallen silent", well, silent("5e20000003")],
    ["when a silent server answers again", silent("5e20000003"), well],
    ["when another server is silent", silent("5e20000002"), silent("5e20000003")],
    [
      "when a server is silent by the other family",
      silent("5e20000003"),
      silent("5e20000003", { ipv4: SILENT, ipv6: ANSWERS }),
    ],
  ] as const)("are shown otherwise %s", (_, before, later) => {
    expect(isShownOtherwise(before, later)).toBe(true);
  });
});
