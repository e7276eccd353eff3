import { isLeasable, type Pool, slotLimit } from "./pool.ts";

/** A slot that was leased before, and to whom last. Times in ms since 1970. */
export interface ReleasedSlot {
  readonly slot: number;
  readonly node: string;
  readonly releasedAt: number;
  /** The end of its quarantine; undefined when that has not begun: the controller may still let the last holder in with the slot's address. */
  readonly freeAt: number | undefined;
}

/**
 * What is known about the slots of a pool, asked as far as it matters: there may be a hundred thousand of them. A slot is leased,
 * released, or was never leased, and each may be reserved.
 */
export interface SlotBook {
  /** It is leased, or reserved for a name. */
  isKept(slot: number): boolean;
  /** Somebody else's address or route is in the way. */
  isExcluded(slot: number): boolean;
  /** How the slot was released, if it was and the controller has not taken a new holder yet. */
  released(slot: number): ReleasedSlot | undefined;
  /** The slots whose last holder the node was, the one that it had last first. */
  formerOf(node: string): Iterable<ReleasedSlot>;
  /** The slots that were never leased, ascending, beyond the pool's end too. Those that are excluded may be left out. */
  neverLeased(): Iterable<number>;
  /** The released slots whose quarantine is over by then (ms since 1970), the one released longest ago first. */
  freeAgain(now: number): Iterable<ReleasedSlot>;
  /** The slot that the node has by what the controller says (see {@link ownSlot}); excluded for all others. */
  readonly own: number | undefined;
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
 * The slot for the node's new lease, undefined when the pool is exhausted. A node gets back the slot that it had last, or has by what the
 * controller says.
 * Otherwise slots are reused as late as possible, since peers may hold routes and connections to the last holder: the
 * lowest that was never leased, then the one released longest ago, never one in quarantine.
 */
export function chooseSlot(pool: Pool, book: SlotBook, node: string, now: number): number | undefined {
  const { own } = book;
  const isOpen = (slot: number): boolean =>
    isLeasable(pool, slot) && (slot === own || !book.isExcluded(slot)) && !book.isKept(slot);
  for (const { slot } of book.formerOf(node)) if (isOpen(slot)) return slot;
  if (own !== undefined && isOpen(own)) {
    const released = book.released(own);
    if (released === undefined || mayTake(released, node, now)) return own;
  }
  const limit = slotLimit(pool);
  for (const slot of book.neverLeased()) {
    if (slot > limit) break;
    // The book finds it; whether it is so, each slot says itself.
    if (isOpen(slot) && book.released(slot) === undefined) return slot;
  }
  for (const { slot } of book.freeAgain(now)) if (isOpen(slot)) return slot;
  return undefined;
}
