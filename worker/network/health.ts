import type { NetworkContext } from "./network-context.ts";

/** How the object and its network are. */
export interface Health {
  /** new: no server has enrolled yet, so the network was not looked at. */
  readonly network: "new" | "fit" | "unfit";
  readonly faults: readonly string[];
  /** Whether members wait that the controller has not taken. */
  readonly waiting: boolean;
}

/** Answers from what is stored; asks nobody. */
export function health({ stores, poolFault }: NetworkContext): Health {
  const fitness = stores.facts.fitness();
  const faults = [...(poolFault === undefined ? [] : [poolFault]), ...(fitness?.faults ?? [])];
  return {
    network: fitness === undefined ? "new" : faults.length === 0 ? "fit" : "unfit",
    faults,
    waiting: stores.outbox.count("member") > stores.outbox.countFresh("member"),
  };
}
