// What one refusal says beyond its problem's kind: what was seen, and what to do about it. Every text is here.
import type {
  KeptFault,
  Limited,
  MeshRange,
  Missing,
  NotEmpty,
  Refusal,
  RevokedFault,
  SlotHold,
  TokenFault,
} from "../base/refusal.ts";

/** One occurrence of a problem. */
export interface Occurrence {
  readonly detail: string;
  /** Each single fault, when there can be several. */
  readonly errors?: readonly string[];
  /** Seconds after which asking again may help. */
  readonly retryAfter?: number;
  /** The prefix in the way (overlap). */
  readonly prefix?: string;
}

export function occurrenceOf(refusal: Refusal): Occurrence {
  switch (refusal.problem) {
    case "bad-request":
      return { detail: refusal.faults.join("; "), errors: refusal.faults };
    case "unauthorized":
      switch (refusal.reason) {
        case "not-of-node":
          return {
            detail: `the token is not that of node ${refusal.node}: it was replaced by a later enrolment, or the node was deleted; enrol again`,
          };
        case "not-of-copy":
          return { detail: `the token is not that of node ${refusal.node}` };
        default:
          return { detail: TOKEN_FAULTS[refusal.reason] };
      }
    case "unknown-key":
      return {
        detail: "no such enrolment key exists; it may have been deleted. Make a new one with POST /v1/keys",
      };
    case "key-revoked":
      return { detail: "the operator took the enrolment key back; make a new one with POST /v1/keys" };
    case "key-expired":
      return { detail: "the enrolment key has expired; make a new one with POST /v1/keys" };
    case "key-spent":
      return {
        detail: "the enrolment key has let in as many servers as it may; make a new one with POST /v1/keys",
      };
    case "invalid-signature":
      return {
        detail: `the signature does not match the identity and the six signed lines, the second of which must be ${refusal.host}`,
      };
    case "wrong-address":
      return {
        detail:
          refusal.reason === "not-derived"
            ? `the node id ${refusal.node} does not follow from the public key; send the content of identity.public unchanged`
            : `node ${refusal.node} is known with another public key; delete the node if its identity was really made anew`,
      };
    case "revoked":
      return { detail: revokedText(refusal.node)[refusal.reason] };
    case "forbidden":
      return {
        detail: `this call needs an admin token with the scope ${refusal.needs.join(" or ")}; the secret ADMIN_TOKEN has every scope`,
      };
    case "limit-reached":
      return { detail: LIMITED[refusal.what](refusal.most) };
    case "not-found":
      return { detail: missingText(refusal.missing) };
    case "method-not-allowed":
      return { detail: `${refusal.method} is not allowed here; allowed: ${refusal.allowed.join(", ")}` };
    case "cloned-identity":
      return {
        detail: `the ZeroTier identity ${refusal.node} belongs to another machine, "${refusal.name}" (slot ${refusal.slot}). On this one: systemctl stop zerotier-one; rm /var/lib/zerotier-one/identity.*; systemctl start zerotier-one; then enrol again. If it is the same machine with a new machine id, delete the node first; retire it where its name and slot are reserved, which keeps them`,
      };
    case "overlap":
      return {
        detail: `the host is attached to ${refusal.prefix}, which overlaps ${RANGES[refusal.range]}: routing the mesh would cut it off. Give that network other addresses; or allow it with a key made with allowOverlap, and ALLOW_OVERLAP=on in /etc/meshboot/meshboot.conf, which user-data with such a key writes`,
        prefix: refusal.prefix,
      };
    case "name-not-allowed":
      return {
        detail: `the enrolment key lets in servers named ${refusal.pattern}, and this one is ${refusal.name}: give it another NAME in /etc/meshboot/meshboot.conf, or another key`,
      };
    case "name-taken":
      if (refusal.isReserved)
        return {
          detail: `node ${refusal.holder} has the reserved name ${refusal.name}; another server takes its place with a key that says \`takeover\` (POST /v1/nodes/${refusal.holder}/replace makes one)`,
        };
      return {
        detail: `node ${refusal.holder} has the name ${refusal.name}; choose another one, or rename or delete that node`,
      };
    case "name-reserved":
      return {
        detail: `the name ${refusal.name} is reserved with slot ${refusal.slot}, and goes with that alone. Choose another one; a new server gets both by a key with "reservation": "${refusal.name}" (POST /v1/keys), and DELETE /v1/reservations/${refusal.name} gives both up`,
      };
    case "former-holder":
      return {
        detail: `slot ${refusal.slot} was node ${refusal.node}'s, which the ZeroTier controller has not taken out yet, or may still let in by a call that was not answered; the lease stays, and is told to the controller once that cannot happen any more`,
        retryAfter: refusal.retryAfter,
      };
    case "slot-taken":
      return { detail: holdText(refusal.slot, refusal.hold) };
    case "idempotency-key-used":
      return { detail: `${KEPT_FAULTS[refusal.reason]} (enrolment key ${refusal.keyId})` };
    case "plan-outdated":
      return {
        detail:
          "what would be done now is not what the dry run listed whose plan this is; nothing was done by this call. If it was sent before, it may have been done then (GET /v1/nodes). Otherwise look at a new one: POST /v1/adopt?dryRun=true with the same nodes",
      };
    case "pool-exhausted":
      return {
        detail:
          "every slot of the pool is leased, reserved, in quarantine or excluded (GET /v1/pool); delete nodes that are gone (GET /v1/nodes?state=stale), and their slots are free after a quarantine of 7 days",
      };
    case "body-too-large":
      return { detail: `this call takes at most ${refusal.most} bytes` };
    case "unsupported-media-type":
      return {
        detail: refusal.type
          ? `the body is sent as ${JSON.stringify(refusal.type)}; send Content-Type: application/json`
          : "there is no body, or no type for it; send JSON, {} at least, and Content-Type: application/json",
      };
    case "clock-skew":
      return {
        detail: `the timestamp ${refusal.timestamp} is more than 15 minutes from the Worker's clock, ${Math.floor(refusal.now / 1000)}; sign again with the time of this answer's Date header`,
      };
    case "too-many-requests":
      if (refusal.by === "returning-node")
        return {
          detail: "this node has left the mesh and come back too often within an hour; ask again",
          retryAfter: refusal.retryAfter,
        };
      if (refusal.by === "key")
        return {
          detail: "too many reports of first boots within an hour; nothing hangs on them: go on without",
          retryAfter: refusal.retryAfter,
        };
      return { detail: `too many calls ${CALLERS[refusal.by]} within a minute`, retryAfter: 60 };
    case "internal":
      return { detail: "an unexpected fault; the log has it under `instance`" };
    case "controller-unreachable":
    case "controller-unauthorized":
    case "controller-rate-limited":
      return { detail: refusal.fault, retryAfter: refusal.retryAfter };
    case "network-unfit":
      return {
        detail:
          refusal.networkId === undefined
            ? refusal.faults.join(" ")
            : `the ZeroTier network ${refusal.networkId} cannot be used as it is: ${refusal.faults.join(" ")}`,
        errors: refusal.faults,
        retryAfter: 300,
      };
    case "changed-meanwhile":
      return {
        detail:
          "the node was changed while the ZeroTier controller was asked about it or told of its lease; ask again",
        retryAfter: 15,
      };
    case "agent-not-kept":
      return {
        detail: `KV did not take the agent (${refusal.fault}): without it there, this user-data would fail after the next deploy. Ask again later; KV's daily quota of writes is back at midnight UTC`,
        retryAfter: 60,
      };
    case "not-empty":
      return { detail: notEmptyText(refusal) };
    case "cannot-host":
      return {
        detail: `${refusal.name} (${refusal.node}) cannot host the controller: it is not in the mesh, or was set up by hand and has no agent that would start it. Give another node`,
      };
    case "just-restored":
      return {
        detail:
          "the leases were restored a moment ago: for ten minutes a call to the ZeroTier controller from before may still let in a server that is not known here, so no slot is leased anew until then. Ask again",
        retryAfter: refusal.retryAfter,
      };
    case "backup-unfit":
      return { detail: refusal.faults.join("; "), errors: refusal.faults };
    case "copies-unreachable":
      return {
        detail: `Workers KV does not give the copies of the leases: ${refusal.fault}`,
        retryAfter: 60,
      };
    case "misconfigured":
      return {
        detail: `the Worker's settings have ${refusal.faults.length} fault(s): ${refusal.faults.join("; ")}`,
        errors: refusal.faults,
      };
    case "busy":
      return {
        detail: `so many servers ask at once that this one's turn would come too late; nothing was leased. Ask again in ${refusal.retryAfter} s`,
        retryAfter: refusal.retryAfter,
      };
    case "object-unreachable":
      return {
        detail: UNREACHABLE[refusal.reason],
        retryAfter: refusal.reason === "used-up" ? refusal.retryAfter : 10,
      };
  }
}

