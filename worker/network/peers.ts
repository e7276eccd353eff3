import { LIMITS } from "../config/limits.ts";
import { defaultLeaseTimes } from "../lease/lease-times.ts";
import type { Peer } from "../schema/lease.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { NetworkContext } from "./network-context.ts";

/**
 * The nodes that were seen last, but for the asking one; none for one that is not let in. In the order of slots, so that
 * the same nodes make the same list.
 */
export function peersOf({ stores, now }: NetworkContext, asking: StoredNode): Peer[] {
  if (asking.state !== "active") return [];
  return stores.nodes
    .seenBeside(asking.node, now() - defaultLeaseTimes.staleAfter, LIMITS.peers)
    .sort((a, b) => a.slot - b.slot);
}
