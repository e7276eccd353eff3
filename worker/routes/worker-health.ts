import type { Context } from "hono";
import type { Env } from "../env.ts";
import type { App } from "../http/context.ts";
import { configOf } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import type { HealthNote, WorkerHealth } from "../schema/health.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";
import { callObject } from "./object-call.ts";
import { mayRead } from "./operator-call.ts";

/** Asks the allocator, which looks at what it has stored and asks nobody outside. */
export async function workerHealth(c: Context<App>): Promise<WorkerHealth> {
  const read = configOf(c.env);
  if (!read.ok) return { status: "misconfigured", faults: [...read.error], warnings: [] };
  c.set("config", read.value);
  return (await mayRead(c)) ? ask(c, true) : lastLook(c);
}

/**
 * ms for which one look serves all who carry no admin token. Their calls would otherwise reach the object as often as the
 * limit of calls lets a single address: more than its 100,000 calls a day.
 */
const LOOK_MS = 10_000;

interface Look {
  /** When it was begun (ms since 1970). */
  readonly at: number;
  readonly health: WorkerHealth;
}

const looks = new WeakMap<Env, Look>();

async function lastLook(c: Context<App>): Promise<WorkerHealth> {
  const at = Date.now();
  const last = looks.get(c.env);
  if (last !== undefined && Math.abs(at - last.at) < LOOK_MS) return last.health;
  // Those who ask while this one looks get what was seen before. It is not waited for: a request may not wait for another one's.
  if (last !== undefined) looks.set(c.env, { ...last, at });
  const health = await ask(c, false);
  looks.set(c.env, { at, health });
  return health;
}

async function ask(c: Context<App>, forOperator: boolean): Promise<WorkerHealth> {
  const show = ({ open, full }: HealthNote): string => (forOperator ? full : open);
  try {
    const { faults, warnings, ...rest } = await callObject(c, async (object) => object.health(forOperator));
    return { ...rest, faults: faults.map(show), warnings: warnings.map(show) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: "unreachable", faults: [occurrenceOf(error.refusal).detail], warnings: [] };
  }
}
