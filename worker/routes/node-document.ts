import { z } from "zod";
import { AGENT } from "../../cloud-init/agent/program.ts";
import type { Config } from "../config/config.ts";
import type { Json } from "../http/key-value.ts";
import { makePool } from "../lease/pool.ts";
import { failureIn } from "../network/failed-report.ts";
import { leaseView } from "../network/lease-view.ts";
import type { LeaseCopy } from "../outbox/lease-copy.ts";
import { agentSha256Schema } from "../schema/agent.ts";
import { findingsSchema } from "../schema/finding.ts";
import type { NodeDetail, NodeView } from "../schema/lease.ts";

const repair = z.object({ at: z.string(), steps: z.array(z.string()) });
const stored = z.record(z.string(), z.json());

export function nodeDocument({ facts, report, lastRepair, ...node }: NodeView) {
  const said = fromJson(facts);
  return {
    ...node,
    failed: failureOf(report, node.reportedAt),
    behind: isBehind(said),
    facts: said,
    report: fromJson(report),
    lastRepair: lastRepair === null ? null : repair.parse(JSON.parse(lastRepair)),
  };
}

export function nodeDetailDocument({ findings, ...node }: NodeDetail) {
  return {
    ...nodeDocument(node),
    findings: findings === null ? null : findingsSchema.parse(JSON.parse(findings)),
  };
}

/** A node as its copy in KV shows it: what the host last said of itself is not in there. */
export function copyDocument(config: Config, copy: LeaseCopy) {
  // The pool that the lease was made from, should the settings have changed since.
  const made = makePool(copy.pool);
  // As of its last write: that it was not seen since says nothing, since heartbeats write none.
  const view = leaseView(made.ok ? { ...config, pool: made.value } : config, copy, copy.seenAt);
  return {
    ...view,
    lastSeen: new Date(copy.seenAt).toISOString(),
    key: copy.key,
    delivered: true,
    failed: null,
    address: null,
    tags: copy.tags,
    ephemeralMinutes: copy.ephemeralMinutes,
    behind: null,
    facts: null,
    report: null,
    reportedAt: null,
    lastRepair: null,
    worstFinding: null,
    findings: null,
  };
}

/** Where the agent stopped, when its report is of a failure. */
function failureOf(report: string | null, at: string | null): { step: string | null; at: string } | null {
  const failure = failureIn(report);
  return failure === undefined || at === null ? null : { ...failure, at };
}

/** Whether the host's agent is another one than this Worker gives out; null when the host did not say. */
function isBehind(facts: Record<string, Json> | null): boolean | null {
  const sha256 = agentSha256Schema.safeParse(facts?.["agentSha256"]);
  return sha256.success ? sha256.data !== AGENT.sha256 : null;
}

function fromJson(text: string | null): Record<string, Json> | null {
  return text === null ? null : stored.parse(JSON.parse(text));
}
