// Sessions: what a browser carries in place of an admin token. A session is good for some hours, and no longer than its token.
import { makeId } from "../base/made-id.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { makeSecret, sha256Hex } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import type { NewSession, SessionView } from "../schema/session.ts";
import type { MadePlace } from "../store/made-place.ts";
import type { Session } from "../store/session-store.ts";
import { type AdminTokenBearer, adminTokenBearer, ROOT } from "./admin-token-operations.ts";
import type { NetworkContext } from "./network-context.ts";

/** SHA-256 of the admin token that the settings have, which is in no table. */
export type RootHash = string;

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
    // What is over goes, and to make room the oldest.
    const leaving = kept.filter(
      ({ expiresAt }, at) => expiresAt <= createdAt || at <= kept.length - LIMITS.sessions,
    );
    for (const { id } of leaving) stores.sessions.remove(id);
    stores.sessions.add(session, hash);
    return ok({ ...sessionView(session), session: secret });
  });
}

/** Who carries the session with this SHA-256: the bearer of the token that it was begun with, as long as that is good. */
export function sessionBearer(
  net: NetworkContext,
  hash: string,
  rootHash: RootHash,
): Result<AdminTokenBearer, Refusal> {
  const session = net.stores.sessions.byHash(hash);
  if (session === undefined || session.expiresAt <= net.now())
    return err({ problem: "unauthorized", reason: "session-over" });
  return bearerOfToken(net, session.tokenHash, rootHash);
}

/** The sessions that are not over, in the order of their beginning, at most `limit`, those after the place. */
export function listSessions(
  { stores, now }: NetworkContext,
  limit: number,
  after: MadePlace | undefined,
): SessionView[] {
  return stores.sessions
    .list(LIMITS.sessions, after)
    .filter(({ expiresAt }) => expiresAt > now())
    .slice(0, limit)
    .map(sessionView);
}

/** Ends a session, by its id. */
export function endSession({ stores }: NetworkContext, id: string): Result<true, Refusal> {
  return stores.transaction(() => {
    if (stores.sessions.byId(id) === undefined)
      return err({ problem: "not-found", missing: { what: "session", id } });
    stores.sessions.remove(id);
    return ok(true);
  });
}

/** Ends the session of whoever carries it, by its SHA-256. */
export function signOut({ stores }: NetworkContext, hash: string): true {
  return stores.transaction(() => {
    const session = stores.sessions.byHash(hash);
    if (session !== undefined) stores.sessions.remove(session.id);
    return true;
  });
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
