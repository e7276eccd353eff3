import ipaddr from "ipaddr.js";

/** An IP address of either family as a number. */
export type Address = { readonly family: 4 | 6; readonly value: bigint };

/** A network prefix: its family, its first address and its length in bits. No host bit is ever set. */
export type Prefix = { readonly family: 4 | 6; readonly first: bigint; readonly length: number };

const DOTTED = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/;
const COLONS = /^[0-9a-fA-F:.]{2,45}$/;
const LENGTH = /^(?:0|[1-9]\d{0,2})$/;

/** Bits of an address of the family. */
function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** Reads one address. Undefined for anything else, also for octal or short IPv4 forms and IPv6 zones. */
export function parseAddress(text: string): Address | undefined {
  if (DOTTED.test(text)) {
    return ipaddr.IPv4.isValid(text) ? fromBytes(4, ipaddr.IPv4.parse(text).toByteArray()) : undefined;
  }
  if (!COLONS.test(text) || !text.includes(":") || !ipaddr.IPv6.isValid(text)) return undefined;
  return fromBytes(6, ipaddr.IPv6.parse(text).toByteArray());
}

function fromBytes(family: 4 | 6, bytes: readonly number[]): Address {
  return { family, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

/** The address as text; IPv6 in the canonical form of RFC 5952. */
export function formatAddress(address: Address): string {
  const size = bitsOf(address.family) / 8;
  const bytes = Array.from({ length: size }, (_, i) =>
    Number((address.value >> BigInt((size - 1 - i) * 8)) & 0xffn),
  );
  return address.family === 4 ? new ipaddr.IPv4(bytes).toString() : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** Reads `address/length`. Undefined for junk, for a missing length and when host bits are set. */
export function parsePrefix(text: string): Prefix | undefined {
  const read = readPrefix(text);
  return read !== undefined && read.address.value === read.prefix.first ? read.prefix : undefined;
}

/**
 * Reads `address/length` whose host bits may be set, as a ZeroTier controller keeps routes: the prefix that the address is in.
 * Undefined for junk and for a missing length.
 */
export function parseMaskedPrefix(text: string): Prefix | undefined {
  return readPrefix(text)?.prefix;
}

function readPrefix(text: string): { readonly address: Address; readonly prefix: Prefix } | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !LENGTH.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > bitsOf(address.family)) return undefined;
  return { address, prefix: prefixOf(address, length) };
}

/** The prefix of that length that holds the address. */
export function prefixOf({ family, value }: Address, length: number): Prefix {
  const size = sizeOf({ family, first: 0n, length });
  return { family, first: value - (value % size), length };
}

/** The prefix as text, `172.28.0.0/16`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress({ family: prefix.family, value: prefix.first })}/${prefix.length}`;
}

/** How many addresses the prefix holds. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(bitsOf(prefix.family) - prefix.length);
}

/** Whether the address lies in the prefix. */
export function contains(prefix: Prefix, address: Address): boolean {
  if (prefix.family !== address.family) return false;
  return address.value >= prefix.first && address.value < prefix.first + sizeOf(prefix);
}

/** Whether every address of `inner` lies in `outer`; a prefix encloses itself. */
export function encloses(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && contains(outer, { family: inner.family, value: inner.first });
}

/** Whether the two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return encloses(a, b) || encloses(b, a);
}

/**
 * The subnet of that length at the index (counted from 0) inside the prefix.
 * Throws a RangeError when there is no such subnet: a mistake of the caller, never of a user.
 */
export function subnet(prefix: Prefix, length: number, index: number): Prefix {
  const count = 1n << BigInt(Math.max(0, length - prefix.length));
  if (length < prefix.length || length > bitsOf(prefix.family) || !isIndex(index, count)) {
    throw new RangeError(`${formatPrefix(prefix)} has no subnet /${length} number ${index}`);
  }
  const size = 1n << BigInt(bitsOf(prefix.family) - length);
  return { family: prefix.family, first: prefix.first + BigInt(index) * size, length };
}

/** The address at the index (counted from 0) inside the prefix. Throws a RangeError when it lies outside. */
export function addressAt(prefix: Prefix, index: number): Address {
  if (!isIndex(index, sizeOf(prefix))) {
    throw new RangeError(`${formatPrefix(prefix)} has no address number ${index}`);
  }
  return { family: prefix.family, value: prefix.first + BigInt(index) };
}

function isIndex(index: number, count: bigint): boolean {
  return Number.isSafeInteger(index) && index >= 0 && BigInt(index) < count;
}
