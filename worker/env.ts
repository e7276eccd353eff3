import type { NetworkObject, ObjectEnv } from "./network/network-object.ts";

/** Everything that the platform hands to the Worker; the bindings are those of wrangler.jsonc. */
export interface Env extends ObjectEnv {
  readonly NETWORK: DurableObjectNamespace<NetworkObject>;
  /** Calls without the admin token, by address. */
  readonly CALLS: RateLimit;
  /** Calls of one node. */
  readonly NODE_CALLS: RateLimit;
}
