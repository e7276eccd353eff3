// What monitoring is told of first boots: of the newest that are kept, since one of long ago says nothing of the next.
import { HOUR_MS } from "../base/time-units.ts";
import type { BootStage, BootState, FirstBoot } from "./first-boot.ts";

/** The stages that a server comes to by itself, after the agent is there. */
const TIMED = [
  "packages",
  "enrolled",
  "mesh",
  "docker",
  "containers",
] as const satisfies readonly BootStage[];

export const QUANTILES = [0.5, 0.9] as const;

/** ms within which something must have been told of a boot that is counted: one that fails does so at every attempt. */
const NEWS_MS = 6 * HOUR_MS;

export interface BootFigures {
  /** How many boots of which something was told within the last hours, by state. */
  readonly states: Readonly<Record<BootState, number>>;
  /** ms for which the one of these has come to no further stage that waits longest, and for nobody's approval; 0 while none waits. */
  readonly standstill: number;
  /** Of boots that are done: ms from the agent's start to the stage, for a share of them at most that long. */
  readonly reached: readonly {
    readonly stage: BootStage;
    readonly quantile: (typeof QUANTILES)[number];
    readonly ms: number;
  }[];
}

/** `now`: ms since 1970. */
export function bootFigures(boots: readonly FirstBoot[], now: number): BootFigures {
  const recent = boots.filter(({ at }) => now - at < NEWS_MS);
  const under = recent.filter(({ state, stages }) => state !== "done" && !isWaiting(stages));
  return {
    states: countByState(recent),
    standstill: Math.max(0, ...under.map(({ stages }) => now - Math.max(...Object.values(stages)))),
    reached: TIMED.flatMap((stage) => {
      const times = boots.flatMap((boot) => timeUntil(stage, boot) ?? []).toSorted((a, b) => a - b);
      return QUANTILES.flatMap((quantile) => {
        const ms = times[Math.ceil(quantile * times.length) - 1];
        return ms === undefined ? [] : [{ stage, quantile, ms }];
      });
    }),
  };
}

function countByState(boots: readonly FirstBoot[]): Record<BootState, number> {
  const counts: Record<BootState, number> = { running: 0, failed: 0, done: 0 };
  for (const { state } of boots) counts[state]++;
  return counts;
}

/** Whether it is the operator who has to do something. */
function isWaiting({ enrolled, approved }: FirstBoot["stages"]): boolean {
  return enrolled !== undefined && approved === undefined;
}

/** Undefined of one that is not through, or had to wait for somebody. */
function timeUntil(stage: BootStage, { state, stages }: FirstBoot): number | undefined {
  const { fetched, enrolled, approved, [stage]: at } = stages;
  if (state !== "done" || enrolled !== approved || fetched === undefined || at === undefined)
    return undefined;
  return at - fetched;
}
