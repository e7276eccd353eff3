import type { Config } from "../config/config.ts";
import type { Env } from "../env.ts";

/** hono's types for this app: the platform's bindings, and what the middleware puts beside a request. */
export interface App {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** Set by `configured`. */
    config: Config;
    /** SHA-256 of the presented token or key, set by the guards. */
    secretHash: string;
    /** Who calls, set by the guards. */
    caller: "admin" | "node";
  };
}
