import type { Settings } from "./config/settings.ts";
import type { NetworkObject } from "./network/network-object.ts";

/** Everything that the platform hands to the Worker; the bindings are those of wrangler.jsonc. */
export interface Env extends Settings {
  readonly NETWORK: DurableObjectNamespace<NetworkObject>;
  readonly LEASES: KVNamespace;
  readonly CALLS: RateLimit;
}
