import { DAY_MS, HOUR_MS, MINUTE_MS } from "../base/time-units.ts";

/** What a lease is: waiting for the operator, in use, in use but not seen lately, not seen for long, withdrawn. */
export const LEASE_STATES = ["pending", "active", "offline", "stale", "revoked"] as const;

export type LeaseState = (typeof LEASE_STATES)[number];

/** What a node can be shown as: the state of its lease; and `failed`, beside it, when its last report is of a failure. */
export const SHOWN_STATES = [...LEASE_STATES, "failed"] as const;

export type ShownState = (typeof SHOWN_STATES)[number];

/** How long a lease lives without being seen, in ms. */
export interface LeaseTimes {
  /** Unseen for so long, it is `offline`: shown as such, nothing else. */
  readonly offlineAfter: number;
  /** Unseen for so long, it is `stale`: it is told to no other node any more. */
  readonly staleAfter: number;
  /** Unseen for so long, it is `released`: the node has lost its slot. */
  readonly releaseAfter: number;
  /** A released slot stays unused for so long: peers may still hold routes to its last holder. */
  readonly quarantine: number;
}

/** The agent calls hourly, give or take ten minutes: three calls are missed then. A week unseen is no hiccup; a month off covers a server switched off for holidays. */
export const defaultLeaseTimes: LeaseTimes = {
  offlineAfter: 3.5 * HOUR_MS,
  staleAfter: 7 * DAY_MS,
  releaseAfter: 30 * DAY_MS,
  quarantine: 7 * DAY_MS,
};

/** Minutes unseen after which an ephemeral lease may end: not while it can be a few calls that were missed. */
export const EPHEMERAL_MINUTES = {
  least: defaultLeaseTimes.offlineAfter / MINUTE_MS,
  most: defaultLeaseTimes.releaseAfter / MINUTE_MS,
} as const;

/** Runs that look at the leases come hourly; after a longer gap nobody has looked, and perhaps nobody could call. */
const LONGEST_GAP = 6 * HOUR_MS;

/** The part of a lease on which time acts. `seenAt`: last enrolment or heartbeat, ms since 1970. */
export interface AgingLease {
  readonly state: LeaseState;
  readonly seenAt: number;
  /** Never offline, and never released by time: a server without an agent does not call, however alive it is. */
  readonly kept: boolean;
  /** Minutes unseen after which an ephemeral lease is over; null for a lasting one. */
  readonly ephemeralMinutes: number | null;
}

/** The state to show of a lease that stands: time makes an active one offline, then stale, and a call makes it active again. */
export function stateAt(
  { state, seenAt, kept }: Omit<AgingLease, "ephemeralMinutes">,
  now: number,
  times: LeaseTimes = defaultLeaseTimes,
): LeaseState {
  if (state !== "active") return state;
  if (now - seenAt >= times.staleAfter) return "stale";
  return !kept && now - seenAt >= times.offlineAfter ? "offline" : "active";
}

/** Since when somebody has looked at the leases, and servers were heard: see {@link watchedSince} and {@link heardSince}. */
export interface Watch {
  readonly unbrokenSince: number;
  readonly heardSince: number;
}

/** In so long each server has called that can, be a run or a call late. */
export const HEARD_WITHIN = 2 * HOUR_MS;

/** Start of the unbroken series of runs that the one at `now` belongs to. `before`: the run before. All in ms since 1970. */
export function watchedSince(
  before: { readonly at: number; readonly unbrokenSince: number } | undefined,
  now: number,
): number {
  return before !== undefined && now - before.at <= LONGEST_GAP ? before.unbrokenSince : now;
}

/**
 * The same of the series of runs at each of which some server had been heard just before: while none is, it is likelier that
 * none can call.
 */
export function heardSince(
  before: { readonly at: number; readonly heardSince: number } | undefined,
  isAnyHeard: boolean,
  now: number,
): number {
  return before !== undefined && isAnyHeard && now - before.at <= HEARD_WITHIN ? before.heardSince : now;
}

/**
 * Whether time ends the lease at `now` (ms since 1970): it was not seen for so long, the last part of which, as long
 * as makes a lease stale, there was somebody to see it. An ephemeral one ends when it missed its calls while others were heard.
 * So an outage ends none. Pending ones that nobody asks for any more end too, revoked ones never.
 */
export function isOver(
  lease: AgingLease,
  now: number,
  { unbrokenSince, heardSince }: Watch,
  times: LeaseTimes = defaultLeaseTimes,
): boolean {
  if (lease.kept || lease.state === "revoked") return false;
  const isEphemeral = lease.ephemeralMinutes !== null;
  const isSure = isEphemeral
    ? now - heardSince >= times.offlineAfter
    : now - unbrokenSince >= times.staleAfter;
  return isSure && now >= renewBefore(lease, times);
}

/** At most how many of so many lasting leases may expire in a day: when all seem gone, it is likelier that nobody heard them. */
export function mostEndings(leases: number): number {
  return Math.max(1, Math.floor(leases / 10));
}

/** When a lease that is not seen again may be released, ms since 1970. */
export function renewBefore(
  { seenAt, ephemeralMinutes }: Pick<AgingLease, "seenAt" | "ephemeralMinutes">,
  times: LeaseTimes = defaultLeaseTimes,
): number {
  return seenAt + (ephemeralMinutes === null ? times.releaseAfter : ephemeralMinutes * MINUTE_MS);
}

/** When the quarantine began that ends then: the controller had taken that the last holder is out. Both ms since 1970. */
export function outSince(freeAt: number, times: LeaseTimes = defaultLeaseTimes): number {
  return freeAt - times.quarantine;
}

/** When a slot that was released then may be leased again, ms since 1970. */
export function freeAt(releasedAt: number, times: LeaseTimes = defaultLeaseTimes): number {
  return releasedAt + times.quarantine;
}
