import type { Context } from "hono";
import { allows, type Scope } from "../base/scope.ts";
import type { App } from "../http/context.ts";
import { Refused } from "./api.ts";

/** Whether whoever is signed in may do what any of the scopes is enough for. */
export function may(c: Context<App>, ...anyOf: readonly Scope[]): boolean {
  return allows(c.get("visitor")?.scopes ?? [], anyOf);
}

/** For a page that asks the API for nothing yet that needs the scope. Throws {@link Refused}. */
export function demand(c: Context<App>, scope: Scope): void {
  if (!may(c, scope)) throw Refused.by({ problem: "forbidden", needs: [scope] });
}
