import { STAGE_NAMES } from "../../../worker/lease/first-boot.ts";
import type { FirstBootView } from "../../../worker/schema/first-boot.ts";
import { nameOf, newestFirstBoots, standsStill } from "../call/first-boots.ts";
import type { Worker } from "../call/worker.ts";
import { ago } from "../terminal/duration.ts";
import type { Finding } from "./finding.ts";

/** One that was last heard of before that has been given up by now, or is looked after. */
const LATELY_MS = 6 * 3_600_000;
/** No stage takes so long. */
const SILENT_MS = 30 * 60_000;
/** So many are named. */
const NAMED = 20;

/** First boots that do not get on before their server has a lease; behind that, it is in the list of servers. */
export async function* examineFirstBoots(worker: Worker, now: number): AsyncGenerator<Finding> {
  const seen = new Set<string>();
  const stuck = (await newestFirstBoots(worker)).filter(({ machineId, node, state, lastAt }) => {
    const isNewest = !seen.has(machineId);
    seen.add(machineId);
    const silence = now - Date.parse(lastAt);
    const isMeant = isNewest && node === null && silence <= LATELY_MS;
    return isMeant && (state === "failed" || (state === "running" && silence > SILENT_MS));
  });
  const { url } = worker.deployment;
  for (const boot of stuck.slice(0, NAMED))
    yield {
      level: boot.state === "failed" ? "FAIL" : "warn",
      thing: nameOf(boot),
      saw: `its first boot ${boot.state === "failed" ? standsStill(boot) : silent(boot)}, heard ${ago(boot.lastAt, now)}`,
      remedy: `Its stages and the end of its log: ${url}/keys/${boot.key}, or meshboot wait ${boot.name ?? "NAME"} --key ${boot.key}.`,
    };
  if (stuck.length > NAMED)
    yield {
      level: "warn",
      thing: "first boots",
      saw: `${stuck.length - NAMED} more do not get on`,
      remedy: `The keys' pages have them: ${url}/keys.`,
    };
}

function silent({ stages }: FirstBootView): string {
  const last = stages.findLast(({ at }) => at !== null);
  return `tells nothing more${last === undefined ? "" : ` since: ${STAGE_NAMES[last.stage]}`}`;
}
