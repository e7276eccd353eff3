import type { Topic } from "../base/topic.ts";

/** What a written row of each table is news of, for whoever has a page open; of some, nobody sees anything. */
export const NEWS_OF_TABLES: Readonly<Record<string, readonly Topic[]>> = {
  facts: ["pool", "controller"],
  keys: ["keys"],
  admissions: ["keys"],
  nodes: ["servers", "pool"],
  agents: [],
  released: ["pool"],
  outbox: ["controller"],
  user_data: [],
  refusals: ["refusals"],
  first_boots: ["first-boots"],
  hosts: [],
  unheard: [],
  slot_pages: [],
  name_numbers: [],
  held: ["controller"],
  reservations: ["reservations", "pool"],
  former_nodes: [],
  events: ["events"],
  admin_tokens: ["tokens"],
  root_tokens: ["tokens"],
  seal: [],
  webhooks: ["webhooks"],
  sessions: ["sessions"],
  controller_documents: [],
};

/** What changed, by the tables that a transaction wrote. */
export function newsOf(tables: ReadonlySet<string>): ReadonlySet<Topic> {
  return new Set([...tables].flatMap((table) => NEWS_OF_TABLES[table] ?? []));
}
