import { describe, expect, it } from "vitest";
import { multipart } from "../../../cloud-init/forms/multipart.ts";
import { request } from "./fixture.ts";

const SIZE = 240_000;
const RENDERS = 20;
/** µs: the kernel counts a thread's time in ticks. */
const TICK = 10_000;
const fill = (line: string): string => line.repeat(Math.ceil(SIZE / line.length)).slice(0, SIZE);

/** CPU time (µs of this thread) that the form takes with the operator's text, some times. */
function cpuOf(text: string): number {
  const before = process.threadCpuUsage();
  for (let time = 0; time < RENDERS; time++) multipart(request, { text });
  const { user, system } = process.threadCpuUsage(before);
  return Math.max(TICK, user + system);
}

// The free plan allows a request 10 ms of CPU.
describe("the form multipart takes as much time for one text as for another of its length", () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `# ==meshboot-${n}==\n`);
  it.each([
    ["lines of 890", fill(`- ${"x".repeat(887)}\n`)],
    ["lines of 998", fill(`- ${"x".repeat(995)}\n`)],
    ["names of boundaries", `# ==meshboot==\n${names.join("")}`],
  ])("%s", (_, text) => {
    expect(cpuOf(text) / cpuOf(fill("- short\n"))).toBeLessThan(10);
  });
});
