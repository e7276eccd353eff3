import { type EventView, eventsSchema } from "../../../worker/schema/events.ts";
import type { Server } from "./server.ts";
import { Refused, type Worker } from "./worker.ts";

/**
 * The event by which somebody let a server in: that of the making of its key, or of its lease without one. Undefined when the log
 * has forgotten it, or the token is not for the log.
 */
export async function addedBy(worker: Worker, { node, key }: Server): Promise<EventView | undefined> {
  const places =
    key === null
      ? [`node=${node}&action=assigned`, `node=${node}&action=adopted`]
      : [`key=${key}&action=user-data-made`, `key=${key}&action=key-made`];
  try {
    for (const place of places) {
      const { value } = await worker.ask("GET", `/v1/events?${place}&limit=200`, eventsSchema);
      const first = value.items.at(-1);
      if (first !== undefined) return first;
    }
  } catch (error) {
    if (!(error instanceof Refused && error.status === 403)) throw error;
  }
  return undefined;
}
