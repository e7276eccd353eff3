import { expect, it } from "vitest";
import type { ReachOfServer, ReachPair } from "../../../worker/schema/reach.ts";
import { silences } from "../../../worker/schema/silences.ts";

const ANSWER = { answers: true, rttMs: 1, loss: 0, mtu: 1500 };
const NONE = { answers: false, rttMs: null, loss: 100, mtu: null };

/** What `from` found: whom it misses, and of how many. */
function found(from: string, probed: number, missed: readonly string[], pair: Partial<ReachPair> = {}) {
  const pairs = missed.map((name) => ({
    ...{ node: `id of ${name}`, name, ipv4: NONE, ipv6: NONE, path: null },
    ...pair,
  }));
  return { node: `id of ${from}`, name: from, at: null, fault: null, probed, pairs } satisfies ReachOfServer;
}

const said = (...reach: ReachOfServer[]) =>
  Object.fromEntries([...silences(reach)].map(([node, clause]) => [node.replace("id of ", ""), clause]));

it("a server that others miss is named with them, and they are not at fault", () => {
  expect(said(found("web1", 3, ["db1"]))).toEqual({ db1: "does not answer web1" });
  expect(said(...["a", "b"].map((name) => found(name, 3, ["db1"])))).toEqual({
    db1: "does not answer a and b",
  });
  expect(said(...["a", "b", "c", "d"].map((name) => found(name, 9, ["db1"], { ipv4: ANSWER })))).toEqual({
    db1: "does not answer a, b and 2 more",
  });
});

it("who misses everybody is the one that is cut off", () => {
  expect(said(found("web1", 2, ["db1", "app1"]))).toEqual({
    web1: "gets no answer at all from any of the 2 that it probed",
  });
  expect(said(found("web1", 2, ["db1", "app1"], { ipv4: ANSWER }))).toEqual({
    web1: "gets no answer over IPv6 from any of the 2 that it probed",
  });
  expect(said(found("web1", 2, ["db1", "app1"], { ipv6: null }))).toEqual({
    web1: "gets no answer at all from any of the 2 that it probed",
  });
});

it("in a mesh of three of which one is cut off, that one alone is at fault", () => {
  expect(
    said(found("web1", 2, ["db1"]), found("app1", 2, ["db1"]), found("db1", 2, ["web1", "app1"])),
  ).toEqual({ db1: "gets no answer at all from any of the 2 that it probed" });
});

it("of two nobody knows which it is", () => {
  expect(said(found("web1", 1, ["db1"]), found("db1", 1, ["web1"]))).toEqual({
    db1: "does not answer web1",
    web1: "does not answer db1",
  });
});

it("who misses one by IPv4 and the other by IPv6 is not cut off", () => {
  const both = found("web1", 2, ["db1", "app1"]);
  const [one, other] = both.pairs;
  if (one === undefined || other === undefined) throw new Error("two pairs were to be there");
  const pairs = [
    { ...one, ipv4: ANSWER },
    { ...other, ipv6: ANSWER },
  ];
  expect(said({ ...both, pairs })).toEqual({ db1: "does not answer web1", app1: "does not answer web1" });
});
