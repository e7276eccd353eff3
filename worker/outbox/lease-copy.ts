// The published copy of a lease: `node/<id>` in KV, one small JSON document. It serves reads while the object is
// out of reach, and is what the object can be rebuilt from. Hashes only, no secrets.
import { z } from "zod";
import { consoleLog, errorText } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import { isNodeId } from "../lease/ids.ts";
import { describePool } from "../lease/pool.ts";
import { poolSettings } from "../store/pool-settings.ts";
import type { StoredNode } from "../store/stored-node.ts";
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
  revokedBy: z.enum(["operator", "controller"]).nullable().default(null),
  leasedAt: z.number(),
  /** As of the last write: heartbeats do not write, the free plan has 1,000 KV writes a day. */
  seenAt: z.number(),
  pool: poolSettings,
});

/** A lease as far as its copy says it. */
type CopiedLease = Pick<
  StoredNode,
  Exclude<keyof LeaseCopy, "version" | "network" | "key" | "pool"> | "keyId"
>;

/** A lease's copy. Times in ms since 1970. */
export type LeaseCopy = z.infer<typeof copySchema>;

/** What the names of copies begin with. */
const PREFIX = "node/";

/** Copies that KV gives at a time, as one of the calls that an invocation may make. */
const AT_A_TIME = 100;

export function copyKey(node: string): string {
  return `${PREFIX}${node}`;
}

/** The copy of the lease as it is now. */
export function copyOf(
  { networkId, pool }: Pick<Config, "networkId" | "pool">,
  lease: CopiedLease,
): LeaseCopy {
  return {
    version: 1,
    network: networkId,
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
    revokedBy: lease.revokedBy,
    leasedAt: lease.leasedAt,
    seenAt: lease.seenAt,
    pool: describePool(pool),
  };
}

/** Lists the names of all copies. Rejects when KV does not answer. */
export async function listCopies(leases: KVNamespace): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: KVNamespaceListResult<unknown> = await leases.list({ prefix: PREFIX, cursor });
    names.push(...page.keys.map(({ name }) => name));
    if (page.list_complete) return names;
    cursor = page.cursor;
  }
}

/** Reads copies by their names, many at a time: undefined for one that is not there or cannot be read. Rejects when KV does not answer. */
export async function readCopies(
  leases: KVNamespace,
  names: readonly string[],
): Promise<Map<string, LeaseCopy | undefined>> {
  const copies = new Map<string, LeaseCopy | undefined>();
  for (let at = 0; at < names.length; at += AT_A_TIME) {
    const texts = await leases.get(names.slice(at, at + AT_A_TIME), "text");
    for (const [name, text] of texts) copies.set(name, parseCopy(text));
  }
  return copies;
}

function parseCopy(text: string | null): LeaseCopy | undefined {
  try {
    return copySchema.nullable().parse(JSON.parse(text ?? "null")) ?? undefined;
  } catch {
    return undefined;
  }
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
      await leases.put(copyKey(subject), JSON.stringify(copyOf(config, lease)));
      return undefined;
    },
  };
}
