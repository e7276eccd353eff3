import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { additionAmong, additionQueries } from "../schema/added-by.ts";
import { type EventView, eventsSchema } from "../schema/events.ts";
import type { Api } from "./api.ts";
import type { Node } from "./node.ts";
import { may } from "./visitor.ts";

/** The event by which somebody let a server in; undefined: the log has forgotten it, or for nobody who may not read it. */
export async function askAddedBy(api: Api, c: Context<App>, node: Node): Promise<EventView | undefined> {
  if (!may(c, "read")) return undefined;
  for (const query of additionQueries(node)) {
    const { items } = await api.ask("GET", `/v1/events?${query}`, eventsSchema);
    const first = additionAmong(items, node);
    if (first !== undefined) return first;
  }
  return undefined;
}
