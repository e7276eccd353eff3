import type { ControllerNetwork } from "../controller/controller.ts";
import { noteForeign } from "../outbox/foreign-routes.ts";
import type { Upkeep } from "./upkeep.ts";

/** The network's settings, and when they were asked for (ms since 1970); the routes of others in it are noted. */
export async function readNetwork(
  upkeep: Upkeep,
): Promise<{ readonly network: ControllerNetwork; readonly readAt: number }> {
  const { stores, writer } = upkeep;
  // In its turn: what is written meanwhile would follow from an older read.
  const { network, readAt } = await writer.change(() => undefined);
  stores.transaction(() => noteForeign(upkeep, network.routes, readAt));
  return { network, readAt };
}
