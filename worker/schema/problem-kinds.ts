// Every problem that the API can answer with, in one table (RFC 9457). `type` is stable: clients branch on it.
import type { ProblemName } from "../base/refusal.ts";

/** What is the same in every occurrence of a problem. */
export interface ProblemKind {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  readonly title: string;
  /** What happened and what to do about it, for whoever opens the type's address. */
  readonly meaning: string;
}

export const PROBLEMS = {
  "bad-request": {
    status: 400,
    title: "The request is not valid",
    meaning:
      "A field is missing or has the wrong form; `errors` names each. See /openapi.json for what is expected.",
  },
  unauthorized: {
    status: 401,
    title: "No valid token",
    meaning:
      "The call needs `Authorization: Bearer <token>`: the admin token (mba_), a node's own token (mbn_) or, to enrol, an enrolment key (mbk_).",
  },
  "unknown-key": {
    status: 401,
    title: "Unknown enrolment key",
    meaning: "No such enrolment key exists, or it was deleted. Make a new one with POST /v1/keys.",
  },
  "key-revoked": {
    status: 403,
    title: "The enrolment key was taken back",
    meaning:
      "The operator took the key back: it serves none but servers that have a lease by it. Make a new one with POST /v1/keys.",
  },
  "key-expired": {
    status: 403,
    title: "The enrolment key has expired",
    meaning:
      "The key has expired, and it has not let this server in before. Make a new one with POST /v1/keys.",
  },
  "key-spent": {
    status: 403,
    title: "The enrolment key is used up",
    meaning:
      "The key has let in as many servers as it may, and this one is not among them. Make a new one with POST /v1/keys.",
  },
  "name-not-allowed": {
    status: 403,
    title: "The enrolment key does not let in servers of this name",
    meaning:
      "The key is for servers whose names fit its pattern. Name the server so (NAME in /etc/meshboot/meshboot.conf, or its host name), or make another key with POST /v1/keys.",
  },
  "invalid-signature": {
    status: 403,
    title: "The signature is not valid",
    meaning:
      "The signature does not match the identity and the six signed lines. Sign anew; the host signed must be the one in the Host header.",
  },
  "wrong-address": {
    status: 403,
    title: "The node id does not belong to the identity",
    meaning:
      "A ZeroTier node id follows from the public key, and this one does not. Send the content of identity.public unchanged.",
  },
  revoked: {
    status: 403,
    title: "The node is revoked",
    meaning:
      "The operator took this node out of the mesh. It comes back only when the operator approves it (POST /v1/nodes/:node/approve); once deleted, retired or replaced, it comes back with another enrolment key only.",
  },
  forbidden: {
    status: 403,
    title: "The token does not allow this",
    meaning:
      "The token is valid but not for this call: a node may read and release itself only, and an admin token may do what its scopes are for. Use one with the scope that the call needs; POST /v1/tokens makes them.",
  },
  "not-found": {
    status: 404,
    title: "There is no such thing",
    meaning: "Nothing is here under this address or id.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not allowed here",
    meaning: "The address exists, but not for this method; `Allow` lists the methods that it takes.",
  },
  "cloned-identity": {
    status: 409,
    title: "Another machine already uses this ZeroTier identity",
    meaning:
      "Two machines have one identity: an image was made without cleaning it. On the new one stop zerotier-one, delete /var/lib/zerotier-one/identity.*, start it and enrol again. If it is the same machine after a reinstall with a new machine id, delete the node first; retire it to keep a reserved name and slot.",
  },
  overlap: {
    status: 409,
    title: "The mesh's addresses overlap the server's own networks",
    meaning:
      "Routing the mesh would cut the server off from the network named in `prefix`. Give that network other addresses; a Worker that has no lease yet also takes other ranges (ZEROTIER_RANGE, DOCKER_POOL). Or allow it, to the Worker and to the agent: user-data that is made with `key.allowOverlap` does both; on a server that runs already, put a key made with allowOverlap into /etc/meshboot/key and the line ALLOW_OVERLAP=on into /etc/meshboot/meshboot.conf.",
  },
  "name-taken": {
    status: 409,
    title: "Another node has this name",
    meaning:
      "Names are unique in the mesh. Choose another one, or rename or delete the node that has it. Where the name is reserved, a key with `takeover` lets another server take the place of that node.",
  },
  "name-reserved": {
    status: 409,
    title: "The name is reserved",
    meaning:
      "A reservation keeps the name, with its slot, for servers that come with a key made for it: a key whose `reservation` it is. Choose another name, or delete the reservation (DELETE /v1/reservations/:name).",
  },
  "slot-taken": {
    status: 409,
    title: "The slot is not free",
    meaning:
      "The slot is leased, reserved, in quarantine, excluded, or outside the pool; or the node already holds another one, which never changes until the node is deleted. Leave slot out to get a free one.",
  },
  "idempotency-key-used": {
    status: 409,
    title: "The Idempotency-Key was used before",
    meaning:
      "A call with this Idempotency-Key made user-data that cannot be given again: the request was another one, its enrolment key was deleted or taken back, or the admin token was changed since. Choose another Idempotency-Key, or send the same body.",
  },
  "limit-reached": {
    status: 409,
    title: "There are as many as there may be",
    meaning: "No more of these are kept. Delete some that are not needed any more.",
  },
  "plan-outdated": {
    status: 409,
    title: "The network is not what the plan was made of",
    meaning:
      "Leases, members or routes were changed since the dry run whose `plan` this is, or it was made with other `nodes`. Nothing was done. Make a new one (POST /v1/adopt?dryRun=true) and look at it.",
  },
  "pool-exhausted": {
    status: 409,
    title: "No slot is free",
    meaning:
      "Every slot is leased, reserved, in quarantine or excluded (GET /v1/pool). Delete nodes that are gone (GET /v1/nodes?state=stale): their slots are free after a quarantine of 7 days. Larger ranges are taken only by a Worker that has no lease.",
  },
  "not-empty": {
    status: 409,
    title: "There are leases, keys or reservations here",
    meaning:
      "A backup is restored, and leases are taken from their copies, only where there is nothing that this could overwrite. Leave leases as they are: deleting a node takes its server out of the mesh. To put something else in their place, deploy anew (docs/worker-lost.md); keys and reservations alone can be deleted first (DELETE /v1/keys/:id, DELETE /v1/reservations/:name).",
  },
  "cannot-host": {
    status: 409,
    title: "The node cannot host the controller",
    meaning:
      "Only a node that is active, and whose agent asks by itself, can start a controller of the mesh's own.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "The body is longer than this call takes.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body must be JSON",
    meaning: "Send `Content-Type: application/json`.",
  },
  "clock-skew": {
    status: 422,
    title: "The timestamp is too far off",
    meaning:
      "The signed timestamp is more than 15 minutes away from the Worker's clock. Take the time from this answer's Date header and sign again.",
  },
  "backup-unfit": {
    status: 422,
    title: "The backup cannot be used here",
    meaning:
      "It is not a whole backup, of another network or pool, or does not hold together; `errors` names each fault. Nothing was restored. A backup beyond the size that POST /v1/restore takes is not made either.",
  },
  "too-many-requests": {
    status: 429,
    title: "Too many requests",
    meaning:
      "This address, or this node, asks too often, or the node leaves and comes back again and again. Wait as long as Retry-After says.",
  },
  internal: {
    status: 500,
    title: "Something went wrong here",
    meaning: "A fault of the Worker itself. Its log has more under the request id in `instance`.",
  },
  "controller-unreachable": {
    status: 503,
    title: "The ZeroTier controller does not answer as it should",
    meaning:
      "A lease that was made stays, and the Worker tries again on its own. Ask again after Retry-After.",
  },
  "controller-unauthorized": {
    status: 503,
    title: "The ZeroTier controller refuses the token",
    meaning:
      "The secret ZEROTIER_TOKEN is wrong or has no rights on the network ZEROTIER_NETWORK. The operator has to set it again.",
  },
  "controller-rate-limited": {
    status: 503,
    title: "The ZeroTier controller's rate limit is reached",
    meaning:
      "More calls are waiting than the controller accepts. The lease stays, and the Worker completes it on its own. Ask again after Retry-After.",
  },
  "former-holder": {
    status: 503,
    title: "The server that had the slot may still be let in",
    meaning:
      "The ZeroTier controller has not taken the slot's former holder out yet, or a call that let it in was not answered and may still take effect. No two servers must have one address, so the new one gets it a little later: ten minutes after such a call. Ask again after Retry-After.",
  },
  "just-restored": {
    status: 503,
    title: "The leases were restored a moment ago",
    meaning:
      "Calls to the ZeroTier controller from before the loss may take effect for ten minutes more, and let in a server that nobody here knows of. So no slot is leased anew until then; servers that have a lease go on. Ask again after Retry-After.",
  },
  "network-unfit": {
    status: 503,
    title: "The ZeroTier network cannot be used as it is",
    meaning:
      "The network's settings keep it from carrying the mesh, and would have to be overwritten; `errors` names each with its remedy.",
  },
  "changed-meanwhile": {
    status: 503,
    title: "The node was changed meanwhile",
    meaning:
      "While the ZeroTier controller was asked about the node or told of its lease, it was changed here: again and again, or so that what was asked for would undo it. Ask again after Retry-After.",
  },
  "agent-not-kept": {
    status: 503,
    title: "The agent could not be kept for this user-data",
    meaning:
      "User-data names the agent of the day it is made, which the Worker keeps in KV so that a later deploy does not take it away. KV takes no write now. Ask again later.",
  },
  "copies-unreachable": {
    status: 503,
    title: "The copies of the leases cannot be read",
    meaning:
      "Workers KV (LEASES), which holds a copy of each lease, does not answer. Nothing was rebuilt. Ask again later.",
  },
  misconfigured: {
    status: 503,
    title: "The Worker is not configured",
    meaning:
      "Settings are missing or wrong; `errors` names every one with its remedy, and so do /healthz and /.",
  },
  busy: {
    status: 503,
    title: "Too many servers ask at once",
    meaning:
      "Proofs of identity are checked one after the other, and so many wait that this one would come too late. Nothing was leased. Ask again after Retry-After.",
  },
  "object-unreachable": {
    status: 503,
    title: "The allocator is out of reach",
    meaning:
      "The Durable Object that holds the leases does not answer, or not in time; or a quota of the Cloudflare account is used up, which is back at midnight UTC. A lease that was made meanwhile stays. Ask again after Retry-After.",
  },
} as const satisfies Record<ProblemName, ProblemKind>;

/** In the table's order. */
export const PROBLEM_NAMES = Object.keys(PROBLEMS).filter(isProblemName);

export function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name);
}

export function problemKind(name: ProblemName): ProblemKind {
  return PROBLEMS[name];
}
