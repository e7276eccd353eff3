// The first boot of a server: what it comes to, in order, and how what it tells of itself is taken in.

/**
 * What a first boot comes to, in this order. `made`: its key was; `fetched`: the agent runs there; `packages`: what has to be
 * installed before the Worker is asked for a lease is; `enrolled`: it has a lease; `approved`: it may use it; `mesh`: its ZeroTier
 * address is there; `docker`: dockerd runs with its addresses; `containers`: the gateway of its containers answers.
 */
export const BOOT_STAGES = [
  "made",
  "fetched",
  "packages",
  "enrolled",
  "approved",
  "mesh",
  "docker",
  "containers",
] as const;

export type BootStage = (typeof BOOT_STAGES)[number];

/** What people read of each. */
export const STAGE_NAMES: Readonly<Record<BootStage, string>> = {
  made: "User-data made",
  fetched: "Agent there",
  packages: "Packages installed",
  enrolled: "Enrolled",
  approved: "Approved",
  mesh: "In the mesh",
  docker: "Docker",
  containers: "Containers answer",
};

/** Those that a server tells of with its enrolment key, and then with its node token. The others are known here. */
export const STAGES_BY_KEY = ["fetched", "packages"] as const satisfies readonly BootStage[];
export const STAGES_BY_TOKEN = ["mesh", "docker", "containers"] as const satisfies readonly BootStage[];

export const BOOT_STATES = ["running", "failed", "done"] as const;

export type BootState = (typeof BOOT_STATES)[number];

/** What is known of a first boot. Times in ms since 1970, by this Worker's clock. */
export interface FirstBoot {
  readonly keyId: string;
  /** SHA-256 of the machine's id, as at enrolment. */
  readonly machineId: string;
  /** The node that it enrolled as. */
  readonly node: string | null;
  /** What the server calls itself. */
  readonly name: string | null;
  /** Where it called from. */
  readonly address: string | null;
  readonly state: BootState;
  /** The step of the agent at which it stands still; null while it does not. */
  readonly step: string | null;
  /** The last lines of the agent's log. */
  readonly log: string | null;
  /** Seconds by which its clock was ahead of this one; null: never told. */
  readonly clockAhead: number | null;
  /** When each stage was first reached. */
  readonly stages: Readonly<Partial<Record<BootStage, number>>>;
  /** When it last told anything. */
  readonly at: number;
  /** Its own clock in the last report that came without its key, in half seconds since 1970: one of a failure counts half a second more. */
  readonly provenAt: number | null;
}

/** What a first boot has come to. */
export type BootNews =
  | { readonly state: "running" | "done"; readonly stage: BootStage; readonly log: string | null }
  | { readonly state: "failed"; readonly step: string | null; readonly log: string | null };

/** A first boot of which nothing was told yet. */
export function newBoot(
  of: Pick<FirstBoot, "keyId" | "machineId">,
  keyMadeAt: number,
  now: number,
): FirstBoot {
  return {
    ...of,
    ...{ node: null, name: null, address: null, step: null, log: null, clockAhead: null, provenAt: null },
    state: "running",
    stages: { made: keyMadeAt },
    at: now,
  };
}

/**
 * The boot after the news. A stage keeps the time at which it was first reached, and what lies before it was reached by then; one
 * that was reached before is no news, as reports may come out of order. One that was done stays so, unless the agent begins anew:
 * the server has left the mesh and comes again.
 */
export function withNews(boot: FirstBoot, news: BootNews, now: number): FirstBoot {
  if (boot.state === "done") {
    if (news.state !== "running" || news.stage !== "fetched") return boot;
    return withNews({ ...boot, node: null, state: "running", stages: madeOnly(boot) }, news, now);
  }
  const log = news.log ?? boot.log;
  if (news.state === "failed") {
    // Whoever tells anything is there.
    const stages = reached(boot.stages, "fetched", now);
    return { ...boot, stages, state: "failed", step: news.step, log, at: now };
  }
  if (news.state === "running" && boot.stages[news.stage] !== undefined) return boot;
  const stages = reached(boot.stages, news.stage, now);
  return { ...boot, stages, state: news.state, step: null, log, at: now };
}

function reached(stages: FirstBoot["stages"], stage: BootStage, now: number): FirstBoot["stages"] {
  const before = BOOT_STAGES.slice(0, BOOT_STAGES.indexOf(stage) + 1);
  return { ...Object.fromEntries(before.map((one) => [one, now])), ...stages };
}

function madeOnly({ stages: { made } }: FirstBoot): FirstBoot["stages"] {
  return made === undefined ? {} : { made };
}

/** The boot once its server has a lease; `isIn`: nobody has to approve it. The same one when that is nothing new. */
export function withLease(boot: FirstBoot, node: string, isIn: boolean, now: number): FirstBoot {
  const stage = isIn ? "approved" : "enrolled";
  if (boot.node === node && boot.stages[stage] !== undefined) return boot;
  return { ...boot, node, stages: reached(boot.stages, stage, now), state: "running", step: null, at: now };
}

/** Whether the two say the same but for when they were told. */
export function saysTheSame(a: FirstBoot, b: FirstBoot): boolean {
  return (
    a.node === b.node &&
    a.name === b.name &&
    a.address === b.address &&
    a.state === b.state &&
    a.step === b.step &&
    a.log === b.log &&
    BOOT_STAGES.every((stage) => a.stages[stage] === b.stages[stage])
  );
}
