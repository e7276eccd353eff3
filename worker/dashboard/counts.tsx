/** @jsxImportSource hono/jsx */
import { LIMITS } from "../config/limits.ts";
import { SHOWN_STATES } from "../lease/lease-times.ts";
import type { WorkerHealth } from "../schema/health.ts";
import { nodesSchema } from "../schema/lease.ts";
import { shownAs } from "../schema/server-words.ts";
import type { Api } from "./api.ts";

/** How many servers there are of each state. */
export type StateCounts = Partial<NonNullable<WorkerHealth["nodes"]>>;

/**
 * How many servers the list shows as what, each as one thing: the API counts one whose report is of a failure both so and by the
 * state of its lease. Of more that failed than fit a page the rest counts as both.
 */
export async function askCounts(api: Api, counted: StateCounts = {}): Promise<StateCounts> {
  if ((counted.failed ?? 0) === 0) return counted;
  const query = new URLSearchParams({ state: "failed", limit: String(LIMITS.pageMost) });
  const { items } = await api.ask("GET", `/v1/nodes?${query}`, nodesSchema);
  const counts = { ...counted };
  for (const node of items) {
    const other = shownAs(node) === "failed" ? node.state : "failed";
    counts[other] = Math.max(0, (counts[other] ?? 0) - 1);
  }
  return counts;
}

/** How many there are of each state that there is, each of which filters the list. */
export function Counts({ counts }: { counts: StateCounts }) {
  const shown = SHOWN_STATES.flatMap((state) => {
    const count = counts[state] ?? 0;
    return count === 0 ? [] : [{ state, count }];
  });
  if (shown.length === 0) return null;
  return (
    <ul class="key" aria-label="Servers by state">
      {shown.map(({ state, count }) => (
        <li>
          <a href={`/?${new URLSearchParams({ state })}`}>
            {count} {state}
          </a>
        </li>
      ))}
    </ul>
  );
}
