import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import type { nodeSchema } from "../schema/lease.ts";
import { sayAgo } from "./time-ago.tsx";

/** What is said of a change that the controller is still to be told. */
export const UNCONFIRMED = "which the ZeroTier controller has not confirmed yet";

/** A node as the API shows it. */
export type Node = z.output<typeof nodeSchema>;

/** What is wrong with a server, the worst first, in a clause; undefined: nothing. `now`: ms since 1970. */
export function trouble(node: Node, now: number): string | undefined {
  if (node.state === "pending") return "waits for your approval";
  if (node.state === "revoked") return `taken out of the mesh${node.delivered ? "" : `, ${UNCONFIRMED}`}`;
  if (node.failed !== null)
    return `${node.failed.step === null ? "stopped" : `stopped at ${node.failed.step}`} ${sayAgo(Date.parse(node.failed.at), now)}`;
  if (node.state === "offline" || node.state === "stale")
    return `not heard for ${sayAgo(Date.parse(node.lastSeen), now).replace(/ ago$/, "")}`;
  if (node.worstFinding !== null)
    return `${node.worstFinding.level} at ${node.worstFinding.link}, its doctor said ${sayAgo(Date.parse(node.worstFinding.at), now)}`;
  if (!node.delivered) return "the ZeroTier controller has not taken its lease yet";
  return undefined;
}

/** The state to show: `failed` stands before that of the lease, as in the list's filter. */
export function shownAs(node: Node): Node["state"] | "failed" {
  return node.failed !== null && node.state !== "revoked" && node.state !== "pending" ? "failed" : node.state;
}

/** What the host says of itself, which is shown and never trusted. */
export function fact(node: Node, name: string): string {
  const value = node.facts?.[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The node's id in the page's address. */
export function nodeOf(c: Context<App>): string {
  return c.req.param("node") ?? "";
}

/** The API's path of a node, whatever stands for its id. */
export function apiPathOf(id: string): string {
  return `/v1/nodes/${encodeURIComponent(id)}`;
}
