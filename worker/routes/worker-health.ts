import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { configOf, isOperator } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import type { WorkerHealth } from "../schema/health.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";
import { callObject } from "./object-call.ts";

/** Asks the allocator, which looks at what it has stored and asks nobody outside. */
export async function workerHealth(c: Context<App>): Promise<WorkerHealth> {
  const read = configOf(c.env);
  if (!read.ok) return { status: "misconfigured", faults: [...read.error], warnings: [] };
  c.set("config", read.value);
  try {
    const { status, faults, warnings } = await callObject(c, async (object) => object.health());
    const show = (await isOperator(c)) ? (text: string) => text : withoutDetails;
    return { status, faults: faults.map(show), warnings: warnings.map(show) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: "unreachable", faults: [occurrenceOf(error.refusal).detail], warnings: [] };
  }
}

/** What everybody may read of a text: neither addresses and ranges (all are IPv4) nor how many servers there are. */
function withoutDetails(text: string): string {
  return text
    .replace(/\b\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?/g, "…")
    .replace(/\b\d+(?= (lease|slot)\(s\))/g, "some");
}
