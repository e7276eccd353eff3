import ipaddr from "ipaddr.js";
import { macOf, rfc4193Of, sixPlaneOf } from "./node-addresses.ts";
import { type Member, memberOf, type Network, type Route, setAuthorized } from "./state.ts";

/** What a node is told about the network, in the words of `zerotier-cli listnetworks`. */
export interface NodeConfig {
  readonly status: "OK" | "ACCESS_DENIED" | "NOT_FOUND";
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly netconfRevision: number;
  readonly assignedAddresses: readonly string[];
  readonly routes: readonly (Route & { readonly flags: 0; readonly metric: 0 })[];
  /** The MAC addresses of members whose certificates were revoked, as the controller tells the others. */
  readonly revoked: readonly string[];
}

/** A node that asks for its configuration. */
export interface AskingNode {
  readonly node: string;
  /** Its public identity, `<node>:0:<128 hex>`. */
  readonly identity: string;
  /** Where it asks from. */
  readonly physicalAddress: string;
}

/** ZeroTierOne.h: a node is sent this many routes and addresses, whatever the network holds. */
const MOST = { routes: 128, addresses: 32 } as const;
/** EmbeddedNetworkController.cpp: a change is pushed to a member that was seen within this time, in ms. */
const PUSHED_WITHIN_MS = 120_000;
/** EmbeddedNetworkController.cpp: addresses tried in each auto-assign pool. */
const AUTO_ASSIGN_TRIES = 1000;

/**
 * Answers a node as the real controller does (ZeroTierOne 1.14.1, EmbeddedNetworkController.cpp). An unknown node
 * becomes an unauthorized member; the first identity seen under an address is pinned, another one is refused.
 */
export function configureNode(network: Network | undefined, asking: AskingNode, now: number): NodeConfig {
  if (network === undefined) return { ...without("NOT_FOUND"), mtu: 0 };
  if (!asking.identity.startsWith(`${asking.node}:`)) return without("ACCESS_DENIED", network);
  const member = memberOf(network, asking.node, now);
  member.identity ??= asking.identity;
  if (member.identity !== asking.identity) return without("ACCESS_DENIED", network);
  member.lastSeen = now;
  member.physicalAddress = asking.physicalAddress;
  if (!network.config.private) setAuthorized(member, true, now);
  if (!member.config.authorized) return without("ACCESS_DENIED", network);
  return configOf(network, member);
}

/**
 * What the controller pushes to a node that it answered `answered` last: the configuration, when the node may have one and it
 * is another. Undefined otherwise: that a node is no longer authorized, or deleted, it finds out when it asks.
 */
export function pushedTo(
  network: Network | undefined,
  { node, identity }: Pick<AskingNode, "node" | "identity">,
  answered: Pick<NodeConfig, "status"> | undefined,
  now: number,
): NodeConfig | undefined {
  const member = network?.members.get(node);
  if (network === undefined || member === undefined || member.identity !== identity) return undefined;
  if (!member.config.authorized || now - member.lastSeen > PUSHED_WITHIN_MS) return undefined;
  const config = configOf(network, member);
  const told = { ...answered, netconfRevision: config.netconfRevision };
  return JSON.stringify(told) === JSON.stringify(config) ? undefined : config;
}

function configOf(network: Network, member: Member): NodeConfig {
  const routes = network.config.routes.slice(0, MOST.routes);
  return {
    status: "OK",
    name: network.config.name,
    mac: macOf(network.id, member.node),
    mtu: network.config.mtu,
    netconfRevision: network.revision,
    assignedAddresses: addressesOf(network, member, routes),
    routes: routes.map((route) => ({ ...route, flags: 0, metric: 0 })),
    revoked: revokedOf(network).map((node) => macOf(network.id, node)),
  };
}

function without(status: "ACCESS_DENIED" | "NOT_FOUND", network?: Network): NodeConfig {
  return {
    status,
    name: "",
    mac: "",
    mtu: network?.config.mtu ?? 0,
    netconfRevision: network?.revision ?? 0,
    assignedAddresses: [],
    routes: [],
    revoked: [],
  };
}

