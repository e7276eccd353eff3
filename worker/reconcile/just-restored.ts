import type { Refusal } from "../base/refusal.ts";
import type { Stores } from "../store/stores.ts";
import { LATEST_MS } from "../store/unheard-store.ts";

/**
 * Why no slot is leased anew for a while after leases were put back: of the calls that were made before the storage was lost nobody knows, and
 * one may still let a server in. Undefined when none can any more. `now`: ms since 1970.
 */
export function justRestored({ memory }: Stores, now: number): Refusal | undefined {
  const restoredAt = memory.restoredAt();
  if (restoredAt === undefined || now > restoredAt + LATEST_MS) return undefined;
  return { problem: "just-restored", retryAfter: Math.ceil((restoredAt + LATEST_MS + 1 - now) / 1000) };
}
