import type { Context } from "hono";
import type { App } from "./context.ts";
import { configOf } from "./guards.ts";
import { callObject } from "./object-call.ts";
import { Problem } from "./problem.ts";

/** How the Worker is, for everybody: no address, name or number of a node is in it. */
export interface WorkerHealth {
  readonly status: "ok" | "misconfigured" | "unreachable" | "unfit" | "waiting";
  readonly faults: readonly string[];
}

/** Asks the allocator, which answers from what it has stored: nobody outside is asked. */
export async function workerHealth(c: Context<App>): Promise<WorkerHealth> {
  const read = configOf(c.env);
  if (!read.ok) return { status: "misconfigured", faults: read.faults };
  c.set("config", read.config);
  try {
    const { network, faults, waiting } = await callObject(c, async (stub) => stub.health());
    if (network === "unfit") return { status: "unfit", faults };
    return { status: waiting ? "waiting" : "ok", faults: waiting ? [WAITING, ...faults] : faults };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: "unreachable", faults: [error.refusal.detail] };
  }
}

const WAITING =
  "the ZeroTier controller has not taken every change: it does not answer, refuses the token, or limits the rate; the Worker's log says which. It is tried again by itself";
