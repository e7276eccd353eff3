// Admin tokens: made, listed, revoked and deleted by whoever has one with the scope `admin`. A secret leaves the object once,
// when its token is made.
import { isoTime } from "../base/iso-time.ts";
import { makeId } from "../base/made-id.ts";
import { isQuotaUsedUp } from "../base/quota.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { SCOPES, type Scope } from "../base/scope.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import type { Operator } from "../lease/deed.ts";
import type { AdminTokenTerms, AdminTokenView, NewAdminToken } from "../schema/admin-token.ts";
import { type AdminToken, adminTokenState, isUseNews } from "../store/admin-token-store.ts";
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

/** Whose token has this SHA-256, and notes to the hour that it was used. */
export function adminTokenBearer(net: NetworkContext, hash: string): Result<AdminTokenBearer, Refusal> {
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

export async function createAdminToken(
  { stores, now, randomBytes }: NetworkContext,
  { scopes, expiresIn, note }: AdminTokenTerms,
  by: Operator,
): Promise<Result<NewAdminToken, Refusal>> {
  const secret = makeSecret("mba", randomBytes);
  const hash = await sha256Hex(secret);
  const createdAt = now();
  const token: AdminToken = {
    id: makeId(randomBytes),
    scopes,
    note: note ?? null,
    createdAt,
    expiresAt: expiresIn === undefined ? null : createdAt + expiresIn * 1000,
    lastUsedAt: null,
    revokedAt: null,
  };
  return stores.transaction(() => {
    if (stores.adminTokens.count() >= LIMITS.adminTokens)
      return err({ problem: "limit-reached", what: "admin-token", most: LIMITS.adminTokens });
    stores.adminTokens.add(token, hash);
    stores.events.add(createdAt, { by, action: "token-made", token: token.id });
    return ok({ ...adminTokenView(token, createdAt), token: secret });
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
    if (token.revokedAt !== null) return ok(adminTokenView(token, now()));
    const revokedAt = now();
    stores.adminTokens.revoke(id, revokedAt);
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
    expiresAt: isoTime(token.expiresAt),
    lastUsedAt: isoTime(token.lastUsedAt),
    state: adminTokenState(token, now),
  };
}
