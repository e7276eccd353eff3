// Admin tokens: made, listed, rotated, revoked and deleted by whoever has one with the scope `admin`. A secret leaves the object once,
// when its token is made.
import { isoTime } from "../base/iso-time.ts";
import { makeId } from "../base/made-id.ts";
import { isQuotaUsedUp } from "../base/quota.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { SCOPES, type Scope } from "../base/scope.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { HOUR_MS } from "../base/time-units.ts";
import { LIMITS } from "../config/limits.ts";
import { FORMER, type Operator } from "../lease/deed.ts";
import type {
  AdminTokenRotation,
  AdminTokenTerms,
  AdminTokenView,
  NewAdminToken,
} from "../schema/admin-token.ts";
import { type AdminToken, adminTokenEnd, adminTokenState, isUseNews } from "../store/admin-token-store.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Stores } from "../store/stores.ts";
import type { NetworkContext } from "./network-context.ts";

/** Who carries an admin token: its id, and what it is good for. */
export interface AdminTokenBearer {
  readonly id: string;
  readonly scopes: Scope[];
}

/** The bearer of the admin token that the settings have. */
export const ROOT: AdminTokenBearer = { id: "root", scopes: [...SCOPES] };

/** The admin token with this SHA-256, if it is good. */
export function goodAdminToken({ stores, now }: NetworkContext, hash: string): Result<AdminToken, Refusal> {
  const token = stores.adminTokens.byHash(hash);
  if (token === undefined) return err({ problem: "unauthorized", reason: "wrong-admin-token" });
  const state = adminTokenState(token, now());
  return state === "valid" ? ok(token) : err({ problem: "unauthorized", reason: `admin-token-${state}` });
}

/** Whether it is the SHA-256 of the admin token that the settings have. */
export function isRootToken({ stores }: NetworkContext, hash: string): boolean {
  return stores.rootTokens.byHash(hash)?.replacedAt === null;
}

/** Whose token has this SHA-256, and notes to the hour that it was used. */
export function adminTokenBearer(net: NetworkContext, hash: string): Result<AdminTokenBearer, Refusal> {
  if (isRootToken(net, hash)) return ok(ROOT);
  const token = goodAdminToken(net, hash);
  if (!token.ok) return token;
  const { id, scopes } = token.value;
  if (isUseNews(token.value, net.now())) noteUse(net.stores, id, net.now());
  return ok({ id, scopes: [...scopes] });
}

/** What is only read has to be answered also while nothing can be written: then it is left out. */
function noteUse({ adminTokens, transaction, writePause }: Stores, id: string, at: number): void {
  if (writePause.isOn()) return;
  try {
    transaction(() => adminTokens.use(id, at));
  } catch (error) {
    if (!isQuotaUsedUp(error)) throw error;
  }
}

/** Makes a token with those scopes, for so many seconds, or until it is revoked. */
export async function createAdminToken(
  net: NetworkContext,
  { scopes, expiresIn, note }: AdminTokenTerms,
  by: Operator,
): Promise<Result<NewAdminToken, Refusal>> {
  const life = expiresIn === undefined ? null : expiresIn * 1000;
  return addMade(net, await makeToken(net, { scopes, note: note ?? null }, life), by, () => ok(true));
}

/**
 * Makes a token for the same as another one, which stays good for some hours yet, and never longer than it was to be. Of an expiring
 * one the new one has the whole time again.
 */
export async function rotateAdminToken(
  net: NetworkContext,
  id: string,
  { overlapHours }: AdminTokenRotation,
  by: Operator,
): Promise<Result<NewAdminToken, Refusal>> {
  const { stores, now } = net;
  const old = stores.adminTokens.byId(id);
  if (old === undefined) return notFound(id);
  const life = old.expiresAt === null ? null : old.expiresAt - old.createdAt;
  return addMade(net, await makeToken(net, old, life), by, () => {
    const fault = rotationFault(id, stores.adminTokens.byId(id), now());
    if (fault !== undefined) return err({ problem: "bad-request", faults: [fault] });
    stores.adminTokens.revoke(id, now() + overlapHours * HOUR_MS);
    stores.events.add(now(), { by, action: "token-rotated", token: id });
    return ok(true);
  });
}

