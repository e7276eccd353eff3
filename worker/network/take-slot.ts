import type { Refusal, SlotHold } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { chooseSlot, mayTake } from "../lease/choose-slot.ts";
import type { NodeId } from "../lease/ids.ts";
import { isLeasable, type Pool } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";

/** Within a transaction: the slot for the node's new lease, taken out of those that were released; undefined when none is free. */
export function takeSlot(stores: Stores, pool: Pool, node: NodeId, now: number): number | undefined {
  const use = {
    leased: stores.nodes.slots(),
    released: stores.slots.released(),
    excluded: stores.slots.excluded(),
  };
  const slot = chooseSlot(pool, use, node, now);
  if (slot !== undefined) stores.slots.take(slot);
  return slot;
}

/** Within a transaction: the same for the slot that the operator wants. */
export function takeWantedSlot(
  stores: Stores,
  pool: Pool,
  node: NodeId,
  slot: number,
  now: number,
): Result<number, Refusal> {
  const hold = holdOf(stores, pool, node, slot, now);
  if (hold !== undefined) return err({ problem: "slot-taken", slot, hold });
  stores.slots.take(slot);
  return ok(slot);
}

function holdOf(
  { nodes, slots }: Stores,
  pool: Pool,
  node: NodeId,
  wanted: number,
  now: number,
): SlotHold | undefined {
  if (!isLeasable(pool, wanted)) return { by: "pool" };
  if (nodes.slots().has(wanted)) return { by: "lease" };
  const released = slots.released().find(({ slot }) => slot === wanted);
  if (released !== undefined && !mayTake(released, node, now))
    return released.freeAt === undefined
      ? { by: "controller", node: released.node }
      : { by: "quarantine", until: released.freeAt };
  return slots.excluded().has(wanted) ? { by: "exclusion" } : undefined;
}
