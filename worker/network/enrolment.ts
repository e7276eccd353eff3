// The one decision on an enrolment, made within one transaction: who is refused, which slot is leased, and
// what has to be told to others afterwards.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Config } from "../config/config.ts";
import type { Deed } from "../lease/deed.ts";
import type { NodeId } from "../lease/ids.ts";
import { matchesName } from "../lease/name.ts";
import type { Pool } from "../lease/pool.ts";
import { queueCopy, queueMember } from "../outbox/queue.ts";
import { takeSlot } from "../reconcile/take-slot.ts";
import type { EnrolmentKey } from "../store/key-store.ts";
import type { Reservation } from "../store/reservation-store.ts";
import { newNode, type StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { noteEnrolled } from "./first-boots.ts";
import { overlapRefusal } from "./overlap.ts";
import { takeReserved } from "./take-reserved.ts";

/** An enrolment whose proof was checked. */
export interface EnrolRequest {
  /** SHA-256 of the enrolment key. */
  readonly keyHash: string;
  readonly node: NodeId;
  readonly identity: string;
  /** The identity's, 64 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly machineId: string;
  readonly localPrefixes: readonly string[];
  /** Where it calls from, as the Worker sees it; null when that is not known. */
  readonly address: string | null;
  /** What the host says of itself, as JSON. */
  readonly facts: string | null;
}

/** The key, when it lets the node in under its name. */
export function admit(
  { keys, nodes }: Stores,
  { keyHash, node, name }: EnrolRequest,
  now: number,
): Result<EnrolmentKey, Refusal> {
  const known = nodes.get(node);
  const admitted = keys.admit(keyHash, node, known?.keyId ?? null, now);
  if (!admitted.ok) {
    if (admitted.error === "revoked") return err({ problem: "revoked", reason: "barred", node });
    return err({ problem: admitted.error });
  }
  const { id, names } = admitted.value;
  // The operator may have renamed one that came in by this very key.
  const called = known?.name ?? name;
  return names === null || known?.keyId === id || matchesName(called, names)
    ? admitted
    : err({ problem: "name-not-allowed", name: called, pattern: names });
}

/**
 * Leases a slot to the node, or finds the lease that it has. Changes all that belongs together at once: the
 * node's row, the slot, the key's use, and the outbox. A server that only asks again changes nothing that is
 * published: KV takes 1,000 writes a day on the free plan.
 */
export function leaseTo(
  stores: Stores,
  config: Config,
  request: EnrolRequest,
  now: number,
): Result<StoredNode, Refusal> {
  return stores.transaction(() => {
    const admitted = admit(stores, request, now);
    if (!admitted.ok) return admitted;
    const key = admitted.value;
    const known = stores.nodes.get(request.node);
    const refusal =
      (known && refuseKnown(known, request, key)) ??
      overlapRefusal(config, request.localPrefixes, key, known);
    if (refusal !== undefined) return err(refusal);
    const found = known === undefined ? newLease(stores, config.pool, request, key, now) : ok(known);
    if (!found.ok) return found;
    const node = found.value;
    // A key that wants approval has not let in one that is in by another.
    const isLetInBy = known === undefined || known.state === "pending" || !key.approval;
    const changed: StoredNode = {
      ...node,
      ...(isLetInBy && { keyId: key.id, ephemeralMinutes: key.ephemeralMinutes }),
      identity: request.identity,
      machineId: request.machineId,
      seenAt: now,
      address: request.address ?? node.address,
      facts: request.facts ?? node.facts,
    };
    stores.nodes.put(changed);
    stores.keys.use(key.id, request.node, now);
    noteEnrolled(stores, changed, now);
    if (known === undefined && changed.state === "active") queueMember(stores, changed.node, now);
    if (known === undefined || isRegisteredAnew(known, changed)) {
      stores.events.add(now, enrolmentDeed(known, changed, key.id), changed);
      queueCopy(stores, changed.node, now);
    }
    return ok(changed);
  });
}

function newLease(
  stores: Stores,
  pool: Pool,
  request: EnrolRequest,
  key: EnrolmentKey,
  now: number,
): Result<StoredNode, Refusal> {
  const place = newPlace(stores, pool, request, key, now);
  if (!place.ok) return place;
  const state = key.approval ? "pending" : "active";
  if (state === "active") stores.formerNodes.remove(request.node);
  return ok({ ...newNode({ ...place.value, node: request.node, state }, now), tags: key.tags });
}

/** Name and slot for a new lease: those that the key keeps, or any. */
function newPlace(
  stores: Stores,
  pool: Pool,
  { node, name }: EnrolRequest,
  { reservedSlot, takesOver }: EnrolmentKey,
  now: number,
): Result<Pick<StoredNode, "name" | "slot">, Refusal> {
  const by = { who: "node", id: node } as const;
  if (reservedSlot !== null) {
    const reservation = stores.reservations.bySlot(reservedSlot);
    // With the reservation goes the key, but for the node that came in by it.
    if (reservation === undefined) return err({ problem: "key-revoked" });
    return takeReserved(stores, pool, reservation, { node, takesOver, by }, now);
  }
  const left = leftByItself(stores, node);
  if (left !== undefined) return takeReserved(stores, pool, left, { node, takesOver: null, by }, now);
  const slot = takeSlot(stores, pool, node, now);
  return slot === undefined
    ? err({ problem: "pool-exhausted" })
    : ok({ name: stores.names.choose(name), slot });
}

/** The reservation whose slot the node had last when it was reserved already, and gave back itself; nobody has it now. */
function leftByItself({ slots, reservations, formerNodes }: Stores, node: NodeId): Reservation | undefined {
  const [last] = slots.formerOf(node);
  if (last === undefined || formerNodes.has(node) || slots.holder(last.slot) !== undefined) return undefined;
  const reservation = reservations.bySlot(last.slot);
  return reservation !== undefined && reservation.createdAt <= last.releasedAt ? reservation : undefined;
}

/** What is noted of a server that came by the key; `before`: the lease that it had. */
function enrolmentDeed(
  before: StoredNode | undefined,
  { node, identity, machineId }: StoredNode,
  key: string,
): Deed {
  const deed = { by: { who: "node", id: node }, action: "enrolled", key } as const;
  if (before === undefined) return deed;
  const isProven = before.identity === identity && before.machineId === machineId;
  return { ...deed, why: isProven ? "by-another-key" : "first-proof" };
}

/** Whether the copy says something of the node's identity that is no longer so. */
function isRegisteredAnew(before: StoredNode, after: StoredNode): boolean {
  return (
    before.identity !== after.identity || before.machineId !== after.machineId || before.keyId !== after.keyId
  );
}

function refuseKnown(
  known: StoredNode,
  request: EnrolRequest,
  { id, reservedSlot }: EnrolmentKey,
): Refusal | undefined {
  const { node, name, slot } = known;
  if (known.identity !== null && known.identity !== request.identity)
    return { problem: "wrong-address", reason: "other-key", node };
  if (known.machineId !== null && known.machineId !== request.machineId)
    return { problem: "cloned-identity", node, name, slot };
  if (known.state === "revoked") return { problem: "revoked", reason: "taken-out", node };
  if (reservedSlot === null || reservedSlot === slot || known.keyId === id) return undefined;
  return { problem: "slot-taken", slot: reservedSlot, hold: { by: "other-slot", node, has: slot } };
}
