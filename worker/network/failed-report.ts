import { z } from "zod";

const failed = z.object({ state: z.literal("failed"), step: z.string().optional() });

/** The failure that an agent's report (JSON) is of, with the step at which it stopped if it says; undefined for any other, and for none. */
export function failureIn(report: string | null): { readonly step: string | null } | undefined {
  if (report === null) return undefined;
  const { success, data } = failed.safeParse(JSON.parse(report));
  return success ? { step: data.step ?? null } : undefined;
}
