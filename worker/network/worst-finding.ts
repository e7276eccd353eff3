import { z } from "zod";
import type { NodeView } from "../schema/lease.ts";

const stored = z.object({
  at: z.string(),
  items: z.array(z.object({ link: z.string(), level: z.string() })),
});

/** The worst of a doctor's findings (JSON): its first fault, else its first warning; null where there is neither. */
export function worstFinding(findings: string | null): NodeView["worstFinding"] {
  if (findings === null) return null;
  const { at, items } = stored.parse(JSON.parse(findings));
  for (const level of ["fault", "warning"] as const) {
    const found = items.find((item) => item.level === level);
    if (found !== undefined) return { link: found.link, level, at };
  }
  return null;
}
