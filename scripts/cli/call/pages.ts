import { z } from "zod";
import type { Answer, Worker } from "./worker.ts";

/** As many of a list as one call may ask for. */
const PAGE = 200;

/** All of a list: its things as they are understood here, and the document of the API's shape that has them all. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly document: { readonly items: readonly unknown[]; readonly next: unknown };
}

const rawPage = z.object({ items: z.array(z.unknown()) });

/**
 * A list page by page, up to so many. `query`: what else is asked for; `atPage` is told how many there are so far. What is
 * left when `most` are there has its cursor in the document's `next`.
 */
export async function allPages<T>(
  worker: Worker,
  path: string,
  schema: z.ZodType<{ items: T[]; next: string | null }>,
  query: Readonly<Record<string, string | undefined>>,
  { most = Number.POSITIVE_INFINITY, atPage }: { most?: number; atPage?: (count: number) => void } = {},
): Promise<Listed<T>> {
  const items: T[] = [];
  const raw: unknown[] = [];
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams({ limit: String(Math.min(PAGE, most - items.length)) });
    for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, value);
    if (cursor !== null) asked.set("cursor", cursor);
    const { value, document }: Answer<{ items: T[]; next: string | null }> = await worker.ask(
      "GET",
      `${path}?${asked}`,
      schema,
    );
    items.push(...value.items);
    raw.push(...rawPage.parse(document).items);
    cursor = value.next;
    atPage?.(items.length);
  } while (cursor !== null && items.length < most);
  return { items, document: { items: raw, next: cursor } };
}
