import type { Context } from "hono";
import type { App } from "../http/context.ts";

/** Path and query of the page that is asked for. */
export function pathHere(c: Context<App>): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

/**
 * Where a browser may be sent that names the place itself: a path of this Worker's, or else `/`. Browsers take `//` and `/\` for the
 * beginning of another host, and overlook tabs and newlines in between.
 */
export function ownPath(wanted: string): string {
  return /^\/(?!\/)[!-[\]-~]{0,2000}$/.test(wanted) ? wanted : "/";
}
