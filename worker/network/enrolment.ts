// The one decision on an enrolment, made within one transaction: who is refused, which slot is leased, and
// what has to be told to others afterwards.

import type { Refusal } from "../base/problem.ts";
import type { Config } from "../config/config.ts";
import { chooseSlot } from "../lease/choose-slot.ts";
import type { NodeId } from "../lease/ids.ts";
import { uniqueName } from "../lease/name.ts";
import type { Pool } from "../lease/pool.ts";
import { queueCopy, queueMember } from "../outbox/queue.ts";
import type { EnrolmentKey } from "../store/key-store.ts";
import { newNode, type StoredNode } from "../store/node-store.ts";
import type { Stores } from "../store/stores.ts";
import { revoked } from "./node-access.ts";
import { overlapRefusal } from "./overlap.ts";

/** An enrolment whose proof was checked. */
export interface EnrolRequest {
  /** SHA-256 of the enrolment key. */
  readonly keyHash: string;
  readonly node: NodeId;
  readonly identity: string;
  readonly name: string;
  readonly machineId: string;
  readonly localPrefixes: readonly string[];
  /** What the host says of itself, as JSON. */
  readonly facts: string | null;
}

/** A lease, or why there is none. */
export type LeaseOutcome =
  | { readonly ok: true; readonly node: StoredNode; readonly created: boolean }
  | { readonly ok: false; readonly refusal: Refusal };

/** Why the key lets the node not in; undefined when it does. */
export function refuseKey(stores: Stores, keyHash: string, node: NodeId, now: number): Refusal | undefined {
  const admission = stores.keys.admit(keyHash, node, now);
  return typeof admission === "string" ? { problem: admission, detail: KEY_DETAILS[admission] } : undefined;
}

const KEY_DETAILS = {
  "unknown-key": "no such enrolment key exists; it may have been deleted",
  "key-expired": "the enrolment key has expired; make a new one with POST /v1/keys",
  "key-spent": "the enrolment key has let in as many servers as it may; make a new one with POST /v1/keys",
  revoked:
    "the operator deleted this node, which this enrolment key had let in; it comes back with another key only",
} as const;

/**
 * Leases a slot to the node, or finds the lease that it has. Changes all that belongs together at once: the
 * node's row, the slot, the key's use, and the outbox. A server that only asks again changes nothing that is
 * published: KV takes 1,000 writes a day on the free plan.
 */
export function enrol(stores: Stores, config: Config, request: EnrolRequest, now: number): LeaseOutcome {
  return stores.transaction(() => {
    const key = stores.keys.admit(request.keyHash, request.node, now);
    if (typeof key === "string") return refused({ problem: key, detail: KEY_DETAILS[key] });
    const known = stores.nodes.get(request.node);
    const refusal =
      (known && refuseKnown(known, request)) ?? overlapRefusal(config, request.localPrefixes, key, known);
    if (refusal !== undefined) return refused(refusal);
    const node = known === undefined ? lease(stores, config.pool, request, key, now) : known;
    if (node === undefined) return refused(exhausted());
    const changed: StoredNode = {
      ...node,
      identity: request.identity,
      machineId: request.machineId,
      keyId: key.id,
      seenAt: now,
      facts: request.facts ?? node.facts,
    };
    stores.nodes.put(changed);
    stores.keys.use(key.id, request.node);
    if (known === undefined && changed.state === "active") queueMember(stores, changed.node, now);
    if (known === undefined || isRegisteredAnew(known, changed)) queueCopy(stores, changed.node, now);
    return { ok: true, node: changed, created: known === undefined };
  });
}

/** The slot for the node's new lease, taken out of those that were released; undefined when none is free. */
export function takeSlot(stores: Stores, pool: Pool, node: NodeId, now: number): number | undefined {
  const use = {
    leased: stores.nodes.slots(),
    released: stores.slots.released(),
    excluded: stores.slots.excluded(),
  };
  const slot = chooseSlot(pool, use, node, now);
  if (slot !== undefined) stores.slots.take(slot);
  return slot;
}

/** The refusal when there is no slot left. */
export function exhausted(): Refusal {
  return {
    problem: "pool-exhausted",
    detail: "every slot of the pool is leased, in quarantine or excluded; GET /v1/pool shows which",
  };
}

function lease(
  stores: Stores,
  pool: Pool,
  request: EnrolRequest,
  key: EnrolmentKey,
  now: number,
): StoredNode | undefined {
  const slot = takeSlot(stores, pool, request.node, now);
  if (slot === undefined) return undefined;
  const name = uniqueName(request.name, (taken) => stores.nodes.holderOfName(taken) !== undefined);
  return newNode({ node: request.node, name, slot, state: key.approval ? "pending" : "active" }, now);
}

/** Whether the copy has to say something else of who the node is. */
function isRegisteredAnew(before: StoredNode, after: StoredNode): boolean {
  return (
    before.identity !== after.identity || before.machineId !== after.machineId || before.keyId !== after.keyId
  );
}

function refuseKnown(known: StoredNode, request: EnrolRequest): Refusal | undefined {
  if (known.identity !== null && known.identity !== request.identity)
    return {
      problem: "wrong-address",
      detail: `node ${known.node} is known with another public key; delete the node if its identity was really made anew`,
    };
  if (known.machineId !== null && known.machineId !== request.machineId)
    return {
      problem: "cloned-identity",
      detail: `the ZeroTier identity ${known.node} belongs to another machine, "${known.name}" (slot ${known.slot}). On this one: systemctl stop zerotier-one; rm /var/lib/zerotier-one/identity.*; systemctl start zerotier-one; then enrol again. If it is the same machine with a new machine id, delete the node first`,
    };
  return known.state === "revoked" ? revoked(known.node) : undefined;
}

function refused(refusal: Refusal): LeaseOutcome {
  return { ok: false, refusal };
}
