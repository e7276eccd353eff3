import { LIMITS } from "../config/limits.ts";
import { defaultLeaseTimes } from "../lease/lease-times.ts";
import type { NodeStore } from "../store/node-store.ts";

/** How many nodes that are in the mesh are shown as not seen, by for how long. */
export interface Unseen {
  readonly offline: number;
  readonly stale: number;
}

/**
 * Counts them: exactly while there are few, which is always but for an outage. In one, when each look would read a row for each server of
 * the fleet, what was counted is used for some minutes.
 */
export class UnseenCounts {
  #last: (Unseen & { readonly at: number }) | undefined;

  /** `now`: ms since 1970. */
  count(nodes: NodeStore, now: number): Unseen {
    const few = countedTo(nodes, now, LIMITS.unseenCounted);
    if (few.counted < LIMITS.unseenCounted) return few.unseen;
    if (this.#last === undefined || now - this.#last.at >= LIMITS.unseenCountMs)
      this.#last = { ...countedTo(nodes, now, Number.MAX_SAFE_INTEGER).unseen, at: now };
    const { offline, stale } = this.#last;
    return { offline, stale };
  }
}

/** `counted`: those that were looked at, at most `most` of each kind. */
function countedTo(nodes: NodeStore, now: number, most: number): { unseen: Unseen; counted: number } {
  const { offlineAfter, staleAfter } = defaultLeaseTimes;
  const all = nodes.countUnseen(now - offlineAfter, most);
  const stale = nodes.countUnseen(now - staleAfter, most);
  // Set up by hand, one has no agent that could be heard: it is never offline.
  const silent = nodes.countKeptUnseen({ after: now - staleAfter, until: now - offlineAfter }, most);
  return { unseen: { offline: all - stale - silent, stale }, counted: all };
}