const CALLERS = { address: "from this address", node: "of this node" } as const;

const UNREACHABLE = {
  failed: "the Durable Object that holds the leases does not answer; ask again",
  late: "the Durable Object that holds the leases has not answered in time: it is busy with other servers, or out of reach. A lease that it made meanwhile stays; ask again",
  overloaded: "the Durable Object that holds the leases is asked by more servers than it can take; ask again",
  "used-up":
    "a quota of the Cloudflare account is used up: the Durable Object that holds the leases can neither read nor write. Servers that are in the mesh run on; no other gets in until the day's quotas are back at midnight UTC, or the account has a paid plan (with one: until its spending limit is raised). The account's usage pages show what used it. Nothing has to be done on a server: it asks again on its own",
} as const;

function revokedText(node: string): Readonly<Record<RevokedFault, string>> {
  return {
    "taken-out": `node ${node} was revoked by the operator; it comes back by POST /v1/nodes/${node}/approve`,
    barred:
      "the operator deleted this node, which this enrolment key had let in; it comes back with another key only",
    replaced: `the operator replaced node ${node}: another server has its name and its addresses now. It comes back, under other ones, with a new enrolment key only`,
    retired: `the operator retired node ${node}: its name and its slot are reserved for the server that comes with a key for them`,
    deleted: `the operator deleted node ${node}; it comes back with a new enrolment key only`,
  };
}

