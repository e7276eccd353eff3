// What the end of a node's lease breaks, told before it is done: none is refused because something is in use.
import { formatPrefix } from "../address/prefix.ts";
import type { Config } from "../config/config.ts";
import type { Ending } from "../lease/ending.ts";
import { defaultLeaseTimes, freeAt } from "../lease/lease-times.ts";
import { dockerSubnet, zerotierAddress } from "../lease/pool.ts";
import { sixPlane } from "../lease/six-plane.ts";
import type { EndingView } from "../schema/ending.ts";
import type { StoredNode } from "../store/stored-node.ts";

/** What is known of the lease besides. */
export interface Around {
  readonly isReserved: boolean;
  /** Nothing is done. */
  readonly dryRun: boolean;
  /** ms since 1970. */
  readonly now: number;
}

/** What that end of the lease breaks, what stays, and when its slot may be another's. */
export function endingView(
  { networkId, pool }: Pick<Config, "networkId" | "pool">,
  lease: StoredNode,
  ending: Ending,
  { isReserved, dryRun, now }: Around,
): EndingView {
  const { node, name, slot, seenAt, state, identity } = lease;
  const ipv4 = formatPrefix(dockerSubnet(pool, slot));
  const ipv6 = sixPlane(networkId, node).subnet;
  const address = zerotierAddress(pool, slot);
  const when = ending === "replaced" ? "once the new server is in" : "at once";
  const isIn = state === "active";
  const isKept = ending !== "deleted" || (state === "pending" && isReserved);
  const breaks = [
    isIn &&
      `${name} is out of the mesh ${when}: its containers (${ipv4}, ${ipv6}) and those of the other servers do not reach one another any more`,
    isIn &&
      identity !== null &&
      now - seenAt < defaultLeaseTimes.offlineAfter &&
      `${name} was heard lately, and seems to run`,
    identity !== null &&
      `its token and the keys that let it in stop working ${when}: this server comes back with a new key only`,
    state !== "pending" && LOST[ending]({ name, address, ipv4, ipv6 }),
    isReserved && !isKept && `the reservation of ${name} ends, and keys that were made for it are taken back`,
  ];
  return {
    dryRun,
    node,
    name,
    slot,
    lastSeen: new Date(seenAt).toISOString(),
    breaks: breaks.filter((text) => text !== false),
    stays: isKept
      ? [
          `${name} keeps slot ${slot}: ${address} and ${ipv4}`,
          ...(isReserved ? [] : [`name and slot are reserved from now on (GET /v1/reservations)`]),
          ...(ending === "retired"
            ? [`a server gets them by a key with "reservation": "${name}" (POST /v1/user-data)`]
            : []),
        ]
      : [],
    freeAt: isKept ? null : new Date(state === "pending" ? now : freeAt(now)).toISOString(),
  };
}

type Lost = Readonly<Record<"name" | "address" | "ipv4" | "ipv6", string>>;

/** What is lost with each ending, beyond the server itself. */
const LOST: Readonly<Record<Ending, (lost: Lost) => string>> = {
  replaced: ({ ipv6 }) =>
    `the IPv6 addresses (${ipv6}) are lost: the new server has others, which follow from its ZeroTier identity`,
  retired: ({ name, ipv6 }) =>
    `nothing answers for ${name} until a server comes with a key for it, whose IPv6 addresses are others than ${ipv6}`,
  deleted: ({ name, address, ipv4, ipv6 }) =>
    `whatever is configured with ${address}, ${ipv4} or ${ipv6} has to be changed: after the quarantine any server may get the slot, and another server that is called ${name} gets what is free`,
};
