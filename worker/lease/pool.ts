import {
  type Address,
  addressAt,
  contains,
  encloses,
  formatAddress,
  formatPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parseMaskedPrefix,
  parsePrefix,
  sizeOf,
  subnet,
} from "../address/prefix.ts";
import { err, ok, type Result } from "../base/result.ts";

/**
 * The two IPv4 ranges from which a slot takes its addresses: slot n has the nth address of the ZeroTier
 * range and the nth subnet of length `nodePrefix` of the Docker pool. Only `makePool` makes one.
 */
export interface Pool {
  readonly zerotier: Prefix;
  readonly docker: Prefix;
  readonly nodePrefix: number;
}

/** The ranges as the operator writes them, and as answers show them. */
export interface PoolSettings {
  readonly zerotier: string;
  readonly docker: string;
  readonly nodePrefix: number;
}

/** A node with fewer addresses than a /28 has no room for docker0 and a second network. */
const LONGEST_NODE_PREFIX = 28;
/** Two node subnets at least: slot 0 is never leased. */
const LONGEST_POOL = LONGEST_NODE_PREFIX - 1;
const SHORTEST_RANGE = 8;
/** Below a /27 the top sixteenth of the range would hold no address but the broadcast one. */
const LONGEST_RANGE = 27;
/** The network's auto-assign pool, for members that are no servers, is the top 1/16 of the ZeroTier range. */
const AUTO_ASSIGN_SHARE = 16;

/**
 * Where a zerotier-one takes addresses and routes from its controller with nothing but `allowManaged`: the
 * private and shared blocks, and those that ZeroTier calls pseudo-private (ZeroTierOne, InetAddress::ipScope).
 */
const MANAGED_BLOCKS = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"],
  ...["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"],
  ...[6, 11, 21, 22, 25, 26, 28, 29, 30, 51, 55, 56].map((first) => `${first}.0.0.0/8`),
].flatMap((text) => parsePrefix(text) ?? []);

/** Reads the operator's ranges. On failure every fault is listed, each naming the setting and the remedy. */
export function makePool(settings: PoolSettings): Result<Pool, readonly string[]> {
  const faults: string[] = [];
  const zerotier = readRange(
    "the ZeroTier range",
    "10.147.17.0/24",
    settings.zerotier,
    LONGEST_RANGE,
    faults,
  );
  const docker = readRange("the Docker pool", "172.28.0.0/16", settings.docker, LONGEST_POOL, faults);
  const { nodePrefix } = settings;
  const shortest = (docker?.length ?? SHORTEST_RANGE) + 1;
  if (!Number.isInteger(nodePrefix) || nodePrefix < shortest || nodePrefix > LONGEST_NODE_PREFIX) {
    faults.push(
      `the node prefix is ${nodePrefix}: give a whole number from ${shortest} (the Docker pool has to hold more than one, since slot 0 is never leased) to ${LONGEST_NODE_PREFIX}`,
    );
  }
  if (zerotier !== undefined && docker !== undefined && overlaps(zerotier, docker)) {
    faults.push(
      `the ZeroTier range ${settings.zerotier} and the Docker pool ${settings.docker} overlap: choose ranges that share no address`,
    );
  }
  if (zerotier === undefined || docker === undefined || faults.length > 0) return err(faults);
  return ok({ zerotier, docker, nodePrefix });
}

function readRange(
  what: string,
  example: string,
  text: string,
  longest: number,
  faults: string[],
): Prefix | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    const masked = parseMaskedPrefix(text);
    faults.push(
      masked === undefined
        ? `${what} is ${JSON.stringify(text)}: give an IPv4 prefix, such as ${example}`
        : `${what} is ${text}, an address in ${formatPrefix(masked)}: give the prefix itself`,
    );
    return undefined;
  }
  if (prefix.family !== 4) {
    faults.push(
      `${what} is ${text}, which is IPv6: give an IPv4 prefix (IPv6 follows from the node's id, no pool is needed)`,
    );
    return undefined;
  }
  if (prefix.length < SHORTEST_RANGE || prefix.length > longest) {
    faults.push(`${what} is ${text}: give a prefix between /${SHORTEST_RANGE} and /${longest}`);
    return undefined;
  }
  if (!MANAGED_BLOCKS.some((block) => encloses(block, prefix))) {
    faults.push(
      `${what} is ${text}, which ZeroTier members refuse as public address space: take one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16`,
    );
    return undefined;
  }
  return prefix;
}

