import { silencesSchema, silenceText } from "../../../worker/schema/silence.ts";
import { Refused, type Worker } from "./worker.ts";

/**
 * What probes say against servers, a clause for each by its node; nothing where that is refused: what was asked for is shown without it.
 * @param node Against that one alone.
 */
export async function askSilences(worker: Worker, node?: string): Promise<ReadonlyMap<string, string>> {
  const query = node === undefined ? "" : `?${new URLSearchParams({ node })}`;
  try {
    const { value } = await worker.ask("GET", `/v1/reach/silences${query}`, silencesSchema);
    return new Map(value.items.map((silence) => [silence.node, silenceText(silence)]));
  } catch (error) {
    if (error instanceof Refused) return new Map();
    throw error;
  }
}
