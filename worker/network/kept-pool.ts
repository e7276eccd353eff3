import type { Config } from "../config/config.ts";
import { describePool, makePool } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";

/**
 * The configuration to work with: while there are leases, or traces of some, the pool stays the one that they were made
 * from, whatever the settings say by now. Otherwise a changed setting would give every running server other addresses at
 * once, or give somebody else those that a server had until a moment ago. Once nothing is left, what is known of the slots
 * is forgotten with their pool. `now`: ms since 1970.
 */
export function keepPool(
  stores: Stores,
  config: Config,
  now: number,
): { config: Config; fault: string | undefined } {
  const used = stores.memory.fitness()?.pool;
  const wanted = describePool(config.pool);
  if (used === undefined || JSON.stringify(used) === JSON.stringify(wanted))
    return { config, fault: undefined };
  const made = makePool(used);
  const left = leftOver(stores, now);
  if (left === undefined || !made.ok) {
    stores.transaction(() => {
      stores.slots.forget();
      stores.memory.forgetSlots();
    });
    return { config, fault: undefined };
  }
  const show = ({ zerotier, docker, nodePrefix }: typeof used): string =>
    `ZEROTIER_RANGE ${zerotier}, DOCKER_POOL ${docker}, NODE_PREFIX ${nodePrefix}`;
  return {
    config: { ...config, pool: made.value },
    fault: `the settings say ${show(wanted)}, but ${left} ${show(used)}, which stays in use: set it back, or delete every node and reservation and wait for the quarantine of 7 days to end`,
  };
}

/** What keeps another pool from being used, for a message. */
function leftOver({ slots, reservations, outbox }: Stores, now: number): string | undefined {
  const leases = slots.holders().count();
  if (leases > 0) return `${leases} lease(s) were made from`;
  const reserved = reservations.count();
  if (reserved > 0) return `${reserved} reservation(s) were made from`;
  const held = slots.inQuarantine(now).length;
  if (held > 0) return `${held} slot(s) are in quarantine that were leased from`;
  return outbox.nextDue() === undefined ? undefined : "changes are still to be delivered of leases from";
}
