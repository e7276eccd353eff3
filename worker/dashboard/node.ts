import type { Context } from "hono";
import type { z } from "zod";
import type { App } from "../http/context.ts";
import type { nodeSchema } from "../schema/lease.ts";

/** A node as the API shows it. */
export type Node = z.output<typeof nodeSchema>;

/** The node's id in the page's address. */
export function nodeOf(c: Context<App>): string {
  return c.req.param("node") ?? "";
}

/** The API's path of a node, whatever stands for its id. */
export function apiPathOf(id: string): string {
  return `/v1/nodes/${encodeURIComponent(id)}`;
}
