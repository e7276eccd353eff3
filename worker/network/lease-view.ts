// A lease and a node as the API shows them: everything that follows from the slot, worked out.

import { formatPrefix } from "../address/prefix.ts";
import { isoTime } from "../base/iso-time.ts";
import type { Config } from "../config/config.ts";
import { type LeaseState, renewBefore, stateAt } from "../lease/lease-times.ts";
import { describePool, dockerGateway, dockerSubnet, zerotierAddressWithPrefix } from "../lease/pool.ts";
import { sixPlane } from "../lease/six-plane.ts";
import type { LeaseView, NodeView } from "../schema/lease.ts";
import type { StoredNode } from "../store/stored-node.ts";
import { worstFinding } from "./kept-findings.ts";

/** What both the object and the copy in KV know of a lease. */
type KnownLease = Pick<
  StoredNode,
  "node" | "name" | "slot" | "state" | "identity" | "leasedAt" | "seenAt" | "ephemeralMinutes"
>;

export function leaseView(
  { networkId, pool }: Pick<Config, "networkId" | "pool">,
  lease: KnownLease,
  now: number,
): LeaseView {
  const six = sixPlane(networkId, lease.node);
  return {
    network: networkId,
    node: lease.node,
    name: lease.name,
    slot: lease.slot,
    state: shownState(lease, now),
    zerotier: { ipv4: zerotierAddressWithPrefix(pool, lease.slot), ipv6: six.addressWithPrefix },
    docker: {
      ipv4: {
        subnet: formatPrefix(dockerSubnet(pool, lease.slot)),
        gateway: dockerGateway(pool, lease.slot),
      },
      ipv6: { subnet: six.subnet, gateway: six.gateway },
    },
    pool: describePool(pool),
    leasedAt: new Date(lease.leasedAt).toISOString(),
    renewBefore: new Date(renewBefore(lease)).toISOString(),
  };
}

/** What the lease's state is shown as at `now` (ms since 1970). */
export function shownState(
  { state, seenAt, identity }: Pick<StoredNode, "state" | "seenAt" | "identity">,
  now: number,
): LeaseState {
  return stateAt({ state, seenAt, kept: identity === null }, now);
}

export function nodeView(config: Config, node: StoredNode, delivered: boolean, now: number): NodeView {
  return {
    ...leaseView(config, node, now),
    lastSeen: new Date(node.seenAt).toISOString(),
    key: node.keyId,
    delivered,
    address: node.address,
    tags: [...node.tags],
    ephemeralMinutes: node.ephemeralMinutes,
    facts: node.facts,
    report: node.report,
    reportedAt: isoTime(node.reportedAt),
    lastRepair: node.lastRepair,
    worstFinding: worstFinding(node.findings),
  };
}
