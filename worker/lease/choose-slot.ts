import { isLeasable, type Pool, slotLimit } from "./pool.ts";

/** A slot that was leased before; `freeAt` is the end of its quarantine. Times in ms since 1970. */
export interface ReleasedSlot {
  readonly slot: number;
  readonly releasedAt: number;
  readonly freeAt: number;
}

/** What is known about the slots of a pool. A slot named nowhere was never leased. */
export interface SlotUse {
  readonly leased: ReadonlySet<number>;
  readonly released: readonly ReleasedSlot[];
  readonly excluded: ReadonlySet<number>;
}

/**
 * The slot for the next lease, undefined when the pool is exhausted. Slots are reused as late as possible,
 * since peers may hold routes and connections to the last holder: the lowest that was never leased, then
 * the one released longest ago, never one in quarantine.
 */
export function chooseSlot(pool: Pool, use: SlotUse, now: number): number | undefined {
  const releasedSlots = new Set(use.released.map(({ slot }) => slot));
  const limit = slotLimit(pool);
  for (let slot = 1; slot <= limit; slot++) {
    if (!use.leased.has(slot) && !use.excluded.has(slot) && !releasedSlots.has(slot)) return slot;
  }
  const open = use.released.filter(
    ({ slot, freeAt }) =>
      freeAt <= now && isLeasable(pool, slot) && !use.leased.has(slot) && !use.excluded.has(slot),
  );
  return open.sort((a, b) => a.releasedAt - b.releasedAt || a.slot - b.slot)[0]?.slot;
}
