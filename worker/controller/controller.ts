import type { NodeId } from "../lease/ids.ts";
import type { Route } from "../lease/managed-routes.ts";

/**
 * What Meshboot needs of whatever holds the ZeroTier network (ZeroTier Central, a controller of one's own, the
 * simulated Central), in its own words. Each implementation translates its wire form into these at the edge.
 */

/** A range of addresses that the controller gives to members by itself; both ends belong to it. */
export interface AssignmentRange {
  readonly ipRangeStart: string;
  readonly ipRangeEnd: string;
}

/** Which kinds of IPv6 address the controller hands out. Written as a whole: a flag left out would be lost. */
export interface V6Modes {
  readonly sixPlane: boolean;
  readonly rfc4193: boolean;
  readonly zt: boolean;
}

/** The settings of the network, as far as Meshboot reads them. */
export interface ControllerNetwork {
  readonly routes: readonly Route[];
  readonly pools: readonly AssignmentRange[];
  readonly v4AutoAssign: boolean;
  readonly v6: V6Modes;
  readonly private: boolean;
  readonly name: string;
}

/** A change of the network's settings. What is left out stays; each array and `v6` replaces what was there as a whole. */
export type NetworkChange = Partial<Pick<ControllerNetwork, "routes" | "pools" | "v4AutoAssign" | "v6">>;

/** A member of the network. */
export interface ControllerMember {
  readonly node: string;
  readonly name: string;
  readonly authorized: boolean;
  /** Addresses that the member was given by hand or by auto-assignment, without prefix length. */
  readonly addresses: readonly string[];
  /** Whether the controller gives it addresses of its own choice. Without, it gets no 6PLANE address either. */
  readonly autoAssign: boolean;
  /** Unix milliseconds. Absent when unknown, which ZeroTier may make it at any time: no proof that a node is gone. */
  readonly lastSeen: number | undefined;
  /** Unix milliseconds, by the controller's clock, of the last authorization and deauthorization: 0 when there was none, absent when it does not say. */
  readonly authorizedAt?: number;
  readonly deauthorizedAt?: number;
}

/** A change of a member. What is left out stays; `addresses` replaces the list as a whole. */
export interface MemberChange {
  readonly name?: string;
  readonly authorized?: boolean;
  readonly addresses?: readonly string[];
  readonly autoAssign?: boolean;
}

/** The members of a network, as far as they can be read. */
export interface MemberList {
  readonly members: readonly ControllerMember[];
  /** The nodes whose entries cannot be read, and the places in the list of those that name none. */
  readonly unread: readonly string[];
}

/** One ZeroTier network at its controller. Every call rejects with a {@link ControllerError} and nothing else. */
export interface Controller {
  readNetwork(): Promise<ControllerNetwork>;
  /** Returns the settings as they are after the change: bad routes are dropped silently, so compare. */
  writeNetwork(change: NetworkChange): Promise<ControllerNetwork>;
  /** An entry that cannot be read keeps no other from being read; rejects when none of several can. */
  listMembers(): Promise<MemberList>;
  /** One member as it is now; undefined when there is none. */
  readMember(node: NodeId): Promise<ControllerMember | undefined>;
  /** Creates the member when it is absent, also before the node was ever seen; checks that what was asked came back. */
  putMember(node: NodeId, change: MemberChange): Promise<ControllerMember>;
  /**
   * Deauthorizes, then deletes: a member deleted while authorized could go on until its certificate ends. Looks whether it
   * is gone. An absent member is fine.
   */
  removeMember(node: NodeId): Promise<void>;
}

/**
 * Why a call to the controller failed:
 * - `unauthorized`: the token is refused, or has no right to the network
 * - `rate-limited`: too many calls, refused there or held back here
 * - `not-found`: no such network (or member) at the controller
 * - `timeout`: no answer in time; the change may have taken effect
 * - `unreachable`: no connection, or it broke; the change may have taken effect
 * - `server-error`: the controller says that it failed (5xx)
 * - `rejected`: understood and not taken, or answered 200 and not done
 * - `bad-answer`: not JSON, or not of the expected shape
 */
export type ControllerFault = (typeof CONTROLLER_FAULTS)[number];

export const CONTROLLER_FAULTS = [
  "unauthorized",
  "rate-limited",
  "not-found",
  "timeout",
  "unreachable",
  "server-error",
  "rejected",
  "bad-answer",
] as const;

/** Whether a write that failed so may have taken effect, or still does: not when it was refused before anything was done. */
export function mayHaveLanded(error: unknown): boolean {
  if (!(error instanceof ControllerError)) return true;
  return error.reason !== "unauthorized" && error.reason !== "rate-limited" && error.reason !== "not-found";
}

/** A failed call. The message names what failed, why and what to do, and never holds the token. */
export class ControllerError extends Error {
  override readonly name = "ControllerError";
  readonly reason: ControllerFault;
  /** Unix milliseconds: no sense in trying again before. */
  readonly retryAt?: number;

  constructor(reason: ControllerFault, message: string, retryAt?: number) {
    super(message);
    this.reason = reason;
    if (retryAt !== undefined) this.retryAt = retryAt;
  }
}

/** A call that did not leave, since its turn would come too late by the rate limit that is kept here; at `retryAt` it would be its turn. */
export class HeldBackError extends ControllerError {
  constructor(message: string, retryAt: number) {
    super("rate-limited", message, retryAt);
  }
}
