import type { Config } from "../config/config.ts";
import { type ControllerNetwork, mayHaveLanded, type NetworkChange } from "../controller/controller.ts";
import type { ChangeOutcome, NetworkWriter } from "../controller/network-writer.ts";
import { type Route, slotOfRoute } from "../lease/managed-routes.ts";
import type { Pool } from "../lease/pool.ts";
import type { Stores } from "../store/stores.ts";

export interface ChangeNetworkOptions {
  readonly config: Pick<Config, "pool">;
  readonly stores: Stores;
  readonly writer: NetworkWriter;
  /** ms since 1970. */
  readonly now: () => number;
}

/**
 * Changes the network's settings as `plan` says. A list of routes in the change it has noted before ({@link noteLeaving}): a write that is
 * not answered may land when our routes are others. Throws what the controller said.
 */
export async function changeNetwork(
  { stores, writer }: ChangeNetworkOptions,
  plan: (network: ControllerNetwork, readAt: number) => NetworkChange | undefined,
): Promise<ChangeOutcome> {
  let isLeaving = false;
  const outcome = await writer
    .change((network, readAt) => {
      const change = plan(network, readAt);
      isLeaving = change?.routes !== undefined;
      return change;
    })
    .catch((error: unknown) => {
      if (isLeaving && !mayHaveLanded(error)) stores.transaction(() => stores.routes.refused());
      throw error;
    });
  if (isLeaving)
    stores.transaction(() => {
      stores.memory.controllerAnswered();
      stores.routes.heard();
    });
  return outcome;
}

/** Within a transaction: the routes are about to be written, of which those are ours. */
export function noteLeaving(
  { config: { pool }, stores, now }: ChangeNetworkOptions,
  routes: readonly Route[],
  ours: readonly Route[],
): void {
  stores.routes.writing(routes, slotsOf(pool, ours), now());
}

/** The slots whose routes are among these. */
export function slotsOf(pool: Pool, routes: readonly Route[]): number[] {
  return routes.flatMap((route) => slotOfRoute(pool, route) ?? []);
}
