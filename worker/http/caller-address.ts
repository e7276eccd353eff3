import type { Context } from "hono";
import { formatAddress, formatPrefix, parseAddress, prefixOf } from "../address/prefix.ts";
import type { App } from "./context.ts";

/** The caller's address, as Cloudflare saw it; null on a Worker that nothing stands before. */
export function callerAddress(c: Context<App>): string | null {
  const address = parseAddress(c.req.header("CF-Connecting-IP") ?? "");
  return address === undefined ? null : formatAddress(address);
}

/** What the caller's address counts as: an IPv6 address by its /64, all of which one host has. */
export function callerNetwork(c: Context<App>): string {
  const text = callerAddress(c);
  const address = text === null ? undefined : parseAddress(text);
  if (address?.family !== 6) return text ?? "unknown";
  return formatPrefix(prefixOf(address, 64));
}
