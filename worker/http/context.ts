import type { ProblemName } from "../base/refusal.ts";
import type { Scope } from "../base/scope.ts";
import type { Config } from "../config/config.ts";
import type { Env } from "../env.ts";
import type { Operator } from "../lease/deed.ts";
import type { SessionView } from "../schema/session.ts";

/** hono's types for this app: the platform's bindings, and what the middleware puts beside a request. */
export interface App {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** What the call is refused with, for the log. */
    problem?: ProblemName;
    /** Set by `configured`. */
    config: Config;
    /** SHA-256 of the presented token or key, set by the guards. */
    secretHash: string;
    /** Set where the answer is run by a shell: a refusal has to be a script too. */
    answersScript?: true;
    /** Who calls, set by the guards. */
    caller: "admin" | "node";
    /** Whose word it is, where it is the operator who calls, and what the token is good for; set by the guards. */
    operator: Operator;
    scopes: readonly Scope[];
    /** Who is signed in, on a page of the dashboard. */
    visitor?: { readonly scopes: readonly Scope[] };
    /** The session that stands in for the token, where it is one that the call carries; set by the guards. */
    session?: Pick<SessionView, "id" | "expiresAt">;
  };
}
