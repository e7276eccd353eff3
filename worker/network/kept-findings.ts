// What a node's doctor found is kept as JSON, `{"at": …, "items": …}`: when the node told it, and its list as it came.
import { z } from "zod";
import type { NodeView } from "../schema/lease.ts";

const keptSchema = z.object({
  at: z.string(),
  items: z.array(z.object({ link: z.string(), level: z.string() })),
});

/** What to keep of findings (a JSON list) that were told at `at` (ms since 1970). */
export function keepFindings(items: string, at: number): string {
  return `{"at":"${new Date(at).toISOString()}","items":${items}}`;
}

/** Whether the same was found, whenever it was told. Compared as text: a heartbeat has no time to read it. */
export function foundTheSame(kept: string | null, other: string | null): boolean {
  return kept === null || other === null ? kept === other : itemsIn(kept) === itemsIn(other);
}

/** Everything behind the time, which holds no comma. */
function itemsIn(kept: string): string {
  return kept.slice(kept.indexOf(","));
}

/** The worst of what is kept: the first fault, else the first warning; null where there is neither. */
export function worstFinding(kept: string | null): NodeView["worstFinding"] {
  if (kept === null) return null;
  const { at, items } = keptSchema.parse(JSON.parse(kept));
  for (const level of ["fault", "warning"] as const) {
    const found = items.find((item) => item.level === level);
    if (found !== undefined) return { link: found.link, level, at };
  }
  return null;
}
