import { consoleLog } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import { makeCentralV1 } from "../controller/central-v1/client.ts";
import { NetworkWriter } from "../controller/network-writer.ts";
import { makePace } from "../controller/pace.ts";
import { deriveNodeId } from "../identity/address.ts";
import type { NodeId } from "../lease/ids.ts";
import { copyDelivery } from "../outbox/lease-copy.ts";
import { memberDelivery } from "../outbox/member-delivery.ts";
import { Outbox } from "../outbox/outbox.ts";
import { routeDelivery } from "../outbox/route-delivery.ts";
import { NetworkReadiness } from "../reconcile/network-readiness.ts";
import type { Upkeep } from "../reconcile/upkeep.ts";
import type { Stores } from "../store/stores.ts";
import { keepPool } from "./kept-pool.ts";

/** What the operations on a network work with. */
export interface NetworkContext extends Upkeep {
  /** Why the pool of the settings is not the one in use. */
  readonly poolFault: string | undefined;
  readonly outbox: Outbox;
  readonly readiness: NetworkReadiness;
  /** The node id that follows from a public key (64 bytes), one derivation at a time. */
  readonly deriveNodeId: (publicKey: Uint8Array<ArrayBuffer>) => Promise<NodeId | undefined>;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
}

/** Puts the parts together over an object's tables, with the platform's clock, randomness and network. */
export function openNetwork(stores: Stores, leases: KVNamespace, wanted: Config): NetworkContext {
  const now = (): number => Date.now();
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const log = consoleLog;
  const { config, fault: poolFault } = keepPool(stores, wanted, now());
  if (poolFault !== undefined) log("pool-kept", { fault: poolFault });
  const controller = makeCentralV1({
    ...config.central,
    networkId: config.networkId,
    fetch: (url, init) => fetch(url, init),
    // All calls to the controller go through this one pace: its limit counts for the token as a whole.
    pace: makePace({
      now,
      sleep,
      maxWaitMs: LIMITS.controllerWaitMs,
    }),
    now,
    timeoutMs: LIMITS.controllerTimeoutMs,
  });
  const upkeep: Upkeep = { config, stores, controller, writer: new NetworkWriter(controller), now, log };
  const outbox = new Outbox({
    stores,
    deliveries: {
      member: memberDelivery(upkeep),
      routes: routeDelivery(upkeep),
      copy: copyDelivery({ stores, config, leases }),
    },
    now,
    random: () => Math.random(),
    log,
  });
  return {
    ...upkeep,
    poolFault,
    outbox,
    readiness: new NetworkReadiness(upkeep),
    deriveNodeId: inTurn(deriveNodeId, () => sleep(1)),
    randomBytes: (bytes) => crypto.getRandomValues(bytes),
  };
}

/**
 * Makes a costly function run one call after the other, with a pause behind each. A hundred proofs that arrive at once
 * would otherwise hold the object's only thread for seconds, and what waits for the controller would time out with
 * the answer already there.
 */
export function inTurn<In, Out>(
  work: (input: In) => Promise<Out>,
  pause: () => Promise<void>,
): (input: In) => Promise<Out> {
  let before: Promise<void> = Promise.resolve();
  return (input) => {
    const result = before.then(() => work(input));
    before = result.then(pause, pause);
    return result;
  };
}
