import ipaddr from "ipaddr.js";
import { type Address, contains, formatAddress, parsePrefix } from "./prefix.ts";

/** What IANA gives out of IPv6; the rest is special or nobody's. */
const GLOBAL_IPV6 = ["2000::/3"].flatMap((text) => parsePrefix(text) ?? []);
/** Of that, what is for documentation (RFC 9637), which `ipaddr.js` does not know. */
const DOCUMENTATION_IPV6 = ["3fff::/20"].flatMap((text) => parsePrefix(text) ?? []);

/**
 * Whether an address is of a host on the internet: not private, shared, loopback, link-local, multicast or reserved, nor one in which
 * an IPv4 address is embedded (mapped, 6to4, Teredo, NAT64), which leads to that one.
 */
export function isGlobal(address: Address): boolean {
  if (ipaddr.parse(formatAddress(address)).range() !== "unicast") return false;
  if (address.family === 4) return true;
  const lies = (block: Parameters<typeof contains>[0]): boolean => contains(block, address);
  return GLOBAL_IPV6.some(lies) && !DOCUMENTATION_IPV6.some(lies);
}