/** The highest slot that can be leased, and so how many there are: below the auto-assign addresses, and with a subnet in the Docker pool. */
export function slotLimit(pool: Pool): number {
  const addresses = Number(sizeOf(pool.zerotier));
  const subnets = 2 ** (pool.nodePrefix - pool.docker.length);
  return Math.min(addresses - addresses / AUTO_ASSIGN_SHARE, subnets) - 1;
}

/** Whether the slot can be leased at all. Slot 0, the auto-assign addresses and the broadcast address cannot. */
export function isLeasable(pool: Pool, slot: number): boolean {
  return Number.isInteger(slot) && slot >= 1 && slot <= slotLimit(pool);
}

/** The slot's ZeroTier address, `10.147.17.233`. */
export function zerotierAddress(pool: Pool, slot: number): string {
  return formatAddress(addressAt(pool.zerotier, slot));
}

/** The slot's ZeroTier address with the range's length, `10.147.17.233/24`. */
export function zerotierAddressWithPrefix(pool: Pool, slot: number): string {
  return `${zerotierAddress(pool, slot)}/${pool.zerotier.length}`;
}

/** The slot's subnet of the Docker pool. */
export function dockerSubnet(pool: Pool, slot: number): Prefix {
  return subnet(pool.docker, pool.nodePrefix, slot);
}

/** The address of docker0 in the slot's subnet: its first, `172.28.233.1`. */
export function dockerGateway(pool: Pool, slot: number): string {
  return formatAddress(addressAt(dockerSubnet(pool, slot), 1));
}

/** The leasable slot whose ZeroTier address this is; undefined for every other address. */
export function slotOfAddress(pool: Pool, address: Address): number | undefined {
  if (!contains(pool.zerotier, address)) return undefined;
  const slot = Number(address.value - pool.zerotier.first);
  return isLeasable(pool, slot) ? slot : undefined;
}

/** The same of an address as it is written. */
export function slotOfText(pool: Pool, text: string): number | undefined {
  const address = parseAddress(text);
  return address && slotOfAddress(pool, address);
}

/** Whether the slot's address is among those written so. */
export function hasAddressOf(pool: Pool, texts: readonly string[], slot: number): boolean {
  return texts.some((text) => slotOfText(pool, text) === slot);
}

/** The slots whose addresses are among those written so, each once. */
export function slotsOfTexts(pool: Pool, texts: readonly string[]): number[] {
  return [...new Set(texts.flatMap((text) => slotOfText(pool, text) ?? []))];
}

/** The leasable slots whose Docker subnet shares an address with the prefix, ascending. */
export function slotsOfPrefix(pool: Pool, prefix: Prefix): number[] {
  if (!overlaps(pool.docker, prefix)) return [];
  const each = sizeOf({ ...pool.docker, length: pool.nodePrefix });
  const first = Number((prefix.first - pool.docker.first) / each);
  const last = Number((prefix.first + sizeOf(prefix) - 1n - pool.docker.first) / each);
  const from = Math.max(1, first);
  const to = Math.min(slotLimit(pool), last);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** The addresses for members without a lease (a laptop): the ZeroTier range's top sixteenth, less broadcast. */
export function autoAssignRange(pool: Pool): { ipRangeStart: string; ipRangeEnd: string } {
  const size = Number(sizeOf(pool.zerotier));
  return {
    ipRangeStart: zerotierAddress(pool, size - size / AUTO_ASSIGN_SHARE),
    ipRangeEnd: zerotierAddress(pool, size - 2),
  };
}

/** Whether the address, as it is written, is one of those. */
export function isAutomatic(pool: Pool, text: string): boolean {
  const address = parseAddress(text);
  const { ipRangeStart, ipRangeEnd } = autoAssignRange(pool);
  const first = parseAddress(ipRangeStart);
  const last = parseAddress(ipRangeEnd);
  if (address?.family !== 4 || first === undefined || last === undefined) return false;
  return address.value >= first.value && address.value <= last.value;
}

export function describePool(pool: Pool): PoolSettings {
  return {
    zerotier: formatPrefix(pool.zerotier),
    docker: formatPrefix(pool.docker),
    nodePrefix: pool.nodePrefix,
  };
}
