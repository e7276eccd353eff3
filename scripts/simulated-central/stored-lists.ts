import ipaddr from "ipaddr.js";
import type { AssignmentRange, Route } from "./state.ts";

/**
 * What a controller makes of the lists it is sent. Nothing here is an error for the sender: bad items are dropped or
 * bent without a word (read in ZeroTierOne 1.14.1, EmbeddedNetworkController.cpp, and measured on it).
 */

/** A list is cut here. */
const LONGEST = 16_384;

/** An address and what follows its slash, as ZeroTier's InetAddress reads them; a missing or unreadable length is 0. */
interface Parsed {
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly length: number;
}

/** Reads `address[/length]`. Only dotted quads and plain IPv6, as inet_pton takes them. */
export function parseInet(text: string): Parsed | undefined {
  const [host = "", bits = ""] = text.split("/");
  const length = Number.parseInt(bits, 10);
  const isDotted = ipaddr.IPv4.isValidFourPartDecimal(host);
  if (!isDotted && (!ipaddr.IPv6.isValid(host) || host.includes("%"))) return undefined;
  return { address: ipaddr.parse(host), length: Number.isNaN(length) ? 0 : length & 0xffff };
}

/** Routes as they are stored; undefined when the value is no list, which leaves those that are there. */
export function storedRoutes(value: unknown): Route[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, LONGEST).flatMap((item: unknown) => storedRoute(item) ?? []);
}

/**
 * A route is kept when its target is an address with a length up to 32 or 128. No length means /0, host bits stay,
 * `flags` and `metric` go, and a gateway that cannot be read or is of the other family becomes none: on-link.
 */
function storedRoute(item: unknown): Route | undefined {
  if (typeof item !== "object" || item === null || !("target" in item)) return undefined;
  const target = typeof item.target === "string" ? parseInet(item.target) : undefined;
  if (target === undefined || target.length > (target.address.kind() === "ipv4" ? 32 : 128)) return undefined;
  const via = "via" in item && typeof item.via === "string" ? parseInet(item.via)?.address : undefined;
  return {
    target: `${target.address.toString()}/${target.length}`,
    via: via !== undefined && via.kind() === target.address.kind() ? via.toString() : null,
  };
}

/** Auto-assign ranges as they are stored: both ends readable and of one family. */
export function storedRanges(value: unknown): AssignmentRange[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, LONGEST).flatMap((item: unknown) => {
    if (typeof item !== "object" || item === null) return [];
    const start = "ipRangeStart" in item ? addressOf(item.ipRangeStart) : undefined;
    const end = "ipRangeEnd" in item ? addressOf(item.ipRangeEnd) : undefined;
    if (start === undefined || end === undefined || start.kind() !== end.kind()) return [];
    return [{ ipRangeStart: start.toString(), ipRangeEnd: end.toString() }];
  });
}

/** A member's addresses as they are stored: unreadable ones dropped, a length cut off. */
export function storedAddresses(texts: readonly string[]): string[] {
  return texts.slice(0, LONGEST).flatMap((text) => addressOf(text)?.toString() ?? []);
}

function addressOf(value: unknown): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return typeof value === "string" ? parseInet(value)?.address : undefined;
}
