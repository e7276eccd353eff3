import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { silencesSchema, silenceText } from "../schema/silence.ts";
import { type Api, Refused } from "./api.ts";
import { may } from "./visitor.ts";

/**
 * What probes say against servers, a clause for each by its node; nothing for whoever may not read it, nor where it is refused: the
 * page is shown without it.
 * @param node Against that one alone.
 */
export async function askSilences(
  api: Api,
  c: Context<App>,
  node?: string,
): Promise<ReadonlyMap<string, string>> {
  if (!may(c, "read")) return new Map();
  const query = node === undefined ? "" : `?node=${encodeURIComponent(node)}`;
  try {
    const { items } = await api.ask("GET", `/v1/reach/silences${query}`, silencesSchema);
    return new Map(items.map((silence) => [silence.node, silenceText(silence)]));
  } catch (error) {
    if (error instanceof Refused && error.status !== 401) return new Map();
    throw error;
  }
}
