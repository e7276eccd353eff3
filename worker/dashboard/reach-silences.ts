import type { Context } from "hono";
import type { App } from "../http/context.ts";
import { reachSchema } from "../schema/reach.ts";
import { silences } from "../schema/silences.ts";
import type { Api } from "./api.ts";
import { may } from "./visitor.ts";

/** What probes say against servers, a clause for each by its node, as far as the first who miss an answer say it; nothing for whoever may not read it. */
export async function askSilences(api: Api, c: Context<App>): Promise<ReadonlyMap<string, string>> {
  if (!may(c, "read")) return new Map();
  const { items } = await api.ask("GET", "/v1/reach?silent=true", reachSchema);
  return silences(items);
}
