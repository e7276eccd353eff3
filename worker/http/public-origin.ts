import { type Address, contains, parseAddress, parsePrefix } from "../address/prefix.ts";

/** Loopback, private, link-local and shared addresses, and those for documentation, which labs use. */
const LOCAL_BLOCKS = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"],
  ...["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "::1/128", "fc00::/7", "fe80::/10"],
].flatMap((text) => parsePrefix(text) ?? []);

/** Names that no public server has (RFC 6761, RFC 8375, and what routers hand out). */
const LOCAL_NAME = /^[^.]+$|\.(localhost|local|test|internal|lan|home\.arpa)$/;

/**
 * Where servers are to reach the Worker that was called under this address: the same, but by https. Servers keep what they
 * are given, and would send their tokens in clear for ever. Only a local Worker (`npm start`, a lab) has no https.
 */
export function publicOrigin(url: string): string {
  const { protocol, hostname, host, origin } = new URL(url);
  return protocol === "http:" && !isLocal(hostname) ? `https://${host}` : origin;
}

function isLocal(hostname: string): boolean {
  const address: Address | undefined = parseAddress(hostname.replace(/^\[|\]$/g, ""));
  if (address === undefined) return LOCAL_NAME.test(hostname);
  return LOCAL_BLOCKS.some((block) => contains(block, address));
}
