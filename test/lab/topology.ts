/**
 * The addresses of the lab, all inside its own network namespaces: nothing here is reachable from the machine or
 * reaches out of it. The "internet" is 203.0.113.0/24 and 2001:db8:113::/64 (both for documentation).
 */
export const GATEWAY_IPV4 = "203.0.113.1";
export const GATEWAY_IPV6 = "2001:db8:113::1";
export const INTERNET_IPV6 = "2001:db8:113::/64";

/** The Worker, the simulated Central, the package repository and the way to Debian's mirror, on the gateway. */
export const WORKER_PORT = 8787;
export const CENTRAL_PORT = 8788;
export const REPOSITORY_PORT = 8080;
export const MIRROR_PORT = 3142;

/** The root that the double of zerotier-one says hello to, on the gateway: UDP, and apart from Central. */
export const ROOT_PORT = 9993;

/** The wire that stands for ZeroTier's tunnel: a second network card in each guest, without addresses. */
export const WIRE = "wire0";

/** ZeroTier's frames are 2800 bytes, containers' 1500. */
export const WIRE_MTU = 2800;

/** A guest's own address on the internet, by its number from 1. */
export function internetAddress(index: number): { ipv4: string; ipv6: string } {
  return { ipv4: `203.0.113.${10 + index}`, ipv6: `2001:db8:113::${10 + index}` };
}

/** The MAC address of a guest's card on the internet: without zeros in front, which the text of an IPv6 address that is made of it leaves out. */
export function macAddress(index: number): string {
  return `52:54:00:00:01:${index.toString(16).padStart(2, "0")}`;
}
