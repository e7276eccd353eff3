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

/** ms that a test may take: a failure is shrunk for so long. */
const LONGEST_MS = 90_000;

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
  await fc.assert(isKept, {
    ...block,
    ...(path !== undefined && { path, endOnFailure: true }),
    interruptAfterTimeLimit: LONGEST_MS,
    markInterruptAsFailure: true,
  });
});

it("the same schedule always ends the same", async () => {
  const [schedule] = fc.sample(schedules, { seed, numRuns: 1 });
  if (schedule === undefined) throw new Error("there is no schedule");
  const journals = await Promise.all([0, 1].map(async () => (await Simulation.run(schedule)).clock.journal));
  expect(journals[0]?.length).toBeGreaterThan(5);
  expect(journals[1]).toEqual(journals[0]);
});
