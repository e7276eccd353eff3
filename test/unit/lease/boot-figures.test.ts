import { describe, expect, it } from "vitest";
import { bootFigures } from "../../../worker/lease/boot-figures.ts";
import { type FirstBoot, newBoot, withLease, withNews } from "../../../worker/lease/first-boot.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_000 * HOUR;

const log = null;
/** A boot whose agent was there at that time, with a key of long before. */
const begun = (at: number): FirstBoot =>
  withNews(
    newBoot({ keyId: "k", machineId: "m" }, at - 5 * HOUR, at),
    { state: "running", stage: "fetched", log },
    at,
  );
/** One that was through so many ms after its agent was there, half of them for its lease. */
const through = (at: number, ms: number): FirstBoot =>
  withNews(
    withLease(begun(at), "n", true, at + ms / 2),
    { state: "done", stage: "containers", log },
    at + ms,
  );
const failed = (boot: FirstBoot, at: number) => withNews(boot, { state: "failed", step: "docker", log }, at);

const figures = (...boots: FirstBoot[]) => bootFigures(boots, NOW);

describe("how long first boots took", () => {
  it("is counted from the agent's start, and not from the making of the key", () => {
    const { reached } = figures(through(NOW - HOUR, 40_000));
    expect(reached).toContainEqual({ stage: "enrolled", quantile: 0.5, ms: 20_000 });
    expect(reached).toContainEqual({ stage: "containers", quantile: 0.9, ms: 40_000 });
    expect(new Set(reached.map(({ stage }) => stage))).toEqual(
      new Set(["packages", "enrolled", "mesh", "docker", "containers"]),
    );
  });

  it("is for a share of them at most so long", () => {
    const boots = [9, 1, 5, 3, 7, 2, 8, 4, 10, 6].map((seconds) => through(NOW - HOUR, seconds * 1000));
    const whole = figures(...boots).reached.filter(({ stage }) => stage === "containers");
    expect(whole.map(({ quantile, ms }) => [quantile, ms])).toEqual([
      [0.5, 5_000],
      [0.9, 9_000],
    ]);
  });

  it("leaves out those that are not through, and those that had to wait for somebody", () => {
    const pending = withLease(begun(NOW - HOUR), "n", false, NOW - 50 * MINUTE);
    const approved = withNews(
      withLease(pending, "n", true, NOW - MINUTE),
      { state: "done", stage: "containers", log },
      NOW,
    );
    expect(figures(begun(NOW - HOUR), failed(begun(NOW - HOUR), NOW), approved).reached).toEqual([]);
  });
});

describe("how first boots are", () => {
  it("is counted of those that told something within six hours", () => {
    const old = through(NOW - 7 * HOUR, MINUTE);
    const dead = failed(begun(NOW - 8 * HOUR), NOW - 7 * HOUR);
    const trying = failed(begun(NOW - 8 * HOUR), NOW - MINUTE);
    expect(figures(old, dead, trying, begun(NOW), through(NOW - HOUR, MINUTE))).toMatchObject({
      states: { running: 1, failed: 1, done: 1 },
      standstill: 8 * HOUR,
    });
  });

  it("is a standstill since the last stage, for as long as the one that waits longest", () => {
    const slow = failed(begun(NOW - 40 * MINUTE), NOW - 2 * MINUTE);
    expect(figures(begun(NOW - 10 * MINUTE), slow).standstill).toBe(40 * MINUTE);
    expect(figures(begun(NOW - 10 * MINUTE)).standstill).toBe(10 * MINUTE);
  });

  it("is none where all are through, or wait for an approval", () => {
    const pending = withLease(begun(NOW - HOUR), "n", false, NOW - 50 * MINUTE);
    expect(figures(pending, through(NOW - HOUR, MINUTE)).standstill).toBe(0);
    expect(figures().standstill).toBe(0);
  });
});
