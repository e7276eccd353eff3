/** Servers tell of their first boots, while the object crashes anywhere and somebody listens in. */
import { beforeAll, expect, it } from "vitest";
import { LIMITS } from "../../worker/config/limits.ts";
import type { BootStep } from "./first-boots.ts";
import { digestAtOnce } from "./host.ts";
import type { Action, Step } from "./schedule.ts";
import { Simulation, serverId } from "./simulation.ts";

beforeAll(digestAtOnce);

const MINUTE = 60_000;

const step = (action: Action, pause = 300): Step => ({ ...action, pause });
const report = (boot: BootStep, isProven = false): Step =>
  step({ do: "reportBoot", server: 0, by: "open", step: boot, isProven, skew: 0 }, 2_000);

async function play(...steps: Step[]) {
  const simulation = await Simulation.begin();
  await simulation.play(...steps);
  const boots = simulation.host.storage.rows<{ node: string | null; state: string }>(
    "SELECT node, state FROM first_boots",
  );
  await simulation.rest();
  return { boots, violations: simulation.judge.violations };
}

it.each(Array.from({ length: 10 }, (_, events) => events))("a crash %d events after each", async (events) => {
  for (const loses of [true, false]) {
    const crash = step({ do: "crash", events, loses }, 0);
    const { boots, violations } = await play(
      ...[crash, report("fetched", true), crash, report("failed", true), crash, report("packages")],
      step({ do: "replayProof" }),
      ...[crash, step({ do: "enrol", server: 0 }, MINUTE), step({ do: "enrol", server: 0 }, MINUTE)],
      ...[crash, step({ do: "tell", server: 0, stage: "containers", findings: 1, silent: 1 })],
      ...[step({ do: "tell", server: 0, stage: "containers", findings: 1, silent: 1 })],
      step({ do: "replayProof" }),
    );
    expect(violations).toEqual([]);
    expect(boots).toEqual([{ node: serverId(0), state: "done" }]);
  }
});

it("of more machines than there is room for", async () => {
  const { boots, violations } = await play(
    report("fetched", true),
    step({ do: "reportMany", kind: "open", machines: LIMITS.firstBootsOfKey + 5 }),
    step({ do: "enrol", server: 0 }, MINUTE),
    step({ do: "tell", server: 0, stage: "mesh", findings: 0, silent: 1 }),
  );
  expect(violations).toEqual([]);
  expect(boots).toHaveLength(LIMITS.firstBootsOfKey);
});
