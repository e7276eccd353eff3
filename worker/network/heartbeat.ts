import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { BootNews } from "../lease/first-boot.ts";
import { takeProbes } from "../reach/kept-probes.ts";
import type { Renewed } from "../schema/lease.ts";
import type { Probes } from "../schema/reach.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import { noteFromNode } from "./first-boots.ts";
import { hostsVersionFor } from "./hosts.ts";
import { foundTheSame, keepFindings } from "./kept-findings.ts";
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
  /** What the agent did last, as JSON; null: what is known stays. */
  readonly report: string | null;
  /** The steps in which it put something right since the last heartbeat. */
  readonly repaired: readonly string[];
  /** What a first boot has come to; left out: nothing of one. */
  readonly boot?: BootNews | undefined;
  /** What its doctor has just found, as a JSON list; null: what is known stays. */
  readonly findings: string | null;
  /** The version of the list of servers that it has; undefined: it wants none. */
  readonly hosts?: string | undefined;
  /** What the host says of itself, as JSON; null: what is known stays. */
  readonly facts: string | null;
  /** What it found of others; undefined: it does not probe. */
  readonly probes: Probes | undefined;
}

/** Renews the lease and keeps the report. Neither is worth a copy in KV: the free plan has 1,000 writes a day. */
export function heartbeat(net: NetworkContext, beat: Heartbeat): Result<Renewed, Refusal> {
  const { stores, config } = net;
  return stores.transaction(() => {
    const now = net.now();
    const known = authorize(stores, beat.node, { admin: false, tokenHash: beat.tokenHash }, now);
    if (!known.ok) return known;
    const { kept, probe, isNews: isReachNews } = takeProbes(stores.nodes, known.value, beat.probes, now);
    const node = {
      ...known.value,
      seenAt: now,
      ...(beat.report !== null && { report: beat.report, reportedAt: now }),
      lastRepair:
        beat.repaired.length === 0
          ? known.value.lastRepair
          : JSON.stringify({ at: new Date(now).toISOString(), steps: beat.repaired }),
      findings: beat.findings === null ? known.value.findings : keepFindings(beat.findings, now),
      address: beat.address ?? known.value.address,
      facts: beat.facts ?? known.value.facts,
      probes: kept,
    };
    stores.nodes.reported(node.node, node, { isNews: isReachNews || isNews(known.value, node, now) });
    if (beat.boot !== undefined) noteFromNode(net, node, beat.boot);
    if (node.state === "revoked") return err({ problem: "revoked", reason: "taken-out", node: node.node });
    const told: StoredNode = isUntold(node) ? { ...node, state: "pending" } : node;
    const hosts = hostsVersionFor(net, told, beat.hosts);
    const controller = net.own?.roleOf(node.node);
    return ok({
      ...leaseView(config, told, now),
      peers: peersOf(net, told),
      probe,
      ...(hosts !== undefined && { hosts }),
      ...(controller !== undefined && { controller }),
    });
  });
}

/** Whether a heartbeat makes the node another one than it was shown as, but for times and what it found of others. */
function isNews(before: StoredNode, after: StoredNode, now: number): boolean {
  return shownOf(before, now) !== shownOf(after, now) || !foundTheSame(before.findings, after.findings);
}

function shownOf(node: StoredNode, now: number): string {
  return JSON.stringify({
    ...node,
    ...{ state: shownState(node, now), seenAt: null, reportedAt: null, findings: null, probes: null },
  });
}
