import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { type EventView, eventsSchema } from "../schema/events.ts";
import type { Api } from "./api.ts";
import type { Node } from "./node.ts";
import { may } from "./visitor.ts";

/**
 * The event by which somebody let a server in: that of the making of its key, or of its lease without one. Undefined when the log
 * has forgotten it, or for nobody who may not read it.
 */
export async function askAddedBy(
  api: Api,
  c: Context<App>,
  { node, key }: Node,
): Promise<EventView | undefined> {
  if (!may(c, "read")) return undefined;
  const places =
    key === null
      ? [
          { node, action: "assigned" },
          { node, action: "adopted" },
        ]
      : [
          { key, action: "user-data-made" },
          { key, action: "key-made" },
        ];
  for (const place of places) {
    const query = new URLSearchParams({ ...place, limit: "200" });
    const { items } = await api.ask("GET", `/v1/events?${query}`, eventsSchema);
    const first = items.at(-1);
    if (first !== undefined) return first;
  }
  return undefined;
}
