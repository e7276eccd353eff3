import { formatPrefix } from "../../worker/address/prefix.ts";
import { parseNetworkId, parseNodeId } from "../../worker/lease/ids.ts";
import * as pools from "../../worker/lease/pool.ts";
import { makePool, type PoolSettings } from "../../worker/lease/pool.ts";
import { sixPlane } from "../../worker/lease/six-plane.ts";

/** The pool of the manual recipe. */
export const DEFAULT_POOL: PoolSettings = {
  zerotier: "10.147.17.0/24",
  docker: "172.28.0.0/16",
  nodePrefix: 24,
};

/** What a lease is made from. */
export interface LeaseSeed {
  readonly network?: string;
  readonly node?: string;
  readonly slot?: number;
  readonly settings?: PoolSettings;
}

/** A lease as the Worker answers it in plain text, worked out by the Worker's own rules. */
export function leaseText({
  network = "8056c2e21c000001",
  node = "4e8d87c868",
  slot = 233,
  settings = DEFAULT_POOL,
}: LeaseSeed = {}): string {
  const made = makePool(settings);
  const networkId = parseNetworkId(network);
  const nodeId = parseNodeId(node);
  if (!made.ok || networkId === undefined || nodeId === undefined) throw new Error("not a lease");
  const six = sixPlane(networkId, nodeId);
  const lines = {
    NETWORK: network,
    NODE: node,
    NAME: "web1",
    SLOT: String(slot),
    STATE: "active",
    ZEROTIER_IPV4: pools.zerotierAddressWithPrefix(made.value, slot),
    ZEROTIER_IPV6: six.addressWithPrefix,
    DOCKER_IPV4_SUBNET: formatPrefix(pools.dockerSubnet(made.value, slot)),
    DOCKER_IPV4_GATEWAY: pools.dockerGateway(made.value, slot),
    DOCKER_IPV6_SUBNET: six.subnet,
    DOCKER_IPV6_GATEWAY: six.gateway,
    POOL_ZEROTIER: settings.zerotier,
    POOL_DOCKER: settings.docker,
    POOL_NODE_PREFIX: String(settings.nodePrefix),
    TOKEN: "mbn_AAAAAAAAAAAAAAAAAAAAAA",
    LEASED_AT: "2026-11-24T07:00:00.000Z",
    RENEW_BEFORE: "2026-12-01T07:00:00.000Z",
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

/** The same text with one line replaced (or, without a value, gone). */
export function withLine(text: string, key: string, value: string | undefined): string {
  const line = new RegExp(`^${key}=.*\\n`, "m");
  if (!line.test(text)) throw new Error(`${key} is not in the lease`);
  return text.replace(line, () => (value === undefined ? "" : `${key}=${value}\n`));
}
