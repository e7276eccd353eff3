import type { NetworkObject } from "./network/network-object.ts";

/** The settings an operator gives; every one may be missing or wrong until `worker/config` has read it. */
export interface Settings {
  readonly ZEROTIER_NETWORK?: string;
  readonly ZEROTIER_URL?: string;
  readonly ZEROTIER_RANGE?: string;
  readonly DOCKER_POOL?: string;
  readonly NODE_PREFIX?: string;
  readonly ROUTE_LIMIT?: string;
  /** Secret: the ZeroTier token. It never leaves the Worker. */
  readonly ZEROTIER_TOKEN?: string;
  /** Secret: what the operator's calls carry. */
  readonly ADMIN_TOKEN?: string;
}

/** Everything that the platform hands to the Worker; the bindings are those of wrangler.jsonc. */
export interface Env extends Settings {
  readonly NETWORK: DurableObjectNamespace<NetworkObject>;
  readonly LEASES: KVNamespace;
  readonly CALLS: RateLimit;
}