const TOKEN_FAULTS: Readonly<Record<TokenFault, string>> = {
  "no-key": "enrolling needs `Authorization: Bearer mbk_…`, an enrolment key",
  "late-proof":
    "a report without the key itself is taken once, with a later clock than the one before, and not of a server that is in",
  "no-admin-token": "this call needs `Authorization: Bearer mba_…`, the admin token",
  "no-node-token": "this call needs `Authorization: Bearer mbn_…`, the node's own token",
  "no-token": "this call needs `Authorization: Bearer …` with the admin token or the node's own token",
  "wrong-admin-token":
    "the admin token is neither the one that is configured (the secret ADMIN_TOKEN, or the adminToken in dev.json of `npm start`) nor one that POST /v1/tokens made",
  "admin-token-expired": "the admin token has expired; POST /v1/tokens makes another one",
  "admin-token-revoked": "the admin token was revoked; POST /v1/tokens makes another one",
  "root-token-revoked":
    "the secret ADMIN_TOKEN is one that was taken back, and changes nothing any more: set another one with `npx wrangler secret put ADMIN_TOKEN`",
  "no-scope-by-access":
    "Cloudflare Access let you in, but ACCESS_SCOPES gives nothing to your e-mail: have whoever deploys this Worker add it, or sign in with an admin token",
  "session-over": "the session is over: sign in again with an admin token (POST /v1/sessions)",
};

const LIMITED: Readonly<Record<Limited, (most: number) => string>> = {
  "admin-token": (most) =>
    `there are ${most} admin tokens, revoked and expired ones among them; delete some with DELETE /v1/tokens/:id`,
  session: (most) =>
    `there are ${most} sessions, and those of other admin tokens are not ended for yours; end some with DELETE /v1/sessions/:id, or wait until they are over`,
  webhook: (most) =>
    `there are ${most} webhooks; delete one that you need no more with DELETE /v1/webhooks/:id, or let one receiver tell the others`,
  listener: (most) =>
    `${most} listen already; close pages of the dashboard that are open, or end commands that follow events`,
};

