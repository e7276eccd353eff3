/**
 * What follows from a network's id and a node's, computed apart from the Worker's own arithmetic, so that a mistake in
 * one shows. Sources: ZeroTierOne 1.14.1, node/MAC.hpp and node/InetAddress.cpp.
 */

/** The node's Ethernet address in the network, `32:1f:…`. */
export function macOf(network: string, node: string): string {
  const net = Buffer.from(network, "hex");
  const own = Buffer.from(node, "hex");
  const id = (index: number): number => net[index] ?? 0;
  // Locally administered and no multicast, from the id's last byte. 0x52 belongs to KVM's interfaces.
  const head = (id(7) & 0xfe) | 0x02;
  const mask = [id(6), id(5), id(4), id(3), id(2)];
  const tail = mask.map((byte, index) => byte ^ (own[index] ?? 0));
  return [head === 0x52 ? 0x32 : head, ...tail].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The node's 6PLANE address with its length: `fc`, the id's halves xored, the node, `::1`. */
export function sixPlaneOf(network: string, node: string): string {
  const high = Number.parseInt(network.slice(0, 8), 16);
  const low = Number.parseInt(network.slice(8), 16);
  const folded = ((high ^ low) >>> 0).toString(16).padStart(8, "0");
  return `${colons(`fc${folded}${node}000000000001`)}/40`;
}

/** The node's RFC 4193 address with its length: `fd`, the network, `9993`, the node. */
export function rfc4193Of(network: string, node: string): string {
  return `${colons(`fd${network}9993${node}`)}/88`;
}

function colons(hex: string): string {
  return hex.match(/.{4}/g)?.join(":") ?? "";
}
