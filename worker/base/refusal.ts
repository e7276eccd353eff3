// Every refusal as data: its problem, and what was found. The English is in `worker/schema/refusal-text.ts`.
import type { Scope } from "./scope.ts";

/** Why a call was refused. */
export type Refusal =
  | Plain<"unknown-key" | "key-revoked" | "key-expired" | "key-spent" | "pool-exhausted">
  | Plain<"changed-meanwhile" | "plan-outdated" | "internal">
  | Found<"forbidden", { readonly needs: readonly Scope[] }>
  | Found<"limit-reached", { readonly what: Limited; readonly most: number }>
  | Found<"too-many-requests", { readonly by: "address" | "node" }>
  | Found<"too-many-requests", { readonly by: "returning-node" | "key"; readonly retryAfter: number }>
  | Found<"busy", { readonly retryAfter: number }>
  | Found<"object-unreachable", { readonly reason: "failed" | "late" | "overloaded" }>
  | Found<"object-unreachable", { readonly reason: "used-up"; readonly retryAfter: number }>
  | Found<"bad-request" | "misconfigured", { readonly faults: readonly string[] }>
  | Found<"unauthorized", { readonly reason: TokenFault }>
  | Found<"unauthorized", { readonly reason: "not-of-node" | "not-of-copy"; readonly node: string }>
  | Found<"invalid-signature", { readonly host: string }>
  | Found<"wrong-address", { readonly reason: "not-derived" | "other-key"; readonly node: string }>
  | Found<"revoked", { readonly reason: RevokedFault; readonly node: string }>
  | Found<"not-found", { readonly missing: Missing }>
  | Found<"method-not-allowed", { readonly method: string; readonly allowed: readonly string[] }>
  | Found<"cloned-identity", { readonly node: string; readonly name: string; readonly slot: number }>
  | Found<"overlap", { readonly prefix: string; readonly range: MeshRange }>
  | Found<"name-not-allowed", { readonly name: string; readonly pattern: string }>
  | Found<"name-taken", { readonly name: string; readonly holder: string; readonly isReserved?: boolean }>
  | Found<"name-reserved", { readonly name: string; readonly slot: number }>
  | Found<"former-holder", { readonly node: string; readonly slot: number; readonly retryAfter: number }>
  | Found<"slot-taken", { readonly slot: number; readonly hold: SlotHold }>
  | Found<"body-too-large", { readonly most: number }>
  | Found<"unsupported-media-type", { readonly type: string | undefined }>
  | Found<"clock-skew", { readonly timestamp: number; readonly now: number }>
  | Found<"idempotency-key-used", { readonly reason: KeptFault; readonly keyId: string }>
  | Found<"agent-not-kept", { readonly fault: string }>
  | Found<"not-empty", NotEmpty>
  | Found<"cannot-host", { readonly node: string; readonly name: string }>
  | Found<"just-restored", { readonly retryAfter: number }>
  | Found<"backup-unfit", { readonly faults: readonly string[] }>
  | Found<"copies-unreachable", { readonly fault: string }>
  | Found<ControllerProblem, { readonly fault: string; readonly retryAfter: number }>
  | Found<"network-unfit", { readonly networkId: string | undefined; readonly faults: readonly string[] }>;

/** A problem's name; its `type` is `/problems/<name>`. */
export type ProblemName = Refusal["problem"];

/** What is wrong with the token or key that a call carries: none of the kind that it needs, or one that is good no more. */
export type TokenFault =
  | "no-key"
  | "late-proof"
  | "no-admin-token"
  | "no-node-token"
  | "no-token"
  | "wrong-admin-token"
  | "admin-token-expired"
  | "admin-token-revoked"
  | "root-token-revoked"
  | "no-scope-by-access"
  | "session-over";

/** How much there is where nothing must be; `waiting`: changes that the controller is still to be told. */
export interface NotEmpty {
  readonly leases: number;
  readonly keys: number;
  readonly reservations: number;
  readonly waiting: number;
}

/** Of which there may be so many and no more. */
export type Limited = "admin-token" | "session" | "webhook" | "listener";

/**
 * How the operator took the node out: with its slot left to it, or for good; `barred`: the key had let it in before it was deleted.
 */
export type RevokedFault = "taken-out" | "barred" | "replaced" | "retired" | "deleted";

/** Why what an Idempotency-Key was answered before is not given again. */
export type KeptFault = "other-request" | "key-deleted" | "seal-lost";

export type Missing =
  | { readonly what: "problem" | "key-in-address" }
  /** `meant`: the path with single slashes and none at its end, where it is written otherwise and something is there. */
  | { readonly what: "address"; readonly meant: string | undefined }
  | {
      readonly what:
        | "node"
        | "key"
        | "agent"
        | "reservation"
        | "admin-token"
        | "session"
        | "webhook"
        | "own-controller";
      readonly id: string;
    };

export type MeshRange = "docker" | "zerotier" | "six-plane";

/** What keeps a slot from being leased to the node that is to have it. Times in ms since 1970. */
export type SlotHold =
  | { readonly by: "pool" | "lease" | "exclusion" }
  | { readonly by: "controller"; readonly node: string }
  | { readonly by: "quarantine"; readonly until: number }
  | { readonly by: "reservation"; readonly name: string }
  | { readonly by: "other-slot"; readonly node: string; readonly has: number };

type ControllerProblem = "controller-unreachable" | "controller-unauthorized" | "controller-rate-limited";

interface Plain<P extends string> {
  readonly problem: P;
}

type Found<P extends string, What> = Plain<P> & What;
