import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { type Faults, faultSchema } from "./faults.ts";
import { readJson, sendJson, sendText } from "./http.ts";
import { pageOf, type Snapshot } from "./snapshot.ts";

/** What the calls of this file act on. */
export interface Simulation {
  readonly faults: Faults;
  snapshot(): Snapshot;
  resetCounters(): void;
}

/**
 * The simulation's own calls: `GET /` (a page), `GET /sim/state`, `POST`, `GET` and `DELETE /sim/faults`,
 * `POST /sim/reset-counters`. False: no such call.
 */
export async function answerSimulation(
  simulation: Simulation,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  switch (`${request.method} ${path}`) {
    case "GET /":
      sendText(response, 200, "text/html", pageOf(simulation.snapshot()));
      return true;
    case "GET /sim/state":
      sendJson(response, 200, simulation.snapshot());
      return true;
    case "GET /sim/faults":
      sendJson(response, 200, simulation.faults.list());
      return true;
    case "POST /sim/faults": {
      const fault = faultSchema.safeParse(await readJson(request));
      if (fault.success) simulation.faults.order(fault.data);
      if (fault.success) sendJson(response, 201, fault.data);
      else sendJson(response, 400, { message: `Not a fault: ${z.prettifyError(fault.error)}` });
      return true;
    }
    case "DELETE /sim/faults":
      simulation.faults.clear();
      sendJson(response, 204);
      return true;
    case "POST /sim/reset-counters":
      simulation.resetCounters();
      sendJson(response, 204);
      return true;
    default:
      return false;
  }
}
