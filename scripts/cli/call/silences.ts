import { reachSchema } from "../../../worker/schema/reach.ts";
import { silences } from "../../../worker/schema/silences.ts";
import { Refused, type Worker } from "./worker.ts";

/** What probes say against servers, a clause for each by its node; nothing where that is refused: what was asked for is shown without it. */
export async function askSilences(worker: Worker): Promise<ReadonlyMap<string, string>> {
  try {
    const { value } = await worker.ask("GET", "/v1/reach?silent=true", reachSchema);
    return silences(value.items);
  } catch (error) {
    if (error instanceof Refused) return new Map();
    throw error;
  }
}
