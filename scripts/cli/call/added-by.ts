import { additionAmong, additionQueries } from "../../../worker/schema/added-by.ts";
import { type EventView, eventsSchema } from "../../../worker/schema/events.ts";
import type { Server } from "./server.ts";
import { Refused, type Worker } from "./worker.ts";

/** The event by which somebody let a server in; undefined: the log has forgotten it, or the token is not for the log. */
export async function addedBy(worker: Worker, server: Server): Promise<EventView | undefined> {
  try {
    for (const query of additionQueries(server)) {
      const { value } = await worker.ask("GET", `/v1/events?${query}`, eventsSchema);
      const first = additionAmong(value.items, server);
      if (first !== undefined) return first;
    }
  } catch (error) {
    if (!(error instanceof Refused && error.status === 403)) throw error;
  }
  return undefined;
}
