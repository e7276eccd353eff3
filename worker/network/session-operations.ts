// Sessions: what a browser carries in place of an admin token. A session is good for some hours, and no longer than its token.
import { makeId } from "../base/made-id.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import type { Operator } from "../lease/deed.ts";
import type { NewSession, SessionView } from "../schema/session.ts";
import { adminTokenState } from "../store/admin-token-store.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Session } from "../store/session-store.ts";
import { type AdminTokenBearer, adminTokenBearer, goodAdminToken, ROOT } from "./admin-token-operations.ts";
import type { NetworkContext } from "./network-context.ts";

/** SHA-256 of the admin token that the settings have, which is in no table. */
export type RootHash = string;

/** Who carries a session, and which. */
export interface SessionBearer extends AdminTokenBearer {
  readonly session: Pick<SessionView, "id" | "expiresAt">;
}

/** Begins a session with an admin token, by that token's SHA-256. */
export async function beginSession(
  net: NetworkContext,
  { tokenHash, rootHash, address }: { tokenHash: string; rootHash: RootHash; address: string | null },
): Promise<Result<NewSession, Refusal>> {
  const { stores, now, randomBytes } = net;
  const secret = makeSecret("mbs", randomBytes);
  const hash = await sha256Hex(secret);
  const bearer = bearerOfToken(net, tokenHash, rootHash);
  if (!bearer.ok) return bearer;
  const createdAt = now();
  const session: Session = {
    id: makeId(randomBytes),
    tokenHash,
    tokenId: bearer.value.id,
    address,
    createdAt,
    expiresAt: createdAt + LIMITS.sessionSeconds * 1000,
  };
  return stores.transaction(() => {
    const kept = stores.sessions.list(LIMITS.sessions, undefined);
    const [live, over] = partition(kept, (one) => isLive(net, one, rootHash));
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
export function sessionBearer(
  net: NetworkContext,
  hash: string,
  rootHash: RootHash,
): Result<SessionBearer, Refusal> {
  const session = net.stores.sessions.byHash(hash);
  if (session === undefined || session.expiresAt <= net.now())
    return err({ problem: "unauthorized", reason: "session-over" });
  const bearer = bearerOfToken(net, session.tokenHash, rootHash);
  if (!bearer.ok) return bearer;
  const { id, expiresAt } = sessionView(session);
  return ok({ ...bearer.value, session: { id, expiresAt } });
}

/** The sessions that are good, in the order of their beginning, at most `limit`, those after the place. */
export function listSessions(
  net: NetworkContext,
  rootHash: RootHash,
  limit: number,
  after: MadePlace | undefined,
): SessionView[] {
  return net.stores.sessions
    .list(LIMITS.sessions, after)
    .filter((session) => isLive(net, session, rootHash))
    .slice(0, limit)
    .map(sessionView);
}

/** Whether a session (or, without one, an admin token) is good still, by its id: for one who was let in before. */
export function isStillGood(
  { stores, now }: NetworkContext,
  { session: id, token: tokenId }: { readonly session: string | null; readonly token: string },
): boolean {
  if (id !== null) {
    const session = stores.sessions.byId(id);
    if (session === undefined || session.expiresAt <= now()) return false;
  }
  // That of the settings changes with the object's start alone, which ends whatever is open.
  if (tokenId === ROOT.id) return true;
  const token = stores.adminTokens.byId(tokenId);
  return token !== undefined && adminTokenState(token, now()) === "valid";
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
function isLive(net: NetworkContext, { expiresAt, tokenHash }: Session, rootHash: RootHash): boolean {
  return expiresAt > net.now() && (tokenHash === rootHash || goodAdminToken(net, tokenHash).ok);
}

function bearerOfToken(
  net: NetworkContext,
  hash: string,
  rootHash: RootHash,
): Result<AdminTokenBearer, Refusal> {
  return hash === rootHash ? ok(ROOT) : adminTokenBearer(net, hash);
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
