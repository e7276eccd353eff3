import { AGENT } from "../../cloud-init/agent/program.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { type Metric, PROMETHEUS_TYPE, prometheusText, type Sample } from "../http/prometheus-text.ts";
import type { NetworkMetrics } from "../network/metrics.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/metrics",
  tags: ["this Worker"],
  summary: "What monitoring is to know, in Prometheus' text format",
  ...operatorCall(["read"]),
  responses: {
    200: { description: "docs/metrics.md has each.", content: { "text/plain": { schema: z.string() } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /metrics`, for Prometheus and what reads its format. */
export function metricsRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const found = await callObject(c, async (object) => object.metrics(AGENT.sha256));
    c.header("Cache-Control", "no-store");
    return c.body(prometheusText(metricsOf(found)), 200, { "Content-Type": PROMETHEUS_TYPE });
  });
}

function metricsOf(found: NetworkMetrics): Metric[] {
  const { failed, ...nodes } = found.nodes;
  const { total, ...slots } = found.slots;
  const { made, refused, limit } = found.controller;
  const gauge = (name: string, help: string, samples: readonly Sample[] | number): Metric => ({
    name: `meshboot_${name}`,
    help,
    type: "gauge",
    samples: typeof samples === "number" ? [{ value: samples }] : samples,
  });
  return [
    gauge("ready", "Whether servers can be let in, as /healthz says.", Number(found.status === "ok")),
    gauge("servers", "Servers with a lease, by the state that they are shown in.", by("state", nodes)),
    gauge("servers_failed", "Servers whose last report is of a failure, whatever their state.", failed),
    gauge(
      "servers_behind",
      "Servers that say that they run another agent than this Worker's, whatever their state.",
      found.behind,
    ),
    gauge("pool_slots", "Slots of the pool: each is of one kind.", by("kind", slots)),
    gauge("pool_size", "Slots that the pool has.", total),
    gauge(
      "pool_conflicts",
      "What others have in the pool: routes, leased addresses.",
      by("what", found.conflicts),
    ),
    gauge(
      "outbox_waiting",
      "What is still to be told: members and routes to the controller, copies to Workers KV.",
      found.outbox.map(({ kind, waiting }) => ({ labels: { kind }, value: waiting })),
    ),
    gauge(
      "outbox_oldest_seconds",
      "For how long the oldest of it has waited; 0 while nothing waits.",
      found.outbox.map(({ kind, since = found.now }) => ({
        labels: { kind },
        value: Math.max(0, found.now - since) / 1000,
      })),
    ),
    {
      name: "meshboot_controller_calls_total",
      help: "Calls to the ZeroTier controller since the object started: made, or refused since their turn under its rate limit came too late.",
      type: "counter",
      samples: by("outcome", { made, refused }),
    },
    gauge("controller_calls_limit", "Calls a second that the controller allows.", limit),
    gauge(
      "controller_readable",
      "Whether the controller could be read when that was last tried.",
      Number(found.isControllerRead),
    ),
    gauge(
      "reconcile_last_timestamp_seconds",
      "When the hourly run was last done.",
      found.reconciledAt === undefined ? [] : found.reconciledAt / 1000,
    ),
    gauge(
      "refused_enrolments",
      "Enrolments whose refusal is kept, by problem.",
      by("problem", found.refused),
    ),
    gauge(
      "first_boots",
      `Of the last ${LIMITS.firstBootsMeasured} first boots those of which anything was told within six hours, by state.`,
      by("state", found.firstBoots.states),
    ),
    gauge(
      "first_boot_standstill_seconds",
      "For how long the one of these that is not through, and waits for no approval, has come to no further stage; the longest.",
      found.firstBoots.standstill / 1000,
    ),
    {
      name: "meshboot_first_boot_seconds",
      help: `From the agent's start on a server until it came to the stage: of the last ${LIMITS.firstBootsMeasured} first boots those that are through and had not to wait for an approval.`,
      type: "summary",
      samples: found.firstBoots.reached.map(({ stage, quantile, ms }) => ({
        labels: { stage, quantile: String(quantile) },
        value: ms / 1000,
      })),
    },
    gauge("webhooks", "Webhooks, by whether their last call was taken.", by("state", found.webhooks)),
  ];
}

function by(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
