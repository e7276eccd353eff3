// Sessions: what a browser carries in place of an admin token. A session is good for some hours, and no longer than its token.
import { makeId } from "../base/made-id.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { scopesByAccess } from "../config/access.ts";
import { LIMITS } from "../config/limits.ts";
import type { Operator } from "../lease/deed.ts";
import type { NewSession, SessionView } from "../schema/session.ts";
import { adminTokenState } from "../store/admin-token-store.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Session } from "../store/session-store.ts";
import {
  type AdminTokenBearer,
  adminTokenBearer,
  goodAdminToken,
  isRootToken,
  ROOT,
} from "./admin-token-operations.ts";
import type { NetworkContext } from "./network-context.ts";

/** Who carries a session, and which. */
export interface SessionBearer extends AdminTokenBearer {
  readonly session: Pick<SessionView, "id" | "expiresAt">;
}

/** Whoever begins a session: with an admin token of this SHA-256, or let in under this e-mail by an application of Cloudflare Access. */
export type SignIn = { readonly tokenHash: string } | { readonly email: string; readonly audience: string };

/**
 * In place of the SHA-256 of a token, before the application's audience tag and the e-mail: a token's has 64 hex digits, and so is never
 * mistaken for it.
 */
const BY_ACCESS = "access";

/** Begins a session. */
export async function beginSession(
  net: NetworkContext,
  { address, ...signIn }: SignIn & { readonly address: string | null },
): Promise<Result<NewSession, Refusal>> {
  const { stores, now, randomBytes } = net;
  const secret = makeSecret("mbs", randomBytes);
  const hash = await sha256Hex(secret);
  const [tokenHash, seconds] =
    "email" in signIn
      ? [`${BY_ACCESS} ${signIn.audience} ${signIn.email}`, LIMITS.accessSessionSeconds]
      : [signIn.tokenHash, LIMITS.sessionSeconds];
  const bearer = bearerOf(net, tokenHash);
  if (!bearer.ok) return bearer;
  const createdAt = now();
  const session: Session = {
    id: makeId(randomBytes),
    tokenHash,
    tokenId: bearer.value.id,
    address,
    createdAt,
    expiresAt: createdAt + seconds * 1000,
  };
  return stores.transaction(() => {
    const kept = stores.sessions.list(LIMITS.sessions, undefined);
    const [live, over] = partition(kept, (one) => isLive(net, one));
    const [own, others] = partition(live, (one) => one.tokenHash === tokenHash);
    const room = Math.min(LIMITS.sessionsOfToken, LIMITS.sessions - others.length);
    if (room < 1) return err({ problem: "limit-reached", what: "session", most: LIMITS.sessions });
    for (const { id } of over) stores.sessions.remove(id);
    // Whoever has one token must not sign out those who have another.
    for (const oldest of own.slice(0, Math.max(0, own.length + 1 - room))) end(net, oldest, byToken(session));
    stores.sessions.add(session, hash);
    stores.events.add(createdAt, { by: byToken(session), action: "session-begun", token: session.tokenId });
    return ok({ ...sessionView(session), session: secret });
  });
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (belongs(item) ? "yes" : "no"));
  return [yes, no];
}

/** Who carries the session with this SHA-256: the bearer of the token that it was begun with, as long as that is good. */
export function sessionBearer(net: NetworkContext, hash: string): Result<SessionBearer, Refusal> {
  const session = net.stores.sessions.byHash(hash);
  if (session === undefined || session.expiresAt <= net.now())
    return err({ problem: "unauthorized", reason: "session-over" });
  const bearer = bearerOf(net, session.tokenHash);
  if (!bearer.ok) return bearer;
  const { id, expiresAt } = sessionView(session);
  return ok({ ...bearer.value, session: { id, expiresAt } });
}

/** The sessions that are good, in the order of their beginning, at most `limit`, those after the place. */
export function listSessions(
  net: NetworkContext,
  limit: number,
  after: MadePlace | undefined,
): SessionView[] {
  return net.stores.sessions
    .list(LIMITS.sessions, after)
    .filter((session) => isLive(net, session))
    .slice(0, limit)
    .map(sessionView);
}

/** Whether a session (or, without one, an admin token) is good still, by its id: for one who was let in before. */
export function isStillGood(
  net: NetworkContext,
  { session: id, token: tokenId }: { readonly session: string | null; readonly token: string },
): boolean {
  if (id !== null) {
    const session = net.stores.sessions.byId(id);
    return session !== undefined && isLive(net, session);
  }
  // That of the settings changes by a deployment, which ends whatever is open.
  if (tokenId === ROOT.id) return true;
  const token = net.stores.adminTokens.byId(tokenId);
  return token !== undefined && adminTokenState(token, net.now()) === "valid";
}

/** Ends a session, by its id. */
export function endSession(net: NetworkContext, id: string, by: Operator): Result<true, Refusal> {
  return net.stores.transaction(() => {
    const session = net.stores.sessions.byId(id);
    if (session === undefined) return err({ problem: "not-found", missing: { what: "session", id } });
    end(net, session, by);
    return ok(true);
  });
}

/** Ends the session of whoever carries it, by its SHA-256. */
export function signOut(net: NetworkContext, hash: string): true {
  return net.stores.transaction(() => {
    const session = net.stores.sessions.byHash(hash);
    if (session !== undefined) end(net, session, byToken(session));
    return true;
  });
}

function end({ stores, now }: NetworkContext, { id, tokenId }: Session, by: Operator): void {
  stores.sessions.remove(id);
  stores.events.add(now(), { by, action: "session-ended", token: tokenId });
}

function byToken({ tokenId }: Session): Operator {
  return { who: "operator", id: tokenId };
}

/** Whether it is good still, which is no use of its token. */
function isLive(net: NetworkContext, { expiresAt, tokenHash }: Session): boolean {
  if (expiresAt <= net.now()) return false;
  if (isByAccess(tokenHash)) return bearerOf(net, tokenHash).ok;
  return isRootToken(net, tokenHash) || goodAdminToken(net, tokenHash).ok;
}

function isByAccess(tokenHash: string): boolean {
  return tokenHash.startsWith(`${BY_ACCESS} `);
}

/** Of an admin token, or of whom Access let in, with the scopes that the settings give to the e-mail by now. */
function bearerOf(net: NetworkContext, tokenHash: string): Result<AdminTokenBearer, Refusal> {
  if (!isByAccess(tokenHash)) return adminTokenBearer(net, tokenHash);
  const { access } = net.config;
  const [, audience, email = ""] = tokenHash.split(" ");
  const scopes = access?.audience === audience ? scopesByAccess(access, email) : [];
  return scopes.length === 0
    ? err({ problem: "unauthorized", reason: "no-scope-by-access" })
    : ok({ id: email, scopes: [...scopes] });
}

function sessionView({ id, tokenId, address, createdAt, expiresAt }: Session): SessionView {
  return {
    id,
    token: tokenId,
    address,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
