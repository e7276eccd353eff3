import type { Result } from "../base/result.ts";
import { CAPABILITIES } from "../config/capabilities.ts";
import type { Config } from "../config/config.ts";
import { LIMITS } from "../config/limits.ts";
import { makeController } from "../controller/make-controller.ts";
import { NetworkMembers } from "../controller/network-members.ts";
import { NetworkWriter } from "../controller/network-writer.ts";
import { type CountedPace, HIGHEST_LIMIT, makePace } from "../controller/pace.ts";
import type { NodeId } from "../lease/ids.ts";
import { copyDelivery } from "../outbox/lease-copy.ts";
import { Outbox } from "../outbox/outbox.ts";
import { routeDelivery } from "../outbox/route-delivery.ts";
import { memberDelivery } from "../reconcile/member-delivery.ts";
import { NetworkReadiness } from "../reconcile/network-readiness.ts";
import type { Upkeep } from "../reconcile/upkeep.ts";
import type { Stores } from "../store/stores.ts";
import { WebhookSender } from "../webhook/webhook-sender.ts";
import { BootBudget } from "./boot-budget.ts";
import { inTurn, type TooLongWait } from "./in-turn.ts";
import { keepPool } from "./kept-pool.ts";
import { KeptSeals } from "./kept-seals.ts";
import { KnownHosts } from "./known-hosts.ts";
import { OwnController } from "./own-controller.ts";
import { type Platform, workersPlatform } from "./platform.ts";
import { RefusalBudget } from "./refusal-budget.ts";
import { ReturnBudget } from "./return-budget.ts";
import { UnseenCounts } from "./unseen-counts.ts";

/** ms that a derivation of a node id takes, until some were measured. */
const PROOF_MS = 30;

/** What the operations on a network work with. */
export interface NetworkContext extends Upkeep {
  /** Why the pool of the settings is not the one in use. */
  readonly poolFault: string | undefined;
  /** By which all calls to the controller go. */
  readonly pace: CountedPace;
  /** The controller, where a node of the mesh hosts it. */
  readonly own: OwnController | undefined;
  readonly outbox: Outbox;
  readonly sender: WebhookSender;
  readonly seals: KeptSeals;
  /** Where the copies of leases are. */
  readonly leases: KVNamespace;
  readonly readiness: NetworkReadiness;
  readonly refusalBudget: RefusalBudget;
  readonly returns: ReturnBudget;
  readonly bootBudget: BootBudget;
  readonly unseen: UnseenCounts;
  readonly hosts: KnownHosts;
  /** The node id that follows from a public key (64 bytes), one derivation at a time; or how long the wait for it would be. */
  readonly deriveNodeId: (
    publicKey: Uint8Array<ArrayBuffer>,
  ) => Promise<Result<NodeId | undefined, TooLongWait>>;
  /** Fills an array with random bytes. */
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
}

/** Puts the parts together over an object's tables, with the platform's clock, randomness and network. */
export function openNetwork(
  stores: Stores,
  leases: KVNamespace,
  wanted: Config,
  platform: Platform = workersPlatform,
): NetworkContext {
  const { now, sleep, log, random, randomBytes, timeout, fetch, post } = platform;
  const { config, fault: poolFault } = keepPool(stores, wanted, now());
  if (poolFault !== undefined) log("pool-kept", { fault: poolFault });
  // All calls to the controller go through this one pace: its limit counts for the token as a whole.
  const { callsASecond, callsAtOnce, callMs } = CAPABILITIES[config.controller.kind];
  const pace = makePace({
    now,
    sleep,
    limit: callsASecond ?? HIGHEST_LIMIT,
    maxInFlight: callsAtOnce,
    maxWaitMs: LIMITS.controllerWaitMs,
  });
  const { networkId } = config;
  const own =
    config.controller.kind === "own"
      ? new OwnController({
          stores,
          networkId,
          identity: config.controller.identity,
          now,
          sleep,
          random,
          log,
        })
      : undefined;
  const controller = makeController(config.controller, {
    networkId,
    fetch: own?.fetch ?? fetch,
    timeout,
    pace,
    now,
    timeoutMs: callMs,
  });
  const upkeep: Upkeep = {
    config,
    stores,
    members: new NetworkMembers(controller, now),
    writer: new NetworkWriter(controller, now),
    now,
    log,
  };
  const readiness = new NetworkReadiness(upkeep);
  const outbox = new Outbox({
    stores,
    deliveries: {
      member: memberDelivery({ ...upkeep, look: () => readiness.look() }),
      routes: routeDelivery(upkeep),
      copy: copyDelivery({ stores, config, leases }),
    },
    now,
    random,
    log,
  });
  const seals = new KeptSeals({ stores, config, randomBytes });
  return {
    ...upkeep,
    poolFault,
    pace,
    own,
    outbox,
    sender: new WebhookSender({ stores, config, seals, post, timeout, now, random, log }),
    seals,
    leases,
    readiness,
    unseen: new UnseenCounts(),
    hosts: new KnownHosts(stores.hosts),
    returns: new ReturnBudget(LIMITS.returnsAnHour),
    bootBudget: new BootBudget(LIMITS.bootReportsOfKeyAnHour, LIMITS.bootReportsAnHour),
    refusalBudget: new RefusalBudget((isKnownKey, since) => stores.refusals.countSince(isKnownKey, since)),
    deriveNodeId: inTurn(platform.deriveNodeId, {
      pause: () => sleep(1),
      now,
      usualMs: PROOF_MS,
      longestMs: LIMITS.proofWaitMs,
    }),
    randomBytes,
  };
}
