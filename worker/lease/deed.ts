// The words of the audit log: who can do what to leases, reservations, keys, admin tokens, sessions and webhooks, and why. The lists are
// closed, and only grow: what was written with a word stays in the log.

/** What was done. */
export const DEED_ACTIONS = [
  "enrolled",
  "assigned",
  "adopted",
  "approved",
  "renamed",
  "revoked",
  "released",
  "slot-changed",
  "reserved",
  "reservation-dropped",
  "key-made",
  "user-data-made",
  "key-revoked",
  "key-deleted",
  "token-made",
  "token-rotated",
  "token-revoked",
  "token-deleted",
  "webhook-made",
  "webhook-rotated",
  "webhook-deleted",
  "restored",
  "rebuilt",
  "session-begun",
  "session-ended",
  "tagged",
  "controller-moved",
] as const;

/** Why, where the action does not say it. */
export const DEED_REASONS = [
  "by-another-key",
  "first-proof",
  "machine-named",
  "with-its-key",
  "with-its-reservation",
  "replaced",
  "retired",
  "deleted",
  "unseen",
  "unseen-ephemeral",
  "authorized-at-controller",
  "deauthorized-at-controller",
  "slot-held-by-others",
  "slot-in-quarantine",
  "first-server",
  "was-running",
] as const;

/** The id of the admin token that the settings had before the present one, which is `root`. */
export const FORMER = "former";

/** The operator, by the id of the admin token that the call carried. */
export interface Operator {
  readonly who: "operator";
  readonly id: string;
}

/** Whoever can do something; `controller`: what was found there, the operator's word among it. */
export type Actor =
  | Operator
  | { readonly who: "node"; readonly id: string }
  | { readonly who: "cron" | "controller" };

/** What somebody did. */
export interface Deed {
  readonly by: Actor;
  readonly action: (typeof DEED_ACTIONS)[number];
  /** The id of the enrolment key. */
  readonly key?: string;
  /** The id of the admin token that was made, rotated or taken back, or whose session it is. */
  readonly token?: string;
  /** The id of the webhook. */
  readonly webhook?: string;
  readonly why?: (typeof DEED_REASONS)[number];
}
