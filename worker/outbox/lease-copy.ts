// The published copy of a lease: `node/<id>` in KV, one small JSON document. It serves reads while the object is
// out of reach, and is what the object could be rebuilt from. Hashes only, no secrets.
import { z } from "zod";
import { consoleLog, errorText } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { isNodeId } from "../lease/ids.ts";
import { describePool } from "../lease/pool.ts";
import { poolSettings } from "../store/pool-settings.ts";
import type { Stores } from "../store/stores.ts";
import type { Delivery } from "./outbox.ts";

const copySchema = z.object({
  version: z.literal(1),
  network: z.string(),
  node: z.string().refine(isNodeId),
  name: z.string(),
  slot: z.number(),
  state: z.enum(["pending", "active", "revoked"]),
  identity: z.string().nullable(),
  machineId: z.string().nullable(),
  key: z.string().nullable(),
  tokenHashes: z.array(z.string()),
  /** Not in the copies of older versions. */
  tags: z.array(z.string()).default([]),
  ephemeralMinutes: z.number().nullable().default(null),
  leasedAt: z.number(),
  /** As of the last write: heartbeats do not write, the free plan has 1,000 KV writes a day. */
  seenAt: z.number(),
  pool: poolSettings,
});

/** A lease's copy. Times in ms since 1970. */
export type LeaseCopy = z.infer<typeof copySchema>;

export function copyKey(node: string): string {
  return `node/${node}`;
}

/** Reads a copy; undefined when there is none, or none that can be read. */
export async function readCopy(leases: KVNamespace, node: string): Promise<LeaseCopy | undefined> {
  try {
    return copySchema.nullable().parse(await leases.get(copyKey(node), "json")) ?? undefined;
  } catch (error) {
    // KV is away, or what it holds cannot be read.
    consoleLog("copy-unread", { node, error: errorText(error) });
    return undefined;
  }
}

/** What delivering copies works with. */
export interface CopyDeliveryOptions {
  readonly stores: Stores;
  readonly config: Config;
  readonly leases: KVNamespace;
}

/** Writes the copy of a lease, or deletes it with the lease. */
export function copyDelivery({ stores, config, leases }: CopyDeliveryOptions): Delivery {
  return {
    cost: () => 1,
    async deliver(subject) {
      const lease = stores.nodes.get(subject);
      if (lease === undefined) {
        await leases.delete(copyKey(subject));
        return undefined;
      }
      const copy: LeaseCopy = {
        version: 1,
        network: config.networkId,
        node: lease.node,
        name: lease.name,
        slot: lease.slot,
        state: lease.state,
        identity: lease.identity,
        machineId: lease.machineId,
        key: lease.keyId,
        tokenHashes: [...lease.tokenHashes],
        tags: [...lease.tags],
        ephemeralMinutes: lease.ephemeralMinutes,
        leasedAt: lease.leasedAt,
        seenAt: lease.seenAt,
        pool: describePool(config.pool),
      };
      await leases.put(copyKey(subject), JSON.stringify(copy));
      return undefined;
    },
  };
}
