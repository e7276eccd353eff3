// Enrolment keys: made, listed, taken back and deleted by the operator. The secret leaves the object once, when the key is made.
import { z } from "zod";
import { isoTime } from "../base/iso-time.ts";
import { makeId } from "../base/made-id.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import type { Operator } from "../lease/deed.ts";
import type { KeyTerms, KeyView, RevokedKey } from "../schema/key.ts";
import { type EnrolmentKey, keyState, type NewKey } from "../store/key-store.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Stores } from "../store/stores.ts";
import { changeLease, takenOut } from "./change-lease.ts";
import type { NetworkContext } from "./network-context.ts";

/** What a key has or has not. */
type Untold = Pick<EnrolmentKey, "note" | "names" | "ephemeralMinutes" | "reservation" | "userData">;

/** What a new key may do, and the user-data's options as JSON for a key made with one. */
export type KeyRequest = Omit<KeyTerms, keyof Untold> & Untold;

/** A key that is in no table yet: its secret, and what is stored of it. */
export interface MadeKey {
  readonly secret: string;
  readonly hash: string;
  readonly key: NewKey;
}

/** The request for a key with such terms, which carries user-data of such options (JSON). */
export function keyRequest(
  { note, names, ephemeralMinutes, reservation, ...terms }: KeyTerms,
  userData: string | null,
): KeyRequest {
  return {
    ...terms,
    note: note ?? null,
    names: names ?? null,
    ephemeralMinutes: ephemeralMinutes ?? null,
    reservation: reservation ?? null,
    userData,
  };
}

export interface KeyAnswer {
  readonly key: string;
  readonly view: KeyView;
}

export async function createKey(
  net: NetworkContext,
  request: KeyRequest,
  by: Operator,
): Promise<Result<KeyAnswer, Refusal>> {
  const made = await makeKey(net, request);
  const added = net.stores.transaction(() => addKey(net, made, request.takeover, by));
  return added.ok ? ok({ key: made.secret, view: newKeyView(added.value, net.now()) }) : added;
}

/** A new secret, and the key of such terms; bound to no slot yet, see {@link addKey}. */
export async function makeKey(
  { now, randomBytes }: NetworkContext,
  { expiresIn, takeover: _, ...terms }: KeyRequest,
): Promise<MadeKey> {
  const secret = makeSecret("mbk", randomBytes);
  const hash = await sha256Hex(secret);
  const createdAt = now();
  const id = makeId(randomBytes);
  const key = { ...terms, id, createdAt, expiresAt: createdAt + expiresIn * 1000 };
  return { secret, hash, key: { ...key, reservedSlot: null, takesOver: null } };
}

/** Within a transaction: stores the key, bound to the slot of its reservation, if any, and to whoever has that now. */
export function addKey(
  { stores: { keys, reservations, slots, events }, now }: NetworkContext,
  { key, hash }: MadeKey,
  takeover: boolean,
  by: Operator,
): Result<NewKey, Refusal> {
  const { reservation: name } = key;
  const reservation = name === null ? undefined : reservations.byName(name);
  if (name !== null && reservation === undefined)
    return err({ problem: "not-found", missing: { what: "reservation", id: name } });
  const reservedSlot = reservation?.slot ?? null;
  const holder = reservedSlot === null ? undefined : slots.holder(reservedSlot);
  if (takeover && holder === undefined)
    return err({
      problem: "bad-request",
      faults: [`takeover: no node has ${name} now, so there is nothing to take over; leave it out`],
    });
  const bound: NewKey = { ...key, reservedSlot, takesOver: takeover ? (holder ?? null) : null };
  keys.add(bound, hash);
  const action = key.userData === null ? "key-made" : "user-data-made";
  events.add(now(), { by, action, key: key.id }, reservation && { ...reservation, node: bound.takesOver });
  return ok(bound);
}

/** Keys in the order of their making, at most `limit`, those after the key `after`. */
export function listKeys(net: NetworkContext, limit: number, after: MadePlace | undefined): KeyView[] {
  const now = net.now();
  return net.stores.keys.list(limit, after).map((key) => keyView(key, now));
}

