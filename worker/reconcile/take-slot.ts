import type { Refusal, SlotHold } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { chooseSlot, mayTake } from "../lease/choose-slot.ts";
import type { NodeId } from "../lease/ids.ts";
import { isLeasable, type Pool } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";

/** In place of a node: a slot is wanted before there is one. */
export const NOBODY = "";

/**
 * The slot for the node's new lease; undefined when none is free. One that was released counts as such until the controller
 * has taken the new holder: should it never, nothing has changed.
 */
export function takeSlot(
  { slots }: Stores,
  pool: Pool,
  node: NodeId | typeof NOBODY,
  now: number,
): number | undefined {
  return chooseSlot(pool, slots.bookFor(pool, node), node, now);
}

/** The same for the slot that the operator wants. */
export function takeWantedSlot(
  stores: Stores,
  pool: Pool,
  node: NodeId | typeof NOBODY,
  slot: number,
  now: number,
): Result<number, Refusal> {
  const hold = holdOf(stores, pool, node, slot, now);
  return hold === undefined ? ok(slot) : err({ problem: "slot-taken", slot, hold });
}

function holdOf(
  { slots, reservations }: Stores,
  pool: Pool,
  node: NodeId | typeof NOBODY,
  wanted: number,
  now: number,
): SlotHold | undefined {
  if (!isLeasable(pool, wanted)) return { by: "pool" };
  if (slots.holder(wanted) !== undefined) return { by: "lease" };
  const reservation = reservations.bySlot(wanted);
  if (reservation !== undefined) return { by: "reservation", name: reservation.name };
  const released = slots.released(wanted);
  if (released !== undefined && !mayTake(released, node, now))
    return released.freeAt === undefined
      ? { by: "controller", node: released.node }
      : { by: "quarantine", until: released.freeAt };
  return slots.isExcludedFor(pool, node, wanted) ? { by: "exclusion" } : undefined;
}