/** Those that were deauthorized, whether they were deleted since or not, and not let in again. */
function revokedOf({ members, revoked }: Network): string[] {
  const shutOut = [...members.values()].filter(({ lastDeauthorizedTime }) => lastDeauthorizedTime > 0);
  const nodes = new Set([...revoked, ...shutOut.map(({ node }) => node)]);
  return [...nodes].filter((node) => members.get(node)?.config.authorized !== true).sort();
}

/** Each address with its length, IPv6 first as a node lists them; none beyond what a node can hold. */
function addressesOf(network: Network, member: Member, routes: readonly Route[]): string[] {
  const { v6AssignMode } = network.config;
  const computed = member.config.noAutoAssignIps
    ? []
    : [
        ...(v6AssignMode.rfc4193 ? [rfc4193Of(network.id, member.node)] : []),
        ...(v6AssignMode["6plane"] ? [sixPlaneOf(network.id, member.node)] : []),
      ];
  const assigned = assignedOf(member, routes);
  const automatic = assigned.some((text) => !text.includes(":"))
    ? undefined
    : autoAssign(network, member, routes);
  const all = [...computed, ...assigned, ...(automatic === undefined ? [] : [automatic])];
  const held = all.slice(0, MOST.addresses).map(canonical);
  return [...held.filter((text) => text.includes(":")), ...held.filter((text) => !text.includes(":"))];
}

/** The member's own addresses, each with the length of the longest route that holds it, via-routes included; in no route, it is not handed out. */
function assignedOf(member: Member, routes: readonly Route[]): string[] {
  return member.config.ipAssignments.flatMap((text) => {
    const address = ipaddr.parse(text);
    const lengths = routes.flatMap(({ target }) => {
      const [base, length] = ipaddr.parseCIDR(target);
      return base.kind() === address.kind() && address.match([base, length]) ? [length] : [];
    });
    return lengths.length === 0 ? [] : [`${text}/${Math.max(...lengths)}`];
  });
}

/**
 * Gives the member an IPv4 address of the auto-assign pools and remembers it. The search starts at the pool's start
 * plus (node id modulo the pool's length), leaves out what ends in .255, and needs a route whose target is exactly
 * the address's network. IPv6 pools are not simulated.
 */
function autoAssign(network: Network, member: Member, routes: readonly Route[]): string | undefined {
  if (!network.config.v4AssignMode.zt || member.config.noAutoAssignIps) return undefined;
  const taken = new Set([...network.members.values()].flatMap(({ config }) => config.ipAssignments));
  for (const { ipRangeStart, ipRangeEnd } of network.config.ipAssignmentPools) {
    const first = numberOf(ipRangeStart);
    const last = numberOf(ipRangeEnd);
    if (first === undefined || last === undefined || last < first) continue;
    const length = last - first;
    // The id's low 32 bits, as the controller has them.
    const start = Number.parseInt(member.node.slice(-8), 16);
    for (let tried = 0; tried <= length && tried < AUTO_ASSIGN_TRIES; tried += 1) {
      const value = first + (length > 0 ? (start + tried) % length : 0);
      const text = textOf(value);
      if ((value & 0xff) === 0xff || taken.has(text)) continue;
      const bits = networkLength(value, routes);
      if (bits === undefined) continue;
      member.config.ipAssignments = [...member.config.ipAssignments, text];
      return `${text}/${bits}`;
    }
  }
  return undefined;
}

/** The length of the first route whose target is the network that the address is in; a /0 does not count. */
function networkLength(value: number, routes: readonly Route[]): number | undefined {
  for (const { target } of routes) {
    const [base = "", bits = ""] = target.split("/");
    const targetValue = numberOf(base);
    const length = Number(bits);
    if (targetValue === undefined || length === 0) continue;
    const size = 2 ** (32 - length);
    if (Math.floor(value / size) * size === targetValue) return length;
  }
  return undefined;
}

function numberOf(text: string): number | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return Buffer.from(ipaddr.IPv4.parse(text).toByteArray()).readUInt32BE();
}

function textOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}

/** IPv6 as ZeroTier prints it, in the short form. */
function canonical(text: string): string {
  const [address = "", length = ""] = text.split("/");
  return `${ipaddr.parse(address).toString()}/${length}`;
}
