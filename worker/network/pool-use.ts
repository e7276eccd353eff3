import { describePool, slotLimit } from "../lease/pool.ts";
import { addressConflicts } from "../reconcile/address-conflicts.ts";
import type { PoolUse } from "../schema/pool.ts";
import { countStored } from "./list-nodes.ts";
import type { NetworkContext } from "./network-context.ts";

export function poolUse({ stores, config, now }: NetworkContext): PoolUse {
  const holders = stores.slots.holders();
  const isLeased = (slot: number): boolean => holders.of(slot) !== undefined;
  const excluded = [...stores.slots.excluded()].filter((slot) => !isLeased(slot)).sort((a, b) => a - b);
  const barred = new Set(excluded);
  const reserved = [...stores.reservations.slots()].filter((slot) => !isLeased(slot) && !barred.has(slot));
  for (const slot of reserved) barred.add(slot);
  const quarantined = stores.slots
    .inQuarantine(now())
    .filter(({ slot }) => !isLeased(slot) && !barred.has(slot)).length;
  const total = slotLimit(config.pool);
  return {
    network: config.networkId,
    pool: describePool(config.pool),
    slots: {
      total,
      ...countStored(stores, holders),
      quarantined,
      excluded: excluded.length,
      reserved: reserved.length,
      free: total - holders.count() - excluded.length - reserved.length - quarantined,
    },
    conflicts: stores.memory.conflicts(),
    addressConflicts: addressConflicts(stores, holders),
    excluded,
    routeLimit: config.routeLimit,
    waiting: {
      member: stores.outbox.count("member"),
      routes: stores.outbox.count("routes"),
      copy: stores.outbox.count("copy"),
    },
  };
}