function rotationFault(id: string, token: AdminToken | undefined, now: number): string | undefined {
  if (id === FORMER)
    return `id: ${FORMER} is the ADMIN_TOKEN before, which was rotated; end it with POST /v1/tokens/${FORMER}/revoke`;
  const state = token === undefined ? "deleted" : adminTokenState(token, now);
  return state === "valid" ? undefined : `id: the admin token is ${state}; POST /v1/tokens makes another one`;
}

interface MadeToken {
  readonly token: AdminToken;
  readonly secret: string;
  readonly hash: string;
}

/** `life`: ms for which it is good; null: until it is revoked. */
async function makeToken(
  { now, randomBytes }: NetworkContext,
  { scopes, note }: Pick<AdminToken, "scopes" | "note">,
  life: number | null,
): Promise<MadeToken> {
  const secret = makeSecret("mba", randomBytes);
  const hash = await sha256Hex(secret);
  const createdAt = now();
  const expiresAt = life === null ? null : createdAt + life;
  const id = makeId(randomBytes);
  return {
    token: { id, scopes, note, createdAt, expiresAt, lastUsedAt: null, revokedAt: null },
    secret,
    hash,
  };
}

/** Adds the token together with another change, or neither. */
function addMade(
  { stores }: NetworkContext,
  { token, secret, hash }: MadeToken,
  by: Operator,
  change: () => Result<true, Refusal>,
): Result<NewAdminToken, Refusal> {
  return stores.transaction(() => {
    if (stores.adminTokens.count() >= LIMITS.adminTokens)
      return err({ problem: "limit-reached", what: "admin-token", most: LIMITS.adminTokens });
    const changed = change();
    if (!changed.ok) return changed;
    stores.adminTokens.add(token, hash);
    stores.events.add(token.createdAt, { by, action: "token-made", token: token.id });
    return ok({ ...adminTokenView(token, token.createdAt), token: secret });
  });
}

/** Admin tokens in the order of their making, at most `limit`, those after the place. */
export function listAdminTokens(
  { stores, now }: NetworkContext,
  limit: number,
  after: MadePlace | undefined,
): AdminTokenView[] {
  return stores.adminTokens.list(limit, after).map((token) => adminTokenView(token, now()));
}

/** From then on the token is good for nothing; it stays in the list. */
export function revokeAdminToken(
  { stores, now }: NetworkContext,
  id: string,
  by: Operator,
): Result<AdminTokenView, Refusal> {
  return stores.transaction(() => {
    const token = stores.adminTokens.byId(id);
    if (token === undefined) return notFound(id);
    const revokedAt = now();
    if (token.revokedAt !== null && token.revokedAt <= revokedAt) return ok(adminTokenView(token, revokedAt));
    stores.adminTokens.revoke(id, revokedAt);
    if (id === FORMER) stores.rootTokens.revokeFormer(revokedAt);
    stores.events.add(revokedAt, { by, action: "token-revoked", token: id });
    return ok(adminTokenView({ ...token, revokedAt }, revokedAt));
  });
}

/** The same, and it is forgotten. */
export function deleteAdminToken(
  { stores, now }: NetworkContext,
  id: string,
  by: Operator,
): Result<true, Refusal> {
  return stores.transaction(() => {
    if (stores.adminTokens.byId(id) === undefined) return notFound(id);
    if (id === FORMER) stores.rootTokens.revokeFormer(now());
    stores.adminTokens.remove(id);
    stores.events.add(now(), { by, action: "token-deleted", token: id });
    return ok(true);
  });
}

function notFound(id: string): Result<never, Refusal> {
  return err({ problem: "not-found", missing: { what: "admin-token", id } });
}

function adminTokenView(token: AdminToken, now: number): AdminTokenView {
  return {
    id: token.id,
    scopes: [...token.scopes],
    note: token.note,
    createdAt: new Date(token.createdAt).toISOString(),
    expiresAt: isoTime(adminTokenEnd(token)),
    lastUsedAt: isoTime(token.lastUsedAt),
    state: adminTokenState(token, now),
  };
}
