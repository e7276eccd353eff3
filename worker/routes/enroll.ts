import { Problem } from "../base/problem.ts";
import { LIMITS } from "../config/limits.ts";
import { answerAgent } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { configured, jsonBody, keyCarried, rateLimited } from "../http/guards.ts";
import { parseIdentity } from "../identity/identity.ts";
import { enrolMessage, isTimely, verifySignature } from "../identity/proof.ts";
import { enrolmentSchema } from "../schema/enrolment.ts";
import { enrolledSchema, pendingSchema } from "../schema/lease.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { CONTROLLER_PROBLEMS, plainLines, problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/enroll",
  tags: ["servers"],
  summary: "Let a server in",
  description:
    "Idempotent by node: a second call gives the same lease and, when it answers 200, a new node token; the token before stays valid until the new one is first used.",
  security: [{ enrolmentKey: [] }],
  middleware: [configured, rateLimited, keyCarried, ...jsonBody(LIMITS.enrolBytes)],
  request: { body: { required: true, content: { "application/json": { schema: enrolmentSchema } } } },
  responses: {
    200: {
      description: "The lease.",
      content: { "application/json": { schema: enrolledSchema }, "text/plain": { schema: plainLines } },
    },
    202: {
      description: "The lease waits for the operator's approval.",
      content: { "application/json": { schema: pendingSchema }, "text/plain": { schema: plainLines } },
    },
    ...problemResponses(
      "bad-request",
      "unauthorized",
      "unknown-key",
      "key-expired",
      "key-spent",
      "invalid-signature",
      "wrong-address",
      "revoked",
      "cloned-identity",
      "overlap",
      "pool-exhausted",
      "body-too-large",
      "unsupported-media-type",
      "clock-skew",
      "too-many-requests",
      "internal",
      ...CONTROLLER_PROBLEMS,
      "misconfigured",
      "object-unreachable",
    ),
  },
});

/** `POST /v1/enroll`: what is cheap to check is checked here, the rest in the network's object. */
export function enrollRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const body = c.req.valid("json");
    const identity = parseIdentity(body.identity);
    if (identity === undefined)
      throw new Problem({ problem: "bad-request", detail: "identity: ZeroTier reserves this node id" });
    const now = Date.now();
    if (!isTimely(body.timestamp, now))
      throw new Problem({
        problem: "clock-skew",
        detail: `the timestamp ${body.timestamp} is more than 15 minutes from the Worker's clock, ${Math.floor(now / 1000)}; sign again with the time of this answer's Date header`,
      });
    const host = c.req.header("Host") ?? new URL(c.req.url).host;
    const message = enrolMessage({
      host,
      node: identity.node,
      name: body.name,
      machineId: body.machineId,
      timestamp: body.timestamp,
    });
    if (!(await verifySignature(identity.publicKey, message, body.signature)))
      throw new Problem({
        problem: "invalid-signature",
        detail: `the signature does not match the identity and the six signed lines, the second of which must be ${host}`,
      });
    const result = await callObject(
      c,
      async (network) =>
        network.enrol({
          keyHash: c.get("secretHash"),
          node: identity.node,
          identity: body.identity,
          name: body.name,
          machineId: body.machineId,
          localPrefixes: body.localPrefixes ?? [],
          facts: body.facts === undefined ? null : JSON.stringify(body.facts),
        }),
      LIMITS.enrolSeconds,
    );
    if (!result.ok) throw new Problem(result.refusal);
    const { leasedAt, renewBefore, ...lease } = result.lease;
    const { token } = result;
    if (token === undefined || lease.state === "pending")
      return answerAgent(c, pendingSchema, { ...lease, token, leasedAt, renewBefore }, 202);
    const { peers } = result;
    return answerAgent(c, enrolledSchema, { ...lease, token, leasedAt, renewBefore, peers });
  });
}
