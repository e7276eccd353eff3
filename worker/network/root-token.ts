// The admin token that the settings have, which changes by a deployment and not by a call. The one before stays good for the agreed
// time, as an admin token by the id `former`, and there is one such at most: who takes it back knows that nothing older is good.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { SCOPES } from "../base/scope.ts";
import { HOUR_MS } from "../base/time-units.ts";
import { FORMER } from "../lease/deed.ts";
import type { NetworkContext } from "./network-context.ts";

/**
 * ms after which nothing of an earlier version of the Worker runs any more: a deployment takes seconds. Settings that have an earlier
 * admin token before that are those of such a leftover; later, that version was deployed again.
 */
const LEFTOVER_MS = 10 * 60_000;

/**
 * The settings have the admin token with this SHA-256, as seen by the object when it starts or by the Worker when it is called: one not
 * seen before takes the place of the present one. Refuses one that is good no more.
 */
export function seeRootToken(net: NetworkContext, hash: string): Result<true, Refusal> {
  const { stores, now } = net;
  const known = stores.rootTokens.byHash(hash);
  if (known === undefined) return becomeRoot(net, hash);
  const { replacedAt, revokedAt } = known;
  if (replacedAt === null) return ok(true);
  // Whatever the settings say: else a deployment rolled back would let the finder of a leaked token in again.
  if (revokedAt !== null) return err({ problem: "unauthorized", reason: "root-token-revoked" });
  if (now() - replacedAt >= LEFTOVER_MS) return becomeRoot(net, hash);
  const former = stores.adminTokens.byHash(hash);
  return former !== undefined && (former.expiresAt ?? 0) > now()
    ? ok(true)
    : err({ problem: "unauthorized", reason: "admin-token-expired" });
}

function becomeRoot({ stores, config, now }: NetworkContext, hash: string): Result<true, Refusal> {
  return stores.transaction(() => {
    const at = now();
    const before = stores.rootTokens.current();
    stores.rootTokens.become(hash, at);
    if (before === undefined) return ok(true);
    stores.adminTokens.remove(FORMER);
    // One that POST /v1/tokens made is what it was.
    if (stores.adminTokens.byHash(before) === undefined) {
      const expiresAt = at + config.adminTokenOverlap * HOUR_MS;
      const note = "the ADMIN_TOKEN before";
      const former = { id: FORMER, scopes: SCOPES, note, createdAt: at, expiresAt };
      stores.adminTokens.add({ ...former, lastUsedAt: null, revokedAt: null }, before);
    }
    stores.events.add(at, {
      by: { who: "operator", id: "root" },
      action: "token-rotated",
      token: FORMER,
    });
    return ok(true);
  });
}
