import type { Operator } from "../lease/deed.ts";
import { slotRoute } from "../lease/managed-routes.ts";
import { describePool } from "../lease/pool.ts";
import { noteForeign } from "../outbox/foreign-routes.ts";
import { queueCopy, queueRoutes } from "../outbox/queue.ts";
import { noteMembers } from "./address-conflicts.ts";
import type { AdoptionPlan, SeenNetwork } from "./adoption-plan.ts";
import type { Upkeep } from "./upkeep.ts";

/** Whether something was read of the network meanwhile that is newer than this. */
export function isOvertaken({ stores: { memory } }: Upkeep, { networkAt, membersAt }: SeenNetwork): boolean {
  return (memory.slotsRouted()?.at ?? 0) > networkAt || (memory.slotsHeld()?.at ?? 0) > membersAt;
}

/**
 * Within a transaction: does what was planned just now, from what was seen. The members are leases then, their routes ours, and what the
 * controller is to be told is queued.
 */
export function adopt(upkeep: Upkeep, plan: AdoptionPlan, seen: SeenNetwork, by: Operator): void {
  const { stores, config, now } = upkeep;
  const at = now();
  for (const { lease, wanted, change } of plan.adopted) {
    const { node, slot } = lease;
    const adopted = { ...lease, name: wanted === undefined ? lease.name : stores.names.choose(wanted) };
    stores.nodes.put(adopted);
    stores.slots.take(slot);
    // The operator may have deleted it, and has let it in again.
    stores.keys.unbar(node);
    stores.formerNodes.remove(node);
    stores.events.add(at, { by, action: "adopted" }, adopted);
    queueCopy(stores, node, at);
    if (change !== undefined) stores.outbox.put("member", node, at, at);
  }
  const routed = plan.adopted.flatMap(({ lease, isRouted }) => (isRouted ? [lease.slot] : []));
  stores.routes.adopt(
    routed.map((slot) => slotRoute(config.pool, slot)),
    routed,
  );
  noteForeign(upkeep, seen.network.routes, seen.networkAt);
  noteMembers(upkeep, seen.list, seen.membersAt);
  if (plan.routes.missing.length + plan.routes.leftOver.length > 0) queueRoutes(stores, at);
  // From the first lease on the network is kept as it should be, and the pool stays what it is.
  if (plan.adopted.length > 0 && stores.memory.fitness() === undefined)
    stores.memory.setFitness({ at: seen.networkAt, pool: describePool(config.pool), faults: [] });
}
