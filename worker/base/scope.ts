// What an admin token may do.

/**
 * `read` looks at everything, `keys` makes and takes back enrolment keys and user-data, `nodes` changes leases and
 * reservations, `admin` does all of it, and has admin tokens, webhooks and backups besides.
 */
export const SCOPES = ["read", "keys", "nodes", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

/** Whether a token with those scopes may do what any of the others is enough for. */
export function allows(has: readonly Scope[], anyOf: readonly Scope[]): boolean {
  return has.includes("admin") || anyOf.some((scope) => has.includes(scope));
}
