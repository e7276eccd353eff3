import { addressAt, formatAddress, formatPrefix, type Prefix, subnet } from "../address/prefix.ts";
import type { NetworkId, NodeId } from "./ids.ts";

/** A node's 6PLANE addresses, a function of network and node: nothing is leased and nothing is routed. */
export interface SixPlane {
  /** The node's own address, `fc1d:27ce:ec4e:8d87:c868::1`. */
  readonly address: string;
  /** The same with the network's length, as zerotier-one puts it on its interface. */
  readonly addressWithPrefix: string;
  /** The node's /80, all of which ZeroTier delivers to it. */
  readonly subnet: string;
  /** docker0's address in that subnet: the node's own. */
  readonly gateway: string;
}

/**
 * The network's /40: `fc`, then the two halves of its id xored. The 32 bits keep their leading zeros
 * (terraform-provider-zerotier's own computation loses them).
 */
export function sixPlanePrefix(network: NetworkId): Prefix {
  const id = BigInt(`0x${network}`);
  const folded = (id >> 32n) ^ (id & 0xffffffffn);
  return { family: 6, first: (0xfcn << 120n) | (folded << 88n), length: 40 };
}

/** The 6PLANE addresses of a node in a network: the network's /40, then the 40 bits of the node's id. */
export function sixPlane(network: NetworkId, node: NodeId): SixPlane {
  const whole = sixPlanePrefix(network);
  const own = subnet(whole, 80, Number.parseInt(node, 16));
  const address = formatAddress(addressAt(own, 1));
  return {
    address,
    addressWithPrefix: `${address}/${whole.length}`,
    subnet: formatPrefix(own),
    gateway: address,
  };
}
