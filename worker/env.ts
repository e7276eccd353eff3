import type { NetworkObject, ObjectEnv } from "./network/network-object.ts";

/** Everything that the platform hands to the Worker; the bindings are those of wrangler.jsonc. */
export interface Env extends ObjectEnv {
  readonly NETWORK: DurableObjectNamespace<NetworkObject>;
  readonly CALLS: RateLimit;
}
