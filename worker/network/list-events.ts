// Reads the audit log, which is written with each change: see `worker/lease/deed.ts` for its words.
import { LIMITS } from "../config/limits.ts";
import type { EventView } from "../schema/events.ts";
import type { EventFilter } from "../store/event-store.ts";
import { eventView } from "../webhook/event-view.ts";
import type { NetworkContext } from "./network-context.ts";

/** A part of the log. */
export interface EventQuery extends EventFilter {
  readonly limit: number;
  /** The id of the event behind which it begins; undefined: the newest comes first. */
  readonly before: number | undefined;
}

/** The events that were found, and the id behind which to look on; undefined at the end of the log. */
export interface EventPage {
  readonly items: EventView[];
  readonly before: number | undefined;
}

/**
 * The newest first. With a filter it looks through so many events and no more, however long the log is: then a page may have fewer
 * than `limit`, or none, and not be the last.
 */
export function listEvents({ stores }: NetworkContext, { limit, before, ...filter }: EventQuery): EventPage {
  const ends = stores.events.ends();
  if (ends === undefined) return { items: [], before: undefined };
  const last = Math.min(ends.newest, (before ?? Number.POSITIVE_INFINITY) - 1);
  const isFiltered = Object.values(filter).some((wanted) => wanted !== undefined);
  const first = Math.max(ends.oldest, last + 1 - (isFiltered ? LIMITS.eventsLookedThrough : limit));
  const found = stores.events.between(first, last, filter, limit);
  // A full page ends at its last event: behind that there may be more of those that were looked through.
  const end = found.length === limit ? (found.at(-1)?.id ?? first) : first;
  return { items: found.map(eventView), before: end > ends.oldest ? end : undefined };
}
