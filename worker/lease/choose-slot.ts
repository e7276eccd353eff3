import { isLeasable, type Pool, slotLimit } from "./pool.ts";

/** A slot that was leased before, and to whom last. Times in ms since 1970. */
export interface ReleasedSlot {
  readonly slot: number;
  readonly node: string;
  readonly releasedAt: number;
  /** The end of its quarantine; undefined when that has not begun: the controller may still let the last holder in with the slot's address. */
  readonly freeAt: number | undefined;
}

/** What is known about the slots of a pool. A slot named nowhere was never leased. */
export interface SlotUse {
  readonly leased: ReadonlySet<number>;
  readonly released: readonly ReleasedSlot[];
  readonly excluded: ReadonlySet<number>;
}

/** Whether a released slot's quarantine is over. */
export function isFree({ freeAt }: ReleasedSlot, now: number): boolean {
  return freeAt !== undefined && freeAt <= now;
}

/** Whether a released slot may be leased to the node. Its quarantine is for the sake of the last holder, and does not bind it. */
export function mayTake(released: ReleasedSlot, node: string, now: number): boolean {
  return released.node === node || isFree(released, now);
}

/**
 * The slot for the node's new lease, undefined when the pool is exhausted. A node gets back the slot that it had last.
 * Otherwise slots are reused as late as possible, since peers may hold routes and connections to the last holder: the
 * lowest that was never leased, then the one released longest ago, never one in quarantine.
 */
export function chooseSlot(pool: Pool, use: SlotUse, node: string, now: number): number | undefined {
  const isOpen = (slot: number): boolean =>
    isLeasable(pool, slot) && !use.leased.has(slot) && !use.excluded.has(slot);
  const released = use.released
    .filter((entry) => isOpen(entry.slot) && mayTake(entry, node, now))
    .sort((a, b) => a.releasedAt - b.releasedAt || a.slot - b.slot);
  const former = released.findLast((entry) => entry.node === node);
  if (former !== undefined) return former.slot;
  const releasedSlots = new Set(use.released.map(({ slot }) => slot));
  const limit = slotLimit(pool);
  for (let slot = 1; slot <= limit; slot++) if (isOpen(slot) && !releasedSlots.has(slot)) return slot;
  return released[0]?.slot;
}
