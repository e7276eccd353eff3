import type { Context } from "hono";
import type { Caller } from "../network/node-access.ts";
import type { App } from "./context.ts";

/** Who calls, as the guard `adminOrNode` found out. */
export function callerOf(c: Context<App>): Caller {
  return c.get("caller") === "admin" ? { admin: true } : { admin: false, tokenHash: c.get("secretHash") };
}
