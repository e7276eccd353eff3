/** Whatever happens in whatever order: what must never happen does not, and in the end all is as it should be. */
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { digestAtOnce } from "./host.ts";
import { schedules } from "./schedule.ts";
import { Simulation } from "./simulation.ts";

beforeAll(digestAtOnce);

/** Schedules of one test: the count of tests is that of schedules by so many. */
const BLOCK = 25;
/** Lines of what happened that a failure shows. */
const SHOWN = 120;

const today = Number(new Date().toISOString().slice(0, 10).replaceAll("-", ""));
const seed = Number(process.env["MESHBOOT_FAULTS_SEED"] ?? today);
const path = process.env["MESHBOOT_FAULTS_PATH"];
const runs = path === undefined ? Number(process.env["MESHBOOT_FAULTS_RUNS"] ?? 500) : 1;

/** ms for which a failure is shrunk. */
const SHRINKING_MS = 60_000;

const blocks = Array.from({ length: Math.ceil(runs / BLOCK) }, (_, block) => ({
  seed: seed + block,
  numRuns: Math.min(BLOCK, runs - block * BLOCK),
}));

const isKept = fc.asyncProperty(schedules, async (schedule) => {
  const { judge, clock } = await Simulation.run(schedule);
  if (judge.violations.length > 0)
    throw new Error([...judge.violations, "", ...clock.journal.slice(-SHOWN)].join("\n"));
});

it.each(blocks)("$numRuns random schedules of seed $seed", async (block) => {
  // However long they take: a machine under load is no fault. Only what failed is then made smaller for a while.
  const { failed, counterexamplePath } = await fc.check(isKept, {
    ...block,
    ...(path !== undefined && { path }),
    endOnFailure: true,
  });
  if (!failed) return;
  await fc.assert(isKept, {
    ...block,
    ...(counterexamplePath !== null && { path: counterexamplePath }),
    endOnFailure: path !== undefined,
    interruptAfterTimeLimit: SHRINKING_MS,
    markInterruptAsFailure: true,
  });
  throw new Error(`seed ${block.seed} failed, and not when it was played again`);
});

it("the same schedule always ends the same", async () => {
  const [schedule] = fc.sample(schedules, { seed, numRuns: 1 });
  if (schedule === undefined) throw new Error("there is no schedule");
  const journals = await Promise.all([0, 1].map(async () => (await Simulation.run(schedule)).clock.journal));
  expect(journals[0]?.length).toBeGreaterThan(5);
  expect(journals[1]).toEqual(journals[0]);
});
