import type { ControllerNetwork } from "../controller/controller.ts";
import { fit as compare } from "../controller/fit.ts";
import { isOurs } from "../lease/managed-routes.ts";
import { describePool } from "../lease/pool.ts";
import { changeNetwork, noteLeaving } from "../outbox/change-network.ts";
import { noteForeign } from "../outbox/foreign-routes.ts";
import { readNetwork } from "./read-network.ts";
import type { Upkeep } from "./upkeep.ts";

/** How a network was made fit: its settings now, the names of those that were changed, and the faults that are left. */
export interface MadeFit {
  readonly network: ControllerNetwork;
  readonly settings: readonly string[];
  readonly faults: readonly string[];
}

/** Makes the network fit as far as nothing of the operator's is overwritten. */
export async function makeFit(upkeep: Upkeep): Promise<MadeFit> {
  const { config, stores, log } = upkeep;
  const { network, asked, readAt } = await changeNetwork(upkeep, (found) => {
    const { change, faults } = compare(found, config.pool);
    if (change === undefined || faults.length > 0) return undefined;
    const { routes } = change;
    if (routes !== undefined)
      stores.transaction(() => {
        const owned = stores.routes.owned();
        const ours = routes.filter((route) => isOurs(config.pool, route, owned));
        noteLeaving(upkeep, routes, ours);
      });
    return change;
  });
  const left = compare(network, config.pool);
  const faults = [...left.faults];
  if (asked !== undefined) {
    if (left.change !== undefined)
      faults.push(
        `the controller took the change and did not keep ${Object.keys(left.change).join(", ")}: set it by hand`,
      );
    log("network-made-fit", { faults: faults.length });
  }
  stores.transaction(() => {
    noteForeign(upkeep, network.routes, readAt);
    if ((stores.memory.fitness()?.at ?? 0) > readAt) return;
    stores.memory.setFitness({ at: readAt, pool: describePool(config.pool), faults });
  });
  if (faults.length > 0) log("network-unfit", { faults: faults.join(" ") });
  return { network, settings: Object.keys(asked ?? {}), faults };
}

/** What keeps the network, as it is, from carrying the mesh; changes nothing there. */
export async function inspect(upkeep: Upkeep): Promise<readonly string[]> {
  const { network } = await readNetwork(upkeep);
  return compare(network, upkeep.config.pool).faults;
}
