import { existsSync } from "node:fs";
import { median } from "./load.ts";
import { workerdCpuMs } from "./workerd-cpu.ts";

const ROUNDS = 5;

/** How two ways are compared: `warmUp` calls of each until the JavaScript engine has compiled all that it will, and `calls` in a round. */
export interface Comparison {
  readonly warmUp: number;
  readonly calls: number;
}

type Call = () => Promise<Response>;

/** CPU time of workerd for the one ÷ for the other, in turn, the median of the rounds; null where the machine does not tell CPU times. */
export async function compareCpu(
  measured: Call,
  against: Call,
  { warmUp, calls }: Comparison,
): Promise<number | null> {
  if (!existsSync("/proc/self/stat")) {
    console.error("bench: SKIPPED: CPU times want Linux, whose /proc tells them");
    return null;
  }
  await cpuOf(measured, warmUp);
  await cpuOf(against, warmUp);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1)
    ratios.push((await cpuOf(measured, calls)) / (await cpuOf(against, calls)));
  return median(ratios);
}

async function cpuOf(call: Call, times: number): Promise<number> {
  const before = workerdCpuMs();
  for (let time = 0; time < times; time += 1) {
    const answer = await call();
    const body = await answer.text();
    // How long a refusal takes says nothing.
    if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${body}`);
  }
  return workerdCpuMs() - before;
}
