import type { Context } from "hono";
import type { Health } from "../network/health.ts";
import type { App } from "./context.ts";
import { configOf } from "./guards.ts";
import { callObject } from "./object-call.ts";
import { Problem } from "./problem.ts";

/** How the Worker is, for everybody: no address, name or number of a node is in it. */
export interface WorkerHealth {
  readonly status: Health["status"] | "misconfigured" | "unreachable";
  /** What keeps servers out. */
  readonly faults: readonly string[];
  /** What keeps no server out, but needs somebody to look at it. */
  readonly warnings: readonly string[];
}

/** Asks the allocator, which answers from what it has stored: nobody outside is asked. */
export async function workerHealth(c: Context<App>): Promise<WorkerHealth> {
  const read = configOf(c.env);
  if (!read.ok) return { status: "misconfigured", faults: read.faults, warnings: [] };
  c.set("config", read.config);
  try {
    return await callObject(c, async (stub) => stub.health());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: "unreachable", faults: [error.refusal.detail], warnings: [] };
  }
}
