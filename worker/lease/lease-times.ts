const DAY = 24 * 60 * 60 * 1000;

/** What a lease is: waiting for the operator, in use, in use but not seen, given back, withdrawn. */
export type LeaseState = "pending" | "active" | "stale" | "released" | "revoked";

/** How long a lease lives without being seen, in ms. */
export interface LeaseTimes {
  /** Unseen for so long, it is `stale`: shown as such, nothing else. */
  readonly staleAfter: number;
  /** Unseen for so long, it is `released`: the node has lost its slot. */
  readonly releaseAfter: number;
  /** A released slot stays unused for so long: peers may still hold routes to its last holder. */
  readonly quarantine: number;
}

/** The agent calls hourly, so a week unseen is no hiccup; a month off covers a server switched off for holidays. */
export const defaultLeaseTimes: LeaseTimes = {
  staleAfter: 7 * DAY,
  releaseAfter: 30 * DAY,
  quarantine: 7 * DAY,
};

/** The part of a lease on which time acts. `seenAt`: last enrolment or heartbeat, ms since 1970. */
export interface AgingLease {
  readonly state: LeaseState;
  readonly seenAt: number;
  /** A reserved name keeps its slot however long its node is away. */
  readonly reserved?: boolean;
}

/**
 * The lease's state at `now` (ms since 1970). Time makes active leases stale and then released, and releases
 * pending ones that nobody asks for any more; it never brings back a released or revoked one.
 */
export function stateAt(lease: AgingLease, now: number, times: LeaseTimes = defaultLeaseTimes): LeaseState {
  if (lease.state === "released" || lease.state === "revoked") return lease.state;
  const unseen = now - lease.seenAt;
  if (unseen >= times.releaseAfter && lease.reserved !== true) return "released";
  if (lease.state === "pending") return "pending";
  return unseen >= times.staleAfter ? "stale" : "active";
}

/** When a lease that is not seen again will be released, ms since 1970. */
export function renewBefore(seenAt: number, times: LeaseTimes = defaultLeaseTimes): number {
  return seenAt + times.releaseAfter;
}

/** When a slot that was released then may be leased again, ms since 1970. */
export function freeAt(releasedAt: number, times: LeaseTimes = defaultLeaseTimes): number {
  return releasedAt + times.quarantine;
}
