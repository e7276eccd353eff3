import type { Config } from "../config/config.ts";
import { describePool, makePool } from "../lease/pool.ts";
import type { Stores } from "./stores.ts";

/**
 * The configuration to work with: while there are leases, the pool stays the one that they were made from, whatever the
 * settings say by now. Otherwise a changed setting would give every running server other addresses at a stroke.
 */
export function keepPool(stores: Stores, config: Config): { config: Config; fault: string | undefined } {
  const used = stores.facts.fitness()?.pool;
  const wanted = describePool(config.pool);
  if (used === undefined || JSON.stringify(used) === JSON.stringify(wanted))
    return { config, fault: undefined };
  const leases = stores.nodes.slots().size;
  const made = makePool(used);
  if (leases === 0 || !made.ok) return { config, fault: undefined };
  const show = ({ zerotier, docker, nodePrefix }: typeof used): string =>
    `ZEROTIER_RANGE ${zerotier}, DOCKER_POOL ${docker}, NODE_PREFIX ${nodePrefix}`;
  return {
    config: { ...config, pool: made.pool },
    fault: `the settings say ${show(wanted)}, but ${leases} lease(s) were made from ${show(used)}, which stays in use: set it back, or delete every node first`,
  };
}
