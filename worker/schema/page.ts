import { LIMITS } from "../config/limits.ts";
import { z } from "./openapi.ts";

/** Which part of a list is asked for: `cursor` is the `next` of the page before. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMITS.pageMost).default(LIMITS.page),
  cursor: z
    .string()
    .regex(/^[0-9a-f]{1,512}$/, "give the `next` of the page before")
    .optional(),
});

/** A page out of one item more than was asked for: that one tells whether there is a next page. */
export function pageOf<T>(
  items: readonly T[],
  limit: number,
  id: (item: T) => string,
): { items: T[]; next: string | null } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: items.length > limit && last !== undefined ? id(last) : null };
}
