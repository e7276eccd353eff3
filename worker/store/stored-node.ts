import type { NodeId } from "../lease/ids.ts";
import type { LeaseState } from "../lease/lease-times.ts";

/** What is stored of a lease's state; `offline` and `stale` follow from the time, `released` has no row any more. */
export type StoredState = Exclude<LeaseState, "offline" | "stale">;

/** Who took a revoked node out: the operator here, or the operator at the controller, where he may also let it in again. */
export type RevokedBy = "operator" | "controller";

/** A node and its lease. Times in ms since 1970; secrets only as SHA-256. */
export interface StoredNode {
  readonly node: NodeId;
  readonly name: string;
  readonly slot: number;
  readonly state: StoredState;
  /** Null unless revoked. */
  readonly revokedBy: RevokedBy | null;
  /** The public identity; null when the operator made the lease. */
  readonly identity: string | null;
  readonly machineId: string | null;
  readonly keyId: string | null;
  /** Of the tokens that are good, the oldest first. */
  readonly tokenHashes: readonly string[];
  readonly leasedAt: number;
  readonly seenAt: number;
  /** When the controller last took the member as it should be then. */
  readonly deliveredAt: number | null;
  /** Where its last call came from, as the Worker saw it. */
  readonly address: string | null;
  /** Of the key that it first came in with, until the operator changes them. */
  readonly tags: readonly string[];
  /** Minutes unseen after which its lease ends, by the key that it last came in with; null: as those of others. */
  readonly ephemeralMinutes: number | null;
  /** When a key or the operator let it in; null once the controller has taken that. */
  readonly letInAt: number | null;
  /** The member's last deauthorization that we know of, by the controller's clock: a later one is the operator's word. */
  readonly deauthorizedAt: number | null;
  /** What the node says of itself, as JSON: shown, never trusted. */
  readonly facts: string | null;
  readonly report: string | null;
  readonly reportedAt: number | null;
  /** `{ at, steps }` as JSON. */
  readonly lastRepair: string | null;
  /** What its doctor found, as JSON: see `worker/network/kept-findings.ts`. */
  readonly findings: string | null;
  /** What it last found of others, as JSON: see `worker/reach/kept-probes.ts`. */
  readonly probes: string | null;
}

/** Whether the node is to be in the mesh and the controller has not taken its lease yet: until then its slot may change. */
export function isUntold({ state, deliveredAt }: Pick<StoredNode, "state" | "deliveredAt">): boolean {
  return state === "active" && deliveredAt === null;
}

/** A node whose lease begins now, and of which nothing else is known. */
export function newNode(
  lease: Pick<StoredNode, "node" | "name" | "slot" | "state">,
  now: number,
): StoredNode {
  return {
    ...lease,
    revokedBy: null,
    identity: null,
    machineId: null,
    keyId: null,
    tokenHashes: [],
    leasedAt: now,
    seenAt: now,
    deliveredAt: null,
    address: null,
    tags: [],
    ephemeralMinutes: null,
    letInAt: lease.state === "active" ? now : null,
    deauthorizedAt: null,
    facts: null,
    report: null,
    reportedAt: null,
    lastRepair: null,
    findings: null,
    probes: null,
  };
}
