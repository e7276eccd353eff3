import { LIMITS } from "../config/limits.ts";
import { answerAgent } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { configured, jsonBody, keyCarried, rateLimited } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { parseIdentity } from "../identity/identity.ts";
import { enrolMessage, isTimely, verifySignature } from "../identity/proof.ts";
import { enrolmentSchema } from "../schema/enrolment.ts";
import { enrolledSchema, pendingSchema } from "../schema/lease.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { CONTROLLER_PROBLEMS, plainLines, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";

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
      "changed-meanwhile",
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
      throw new Problem({ problem: "bad-request", faults: ["identity: ZeroTier reserves this node id"] });
    const now = Date.now();
    if (!isTimely(body.timestamp, now))
      throw new Problem({ problem: "clock-skew", timestamp: body.timestamp, now });
    const host = c.req.header("Host") ?? new URL(c.req.url).host;
    const message = enrolMessage({
      host,
      node: identity.node,
      name: body.name,
      machineId: body.machineId,
      timestamp: body.timestamp,
    });
    if (!(await verifySignature(identity.publicKey, message, body.signature)))
      throw new Problem({ problem: "invalid-signature", host });
    const {
      lease: leased,
      peers,
      token,
    } = await askObject(
      c,
      async (object) =>
        object.enrol({
          keyHash: c.get("secretHash"),
          node: identity.node,
          identity: body.identity,
          publicKey: identity.publicKey,
          name: body.name,
          machineId: body.machineId,
          localPrefixes: body.localPrefixes ?? [],
          facts: body.facts === undefined ? null : JSON.stringify(body.facts),
        }),
      LIMITS.enrolSeconds,
    );
    const { leasedAt, renewBefore, ...lease } = leased;
    if (token === undefined || lease.state === "pending")
      return answerAgent(c, pendingSchema, { ...lease, token, leasedAt, renewBefore }, 202);
    return answerAgent(c, enrolledSchema, { ...lease, token, leasedAt, renewBefore, peers });
  });
}