export function readKey({ stores, now }: NetworkContext, id: string): Result<KeyView, Refusal> {
  const key = stores.keys.byId(id);
  return key === undefined ? notFound(id) : ok(keyView(key, now()));
}

/** Deletes a key, and user-data that is kept with it; what it let in stays. */
export function deleteKey(net: NetworkContext, id: string, by: Operator): Result<true, Refusal> {
  const removed = net.stores.transaction(() => {
    net.stores.userData.forget(id);
    const isGone = net.stores.keys.remove(id);
    if (isGone) net.stores.events.add(net.now(), { by, action: "key-deleted", key: id });
    return isGone;
  });
  return removed ? ok(true) : notFound(id);
}

/**
 * Takes a key back, for good: it lets in no other server. With `nodes` those go out of the mesh too that came in by it last, and
 * the controller hears of as many as one call may tell it; the alarm sees to the rest. The key stays in the list until it is
 * deleted. A call with an Idempotency-Key gives user-data with it no more.
 */
export async function revokeKey(
  { stores, outbox, now }: NetworkContext,
  id: string,
  { nodes }: { readonly nodes: boolean },
  by: Operator,
): Promise<Result<RevokedKey, Refusal>> {
  // By itself: that nobody else comes in must not hang on how many there are to be taken out.
  const key = stores.transaction(() => {
    if (stores.keys.revoke(id, now())) stores.events.add(now(), { by, action: "key-revoked", key: id });
    stores.userData.forget(id);
    return stores.keys.byId(id);
  });
  if (key === undefined) return notFound(id);
  const revokedNodes = nodes ? stores.transaction(() => takeOut(stores, id, now(), by)) : [];
  await outbox.hurry("member", revokedNodes);
  return ok({ ...keyView(key, now()), revokedNodes });
}

function notFound(id: string): Result<never, Refusal> {
  return err({ problem: "not-found", missing: { what: "key", id } });
}

/** Takes out the nodes that came in by the key, but for those that came in by another one since. Gives all that are out. */
function takeOut(stores: Stores, key: string, now: number, by: Operator): string[] {
  return Array.from(stores.nodes.inOrder("slot", undefined, { kind: "of-key", keyId: key })).map((node) => {
    changeLease(stores, node, takenOut(node), now, { by, action: "revoked", key, why: "with-its-key" });
    return node.node;
  });
}

/** What user-data that carries a key is made of. */
export interface KeyUserData {
  /** The options as JSON; null for a key that was made without user-data. */
  readonly options: string | null;
  readonly allowOverlap: boolean;
}

/** For the user-data that carries the key; undefined when there is no such key. One that lets in nobody any more will do: a server's second boot must not fail. */
export function userDataOf(net: NetworkContext, keyHash: string): KeyUserData | undefined {
  const key = net.stores.keys.byHash(keyHash);
  return key === undefined ? undefined : { options: key.userData, allowOverlap: key.allowOverlap };
}

/** A key that was just made, as the operator sees it. */
export function newKeyView(key: NewKey, now: number): KeyView {
  return keyView({ ...key, uses: 0, lastUsedAt: null, revokedAt: null }, now);
}

const storedOptions = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** The options of user-data, whatever an earlier version knew of them. */
function optionsOf(userData: string): KeyView["options"] {
  return storedOptions.parse(JSON.parse(userData));
}

/** A key as the operator sees it. */
export function keyView(key: EnrolmentKey, now: number): KeyView {
  return {
    id: key.id,
    createdAt: new Date(key.createdAt).toISOString(),
    lastUsedAt: isoTime(key.lastUsedAt),
    expiresAt: new Date(key.expiresAt).toISOString(),
    maxUses: key.maxUses,
    uses: key.uses,
    state: keyState(key, now),
    approval: key.approval,
    names: key.names,
    ephemeralMinutes: key.ephemeralMinutes,
    reservation: key.reservation,
    takesOver: key.takesOver,
    allowOverlap: key.allowOverlap,
    options: key.userData === null ? null : optionsOf(key.userData),
    tags: [...key.tags],
    note: key.note,
  };
}
