/**
 * What each kind of controller can do and allows, as data: what follows from it (pace, routes, what is shown) asks here, and nowhere
 * which kind it is. The facts are of ZeroTier's OpenAPI document of API v1, and of zerotier-one 1.14.1.
 */

/** The kinds, as ZEROTIER_CONTROLLER names them. */
export const CONTROLLER_KINDS = ["own", "url", "central-v1"] as const;

export type ControllerKind = (typeof CONTROLLER_KINDS)[number];

export interface Capabilities {
  /** Whether a member can be let in before it was ever seen. */
  readonly preAuthorizes: boolean;
  /** Calls that let in a member that is not there yet. */
  readonly callsALease: number;
  /** Calls a second that it takes, until it says otherwise itself; null: it has no limit. */
  readonly callsASecond: number | null;
  /** Calls that may be under way at once: a Worker queues what goes over six open connections. */
  readonly callsAtOnce: number;
  /** Milliseconds that a call may take, with the wait for whoever does it. */
  readonly callMs: number;
  /** Managed routes that a network may hold: unless the operator says otherwise, and at most (a node is sent the first 128). */
  readonly routes: { readonly usual: number; readonly most: number };
  /** Whether it says when a member was last seen. */
  readonly tellsSightings: boolean;
  /** Whether it can tell of changes by itself (which Meshboot does not need: it looks every hour). */
  readonly webhooks: boolean;
}

export const CAPABILITIES: Readonly<Record<ControllerKind, Capabilities>> = {
  own: {
    preAuthorizes: true,
    callsALease: 1,
    callsASecond: null,
    // Those that wait are fetched together, by a node that asks every 15 seconds when nothing happens.
    callsAtOnce: 50,
    callMs: 25_000,
    routes: { usual: 128, most: 128 },
    tellsSightings: false,
    webhooks: false,
  },
  url: {
    preAuthorizes: true,
    callsALease: 1,
    callsASecond: null,
    callsAtOnce: 5,
    callMs: 10_000,
    routes: { usual: 128, most: 128 },
    tellsSightings: false,
    webhooks: false,
  },
  "central-v1": {
    preAuthorizes: true,
    callsALease: 1,
    // Free; 100 where it is paid for, which its answers say.
    callsASecond: 20,
    callsAtOnce: 5,
    callMs: 10_000,
    // Central's own limit lies below the protocol's; 32 is what is known to be taken.
    routes: { usual: 32, most: 128 },
    tellsSightings: true,
    webhooks: true,
  },
};
