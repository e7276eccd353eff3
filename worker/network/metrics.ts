import { LIMITS } from "../config/limits.ts";
import { type BootFigures, bootFigures } from "../lease/boot-figures.ts";
import type { ShownState } from "../lease/lease-times.ts";
import type { ObjectHealth } from "../schema/health.ts";
import type { PoolUse } from "../schema/pool.ts";
import { OUTBOX_KINDS, type OutboxKind } from "../store/outbox-store.ts";
import { health } from "./health.ts";
import { countNodes } from "./list-nodes.ts";
import type { NetworkContext } from "./network-context.ts";
import { poolUse } from "./pool-use.ts";

/** What monitoring is told. Times in ms since 1970. */
export interface NetworkMetrics {
  readonly now: number;
  readonly status: ObjectHealth["status"];
  readonly nodes: Readonly<Record<ShownState, number>>;
  /** Servers that run another agent than the one that is given out, by their own word. */
  readonly behind: number;
  readonly slots: PoolUse["slots"];
  /** Routes of others inside the pool, and leased addresses that others hold. */
  readonly conflicts: { readonly route: number; readonly address: number };
  readonly outbox: readonly OutboxWaiting[];
  /** Calls since the object started, and how many a second the controller allows. */
  readonly controller: { readonly made: number; readonly refused: number; readonly limit: number };
  /** When the hourly run was last done; undefined before the first. */
  readonly reconciledAt: number | undefined;
  /** Whether the controller could be read when that was last tried. */
  readonly isControllerRead: boolean;
  /** How many refused enrolments are kept, by problem. */
  readonly refused: Readonly<Record<string, number>>;
  readonly firstBoots: BootFigures;
  readonly webhooks: { readonly failing: number; readonly well: number };
}

interface OutboxWaiting {
  readonly kind: OutboxKind;
  readonly waiting: number;
  /** When the change was made that waits longest; undefined while none waits. */
  readonly since: number | undefined;
}

/**
 * From what is stored: nobody is asked. Reads as `GET /v1/pool` and `/healthz` do together, the kept refusals, the newest first boots and the agents that are run:
 * the same rows beside however many servers that are well. `agent`: SHA-256 of the one that is given out.
 */
export function networkMetrics(net: NetworkContext, agent: string): NetworkMetrics {
  const { stores, pace, now } = net;
  const { slots, conflicts, addressConflicts } = poolUse(net);
  const check = stores.memory.lastCheck();
  return {
    now: now(),
    status: health(net, false).status,
    nodes: countNodes(net),
    behind: stores.agents.countOthers(agent),
    slots,
    conflicts: { route: conflicts.length, address: addressConflicts.length },
    outbox: OUTBOX_KINDS.map((kind) => ({
      kind,
      waiting: stores.outbox.count(kind),
      since: stores.outbox.oldest(kind),
    })),
    controller: pace.use(),
    reconciledAt: check?.at,
    isControllerRead: check === undefined || check.unreachable === null,
    refused: stores.refusals.countByProblem(),
    firstBoots: bootFigures(stores.firstBoots.list(LIMITS.firstBootsMeasured, undefined, undefined), now()),
    webhooks: stores.webhooks.countByHealth(),
  };
}
