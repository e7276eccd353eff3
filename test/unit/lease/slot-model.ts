import { mayTake, type ReleasedSlot, type SlotBook } from "../../../worker/lease/choose-slot.ts";
import { isLeasable, type Pool, slotLimit } from "../../../worker/lease/pool.ts";

/** All that there is to know about the slots of a pool. */
export interface SlotUse {
  readonly leased: ReadonlySet<number>;
  readonly released: readonly ReleasedSlot[];
  readonly excluded: ReadonlySet<number>;
  readonly own?: number | undefined;
}

/** A book that finds its answers by looking through everything. */
export function bookOf({ leased, released, excluded, own }: SlotUse): SlotBook {
  const byTime = released.toSorted((a, b) => a.releasedAt - b.releasedAt || a.slot - b.slot);
  return {
    isKept: (slot) => leased.has(slot),
    isExcluded: (slot) => excluded.has(slot),
    released: (slot) => released.find((entry) => entry.slot === slot),
    formerOf: (node) => byTime.filter((entry) => entry.node === node).reverse(),
    *neverLeased() {
      for (let slot = 1; ; slot++)
        if (!leased.has(slot) && !released.some((entry) => entry.slot === slot)) yield slot;
    },
    freeAgain: (now) => byTime.filter(({ freeAt }) => freeAt !== undefined && freeAt <= now),
    own,
  };
}

/** The rule as it is told, over everything at once: what `chooseSlot` has to come to, however it finds it. */
export function slotByTheRule(pool: Pool, use: SlotUse, node: string, now: number): number | undefined {
  const isOpen = (slot: number): boolean =>
    isLeasable(pool, slot) && !use.leased.has(slot) && (slot === use.own || !use.excluded.has(slot));
  const released = use.released
    .filter((entry) => isOpen(entry.slot) && mayTake(entry, node, now))
    .sort((a, b) => a.releasedAt - b.releasedAt || a.slot - b.slot);
  const former = released.findLast((entry) => entry.node === node);
  if (former !== undefined) return former.slot;
  const releasedSlots = new Set(use.released.map(({ slot }) => slot));
  const { own } = use;
  const inQuarantine = use.released.some((entry) => entry.slot === own && !mayTake(entry, node, now));
  if (own !== undefined && isOpen(own) && !inQuarantine) return own;
  const limit = slotLimit(pool);
  for (let slot = 1; slot <= limit; slot++) if (isOpen(slot) && !releasedSlots.has(slot)) return slot;
  return released[0]?.slot;
}
