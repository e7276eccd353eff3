// A lease and a node as the API shows them: everything that follows from the slot, worked out.

import { formatPrefix } from "../address/prefix.ts";
import type { Config } from "../config/config.ts";
import type { NodeId } from "../lease/ids.ts";
import { type LeaseState, renewBefore, stateAt } from "../lease/lease-times.ts";
import { describePool, dockerGateway, dockerSubnet, zerotierAddressWithPrefix } from "../lease/pool.ts";
import { sixPlane } from "../lease/six-plane.ts";
import type { StoredNode, StoredState } from "../store/node-store.ts";

/** What both the object and the copy in KV know of a lease. Times in ms since 1970. */
export interface LeaseFacts {
  readonly node: NodeId;
  readonly name: string;
  readonly slot: number;
  readonly state: StoredState;
  readonly leasedAt: number;
  readonly seenAt: number;
}

/** A lease as answers show it, without the token. */
export interface LeaseView {
  readonly network: string;
  readonly node: string;
  readonly name: string;
  readonly slot: number;
  readonly state: LeaseState;
  readonly zerotier: { readonly ipv4: string; readonly ipv6: string };
  readonly docker: {
    readonly ipv4: { readonly subnet: string; readonly gateway: string };
    readonly ipv6: { readonly subnet: string; readonly gateway: string };
  };
  readonly pool: { readonly zerotier: string; readonly docker: string; readonly nodePrefix: number };
  readonly leasedAt: string;
  readonly renewBefore: string;
}

/** What only the operator, and the node itself, are shown. */
export interface NodeView extends LeaseView {
  readonly lastSeen: string;
  readonly key: string | null;
  /** Whether the controller has the lease as it should. */
  readonly delivered: boolean;
  /** What the node said of itself, as JSON. */
  readonly facts: string | null;
  readonly report: string | null;
  readonly reportedAt: string | null;
  /** When the node put something right, and in which steps, as JSON. */
  readonly lastRepair: string | null;
}

/** Works out a lease. */
export function leaseView(
  { network, pool }: Pick<Config, "network" | "pool">,
  lease: LeaseFacts,
  now: number,
): LeaseView {
  const six = sixPlane(network, lease.node);
  return {
    network,
    node: lease.node,
    name: lease.name,
    slot: lease.slot,
    state: stateAt({ state: lease.state, seenAt: lease.seenAt }, now),
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
    renewBefore: new Date(renewBefore(lease.seenAt)).toISOString(),
  };
}

/** Works out a node with its lease. */
export function nodeView(config: Config, node: StoredNode, delivered: boolean, now: number): NodeView {
  return {
    ...leaseView(config, node, now),
    lastSeen: new Date(node.seenAt).toISOString(),
    key: node.keyId,
    delivered,
    facts: node.facts,
    report: node.report,
    reportedAt: node.reportedAt === null ? null : new Date(node.reportedAt).toISOString(),
    lastRepair: node.lastRepair,
  };
}
