import { redact, redactedJson } from "../base/redact.ts";
import { LIMITS } from "../config/limits.ts";
import { answerAgent } from "../http/answer.ts";
import { callerAddress } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { configured, nodeOnly } from "../http/guards.ts";
import { jsonBody } from "../http/json-body.ts";
import type { BootNews } from "../lease/first-boot.ts";
import { type HeartbeatBody, heartbeatSchema } from "../schema/heartbeat.ts";
import { renewedSchema } from "../schema/lease.ts";
import { nodeId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { plainLines, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/nodes/{node}/heartbeat",
  tags: ["servers"],
  summary: "Renew a lease and report",
  security: [{ nodeToken: [] }],
  middleware: [configured, nodeOnly, jsonBody(LIMITS.heartbeatBytes)],
  request: {
    params: z.object({ node: nodeId }),
    body: { required: true, content: { "application/json": { schema: heartbeatSchema } } },
  },
  responses: {
    200: {
      description: "The lease as it is now.",
      content: { "application/json": { schema: renewedSchema }, "text/plain": { schema: plainLines } },
    },
    ...problemResponses(
      "bad-request",
      "unauthorized",
      "revoked",
      "body-too-large",
      "unsupported-media-type",
      "too-many-requests",
      "internal",
      "misconfigured",
      "object-unreachable",
    ),
  },
});

/** `POST /v1/nodes/:node/heartbeat`: the agent's sign of life. */
export function heartbeatRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { node } = c.req.valid("param");
    const { facts, findings, hosts, firstBoot, probes, ...report } = c.req.valid("json");
    const renewed = await askObject(c, async (object) =>
      object.heartbeat({
        node,
        tokenHash: c.get("secretHash"),
        address: callerAddress(c),
        // How far a first boot has come says nothing of how it ends.
        report: firstBoot?.state === "running" ? null : redactedJson(report),
        boot: bootNews(report, firstBoot),
        repaired: report.repaired ?? [],
        findings: findings === undefined ? null : redactedJson(findings),
        hosts,
        facts: facts === undefined ? null : redactedJson(facts),
        probes,
      }),
    );
    return answerAgent(c, renewedSchema, { ...renewed });
  });
}

/** A failure is one of a first boot until that is done, which the object knows. */
function bootNews(
  { state, step, log }: Pick<HeartbeatBody, "state" | "step" | "log">,
  reached: HeartbeatBody["firstBoot"],
): BootNews | undefined {
  const lines = log === undefined ? null : redact(log);
  if (state === "failed") return { state, step: step === undefined ? null : redact(step), log: lines };
  return reached && { ...reached, log: lines };
}
