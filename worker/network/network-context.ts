import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import { makeCentralV1 } from "../controller/central-v1/client.ts";
import type { Controller } from "../controller/controller.ts";
import { makePace } from "../controller/pace.ts";
import { consoleLog, type Log } from "../http/log.ts";
import { deriveNodeId } from "../identity/address.ts";
import type { NodeId } from "../lease/ids.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import { inTurn } from "./in-turn.ts";
import { keepPool } from "./kept-pool.ts";
import { copyDelivery } from "./lease-copy.ts";
import { memberDelivery } from "./member-delivery.ts";
import { NetworkReadiness } from "./network-readiness.ts";
import { NetworkSettings } from "./network-settings.ts";
import { Outbox } from "./outbox.ts";
import { routeDelivery } from "./route-publisher.ts";
import { openStores, type Stores } from "./stores.ts";

/** What the operations on a network work with. */
export interface NetworkContext {
  readonly config: Config;
  /** Why the pool of the settings is not the one in use. */
  readonly poolFault: string | undefined;
  readonly stores: Stores;
  readonly controller: Controller;
  readonly outbox: Outbox;
  readonly readiness: NetworkReadiness;
  /** The node id that follows from a public key (64 bytes), one derivation at a time. */
  readonly deriveNodeId: (publicKey: Uint8Array<ArrayBuffer>) => Promise<NodeId | undefined>;
  /** ms since 1970. */
  readonly now: () => number;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  readonly log: Log;
}

/** Puts the parts together over an object's storage, with the platform's clock, randomness and network. */
export function openNetwork(
  storage: DurableObjectStorage,
  alarm: AlarmClock,
  leases: KVNamespace,
  given: Config,
): NetworkContext {
  const now = (): number => Date.now();
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const log = consoleLog;
  const stores = openStores(storage, (outbox) => alarm.arm(outbox));
  const { config, fault: poolFault } = keepPool(stores, given, now());
  if (poolFault !== undefined) log("pool-kept", { fault: poolFault });
  const controller = makeCentralV1({
    ...config.central,
    network: config.network,
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
  const settings = new NetworkSettings(controller);
  const outbox = new Outbox({
    stores,
    deliveries: {
      member: memberDelivery(stores, config, controller, now),
      routes: routeDelivery(stores, config, settings, log, now),
      copy: copyDelivery(stores, config, leases),
    },
    now,
    random: () => Math.random(),
    log,
  });
  return {
    config,
    poolFault,
    stores,
    controller,
    outbox,
    readiness: new NetworkReadiness(stores, config, controller, settings, log, now),
    deriveNodeId: inTurn(deriveNodeId, () => sleep(1)),
    now,
    randomBytes: (bytes) => crypto.getRandomValues(bytes),
    log,
  };
}
