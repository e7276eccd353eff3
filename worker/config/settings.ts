/** The settings an operator gives; every one may be missing or wrong until `parseConfig` has read it. */
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