function notEmptyText({ leases, keys, reservations, waiting }: NotEmpty): string {
  if (leases + keys + reservations === 0)
    return `${waiting} change(s) are still to be told to the ZeroTier controller: ask again when GET /healthz has none`;
  return `${leases} lease(s), ${keys} key(s) and ${reservations} reservation(s) are here, and nothing was done: it would overwrite them. With leases, leave them as they are, since deleting a node takes its server out of the mesh; to put something else in their place, deploy anew (docs/worker-lost.md). Keys and reservations alone can be deleted first (DELETE /v1/keys/:id, /v1/reservations/:name)`;
}

const KEPT_FAULTS: Readonly<Record<KeptFault, string>> = {
  "other-request":
    "this Idempotency-Key has been used for user-data of another kind; send the same body as then, or choose another one",
  "key-deleted":
    "the user-data that this Idempotency-Key made is not kept any more: its enrolment key was deleted or taken back, or a backup was restored, which holds none; choose another one",
  "seal-lost":
    "the user-data that this Idempotency-Key made was sealed before ADMIN_TOKEN and ZEROTIER_TOKEN were changed at once, and cannot be read; choose another one",
};

const RANGES: Readonly<Record<MeshRange, string>> = {
  docker: "the Docker pool (DOCKER_POOL)",
  zerotier: "the ZeroTier range (ZEROTIER_RANGE)",
  "six-plane": "the network's 6PLANE prefix",
};

function missingText(missing: Missing): string {
  switch (missing.what) {
    case "address":
      return missing.meant === undefined
        ? "nothing is under this address; /openapi.json lists the calls"
        : `nothing is under this address, in which a slash is doubled or stands at the end: ${missing.meant} may be meant`;
    case "problem":
      return "there is no problem by that name";
    case "key-in-address":
      return "there is no such enrolment key; it may have been deleted. Make a new one with POST /v1/keys";
    case "node":
      return `there is no node ${missing.id}; GET /v1/nodes lists them`;
    case "agent":
      return `neither this Worker nor an earlier deploy had the agent ${missing.id}: make new user-data, or give meshboot upgrade the SHA-256 that GET /agent names`;
    case "reservation":
      return `the name ${missing.id} is not reserved; GET /v1/reservations lists those that are`;
    case "own-controller":
      return "no node of the mesh hosts its controller: ZEROTIER_CONTROLLER is not own";
    case "admin-token":
      return `there is no admin token ${missing.id}; GET /v1/tokens lists them`;
    case "session":
      return `there is no session ${missing.id}; GET /v1/sessions lists them`;
    case "key":
      return `there is no enrolment key ${missing.id}; GET /v1/keys lists them`;
    case "webhook":
      return `there is no webhook ${missing.id}; GET /v1/webhooks lists them`;
  }
}

const FREE_ONE = "leave slot out to get a free one";

function holdText(slot: number, hold: SlotHold): string {
  switch (hold.by) {
    case "pool":
      return `slot ${slot} is outside the pool, which has slots from 1 to the total of GET /v1/pool`;
    case "lease":
      return `slot ${slot} is leased to another node; ${FREE_ONE}`;
    case "controller":
      return `slot ${slot} is still node ${hold.node}'s at the ZeroTier controller, which has not taken its removal yet`;
    case "quarantine":
      return `slot ${slot} is in quarantine until ${new Date(hold.until).toISOString()}; ${FREE_ONE}`;
    case "reservation":
      return `slot ${slot} is reserved for ${hold.name}; ${FREE_ONE}`;
    case "exclusion":
      return `slot ${slot} is excluded: a route or an address in the ZeroTier network that is not ours is in it (GET /v1/pool): take that away there, or choose another slot`;
    case "other-slot":
      return `node ${hold.node} holds slot ${hold.has}, which never changes; delete the node first to lease it slot ${slot}`;
  }
}
