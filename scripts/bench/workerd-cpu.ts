import { readdirSync, readFileSync } from "node:fs";

/** The kernel counts CPU time in hundredths of a second (USER_HZ, proc(5)) on every machine that Linux runs on. */
const TICK_MS = 10;

/** CPU time that the workerd processes of this program have used so far, milliseconds. Throws where there is no /proc. */
export function workerdCpuMs(): number {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(ticksOf)
    .reduce((sum, ticks) => sum + ticks * TICK_MS, 0);
}

/** Of a process that is no workerd of ours, or has ended meanwhile, none. */
function ticksOf(pid: string): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return 0;
  }
  // The name stands in brackets and may hold blanks; behind it come state, parent and, as 12th and 13th, the times.
  const [, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (!stat.includes("(workerd)") || Number(parent) !== process.pid) return 0;
  return Number(rest[9]) + Number(rest[10]);
}
