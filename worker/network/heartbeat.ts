import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { BootNews } from "../lease/first-boot.ts";
import type { Renewed } from "../schema/lease.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import { noteFromNode } from "./first-boots.ts";
import { leaseView, shownState } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize } from "./node-access.ts";
import { peersOf } from "./peers.ts";

export interface Heartbeat {
  readonly node: string;
  /** SHA-256 of the node's token. */
  readonly tokenHash: string;
  /** Where it calls from, as the Worker sees it; null: what is known stays. */
  readonly address: string | null;
  /** What the agent did last, as JSON. */
  readonly report: string;
  /** The steps in which it put something right since the last heartbeat. */
  readonly repaired: readonly string[];
  /** What a first boot has come to; left out: nothing of one. */
  readonly boot?: BootNews | undefined;
  /** What the host says of itself, as JSON; null: what is known stays. */
  readonly facts: string | null;
}

/** Renews the lease and keeps the report. Neither is worth a copy in KV: the free plan has 1,000 writes a day. */
export function heartbeat(net: NetworkContext, beat: Heartbeat): Result<Renewed, Refusal> {
  const { stores, config } = net;
  return stores.transaction(() => {
    const now = net.now();
    const known = authorize(stores, beat.node, { admin: false, tokenHash: beat.tokenHash }, now);
    if (!known.ok) return known;
    const node = {
      ...known.value,
      seenAt: now,
      report: beat.report,
      reportedAt: now,
      lastRepair:
        beat.repaired.length === 0
          ? known.value.lastRepair
          : JSON.stringify({ at: new Date(now).toISOString(), steps: beat.repaired }),
      address: beat.address ?? known.value.address,
      facts: beat.facts ?? known.value.facts,
    };
    if (isNews(known.value, node, now)) stores.nodes.reported(node.node, node);
    else stores.nodes.reportedAgain(node.node, now);
    if (beat.boot !== undefined) noteFromNode(net, node, beat.boot);
    if (node.state === "revoked") return err({ problem: "revoked", reason: "taken-out", node: node.node });
    const told: StoredNode = isUntold(node) ? { ...node, state: "pending" } : node;
    return ok({ ...leaseView(config, told, now), peers: peersOf(net, told) });
  });
}

/** Whether a heartbeat makes the node another one than it was shown as, but for the time when it was seen. */
function isNews(before: StoredNode, after: StoredNode, now: number): boolean {
  const seen = { seenAt: after.seenAt, reportedAt: after.reportedAt };
  return (
    JSON.stringify({ ...before, ...seen }) !== JSON.stringify(after) ||
    shownState(before, now) !== shownState(after, now)
  );
}
