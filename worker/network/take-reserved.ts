import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Actor } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import type { Pool } from "../lease/pool.ts";
import type { Reservation } from "../store/reservation-store.ts";
import type { Stores } from "../store/stores.ts";
import { endForGood } from "./change-lease.ts";

/** Who is to have a reserved slot. */
export interface Heir {
  readonly node: NodeId;
  /** The node from which it may take the slot over, which is out with that. */
  readonly takesOver: string | null;
  /** By whose word. */
  readonly by: Actor;
}

/**
 * Within a transaction: name and slot of a reservation, for a node that has no lease. The controller hears of it only
 * when it has taken that whoever had the slot before is out.
 */
export function takeReserved(
  stores: Stores,
  pool: Pool,
  { name, slot }: Reservation,
  { node, takesOver, by }: Heir,
  now: number,
): Result<Pick<Reservation, "name" | "slot">, Refusal> {
  const holder = stores.nodes.holderOf(slot);
  if (holder !== undefined && holder.node !== takesOver)
    return err({ problem: "name-taken", name, holder: holder.node, isReserved: true });
  if (stores.slots.isExcludedFor(pool, node, slot))
    return err({ problem: "slot-taken", slot, hold: { by: "exclusion" } });
  if (holder !== undefined) endForGood(stores, holder, "replaced", now, by);
  return ok({ name, slot });
}
