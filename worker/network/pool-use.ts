import { isFree } from "../lease/choose-slot.ts";
import type { Route } from "../lease/managed-routes.ts";
import { describePool, slotLimit } from "../lease/pool.ts";
import { type AddressConflict, addressConflicts } from "../reconcile/address-conflicts.ts";
import type { NetworkContext } from "./network-context.ts";

/** How the pool is used. */
export interface PoolUse {
  readonly network: string;
  readonly pool: { readonly zerotier: string; readonly docker: string; readonly nodePrefix: number };
  readonly slots: {
    readonly total: number;
    readonly active: number;
    readonly pending: number;
    readonly revoked: number;
    readonly quarantined: number;
    readonly excluded: number;
    readonly free: number;
  };
  /** Routes inside the pool that are not ours, and the slots that they keep from being leased. */
  readonly conflicts: Route[];
  /** Leased addresses that other members hold. */
  readonly addressConflicts: AddressConflict[];
  readonly excluded: number[];
  readonly routeLimit: number;
  /** What is still to be told to others. */
  readonly waiting: { readonly member: number; readonly routes: number; readonly copy: number };
}

/** Counts the slots. */
export function poolUse({ stores, config, now }: NetworkContext): PoolUse {
  const counts = stores.nodes.counts();
  const leased = stores.nodes.slots();
  const excluded = [...stores.slots.excluded()].filter((slot) => !leased.has(slot)).sort((a, b) => a - b);
  const barred = new Set(excluded);
  const quarantined = stores.slots
    .released()
    .filter((entry) => !isFree(entry, now()) && !leased.has(entry.slot) && !barred.has(entry.slot)).length;
  const total = slotLimit(config.pool);
  return {
    network: config.network,
    pool: describePool(config.pool),
    slots: {
      total,
      ...counts,
      quarantined,
      excluded: excluded.length,
      free: total - leased.size - excluded.length - quarantined,
    },
    conflicts: stores.memory.conflicts(),
    addressConflicts: addressConflicts(stores),
    excluded,
    routeLimit: config.routeLimit,
    waiting: {
      member: stores.outbox.count("member"),
      routes: stores.outbox.count("routes"),
      copy: stores.outbox.count("copy"),
    },
  };
}
