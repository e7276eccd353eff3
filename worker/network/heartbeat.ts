import { type LeaseView, leaseView } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { type Answer, authorize, given, refused, revoked } from "./node-access.ts";
import { type Peer, peersOf } from "./peers.ts";

/** A sign of life. */
export interface Heartbeat {
  readonly node: string;
  /** SHA-256 of the node's token. */
  readonly tokenHash: string;
  /** What the agent did last, as JSON. */
  readonly report: string;
  /** The steps in which it put something right since the last heartbeat. */
  readonly repaired: readonly string[];
  /** What the host says of itself, as JSON; null leaves what is known. */
  readonly facts: string | null;
}

/** Renews the lease and keeps the report. It writes no copy to KV: the free plan has 1,000 writes a day. */
export function heartbeat(
  net: NetworkContext,
  beat: Heartbeat,
): Answer<LeaseView & { readonly peers: Peer[] }> {
  return net.stores.transaction(() => {
    const opened = authorize(net, beat.node, { admin: false, tokenHash: beat.tokenHash });
    if (!opened.ok) return opened;
    const now = net.now();
    const node = {
      ...opened.value,
      seenAt: now,
      report: beat.report,
      reportedAt: now,
      lastRepair:
        beat.repaired.length === 0
          ? opened.value.lastRepair
          : JSON.stringify({ at: new Date(now).toISOString(), steps: beat.repaired }),
      facts: beat.facts ?? opened.value.facts,
    };
    net.stores.nodes.put(node);
    if (node.state === "revoked") return refused(revoked(node.node));
    return given({ ...leaseView(net.config, node, now), peers: peersOf(net, node) });
  });
}
