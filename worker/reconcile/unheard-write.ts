// Writes to a member are noted before they leave, so that one that was not heard of is known for as long as it may still take
// effect, also after a crash.
import { mayHaveLanded } from "../controller/controller.ts";
import { SETTLE_MS } from "../outbox/outbox.ts";
import type { Stores } from "../store/stores.ts";

/** A write that was noted, and is about to leave. */
export interface Leaving {
  /** Within a transaction: its end is known. Those before it may still be on their way. */
  heard(): void;
}

/** Within a transaction: notes that a write leaves, which lets the node in or takes it out. */
export function leaving({ unheard }: Stores, node: string, kind: "in" | "out", at: number): Leaving {
  const isIn = kind === "in";
  const before = unheard.of(node)[kind];
  unheard.note(node, isIn, at);
  return {
    heard() {
      if (before === undefined) unheard.heard(node, isIn);
      else unheard.note(node, isIn, before);
    },
  };
}

/** Sends the write; one that was refused is as good as never sent. */
export async function send<T>(
  stores: Stores,
  write: Leaving | undefined,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!mayHaveLanded(error)) stores.transaction(() => write?.heard());
    throw error;
  }
}

/** When to look at the node again (ms since 1970), should one of the writes still land that were not heard of. */
export function againAt(
  { unheard }: Stores,
  node: string,
  kinds: readonly ("in" | "out")[],
  now: number,
): number | undefined {
  const written = unheard.of(node);
  const last = Math.max(...kinds.map((kind) => written[kind] ?? 0));
  return last + SETTLE_MS > now ? last + SETTLE_MS : undefined;
}
