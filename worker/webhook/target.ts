// Where a webhook may go: whoever may make one must not reach through the Worker what he does not reach himself.
import { isGlobal } from "../address/global.ts";
import { contains, parseAddress } from "../address/prefix.ts";
import type { Pool } from "../lease/pool.ts";

/** Endings of names that no public server has (RFC 6761, 6762, 7686, 8375, `internal` by ICANN), and those that routers and offices use. */
const LOCAL_NAME =
  /(^|\.)(localhost|local|internal|home\.arpa|test|invalid|example|onion|lan|localdomain|corp|home|intranet|private)$/;

/** Ports below are of other protocols, which might take a request for something of theirs. */
const LEAST_PORT = 1024;

/** Where the mesh is, and the host at which this Worker is called, where that is known. */
export interface TargetSurroundings {
  readonly pool: Pick<Pool, "zerotier" | "docker">;
  readonly ownHost?: string | undefined;
}

/**
 * Why nothing is sent to an address, with the remedy; undefined when it may be. Only what stands in the address is looked at: to which
 * IP address a name leads is found out where it is called.
 */
export function targetFault(text: string, { pool, ownHost }: TargetSurroundings): string | undefined {
  if (!URL.canParse(text)) return "not a web address: give one such as https://hooks.example.com/meshboot";
  const url = new URL(text);
  if (url.protocol !== "https:")
    return "not an https address: what is sent names your servers, and only https keeps it from others";
  if (url.username !== "" || url.password !== "")
    return "it carries a user or a password: leave them out; each call is signed instead";
  if (text.includes("#")) return "it carries a fragment, which is never sent: leave it out";
  if (url.port !== "" && Number(url.port) < LEAST_PORT)
    return `port ${url.port} is another protocol's: use 443, or one from ${LEAST_PORT} on`;
  return hostFault(url.hostname, pool, ownHost);
}

/** The same for the host, as the URL parser spells it: IPv4 in four decimal parts, IPv6 in brackets, names in lower case. */
function hostFault(
  hostname: string,
  pool: TargetSurroundings["pool"],
  ownHost: string | undefined,
): string | undefined {
  const host = plainHost(hostname);
  const address = parseAddress(host);
  if (address !== undefined) {
    if ([pool.zerotier, pool.docker].some((range) => contains(range, address)))
      return `${host} is in the mesh, which the Worker does not reach: give an address on the internet`;
    return isGlobal(address) ? undefined : `${host} is not an address on the internet: give one that is`;
  }
  // Both have brackets or digits that the parser took for an address, and `parseAddress` did not.
  if (!/^[a-z0-9._-]+$/.test(host)) return `${host} is not the name of a host`;
  if (!host.includes(".") || LOCAL_NAME.test(host))
    return `${host} is a name for private networks: give one on the internet`;
  if (ownHost !== undefined && host === plainHost(ownHost.toLowerCase()))
    return `${host} is this Worker itself: give the address of another server`;
  return undefined;
}

/** Without brackets, and without the dot at the end, which makes no other host of it. */
function plainHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.+$/, "");
}
