import type { Context } from "hono";
import { redactedJson } from "../base/redact.ts";
import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import { answerAgent } from "../http/answer.ts";
import { callerAddress } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { configured, countNode, keyCarried, rateLimited } from "../http/guards.ts";
import { jsonBody } from "../http/json-body.ts";
import { Problem } from "../http/problem.ts";
import { parseIdentity } from "../identity/identity.ts";
import { enrolMessage, isTimely, verifySignature } from "../identity/proof.ts";
import type { Refused } from "../network/refused-enrolments.ts";
import { enrolmentSchema } from "../schema/enrolment.ts";
import { enrolledSchema, pendingSchema } from "../schema/lease.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { CONTROLLER_PROBLEMS, plainLines, problemResponses } from "../schema/problem.ts";
import { askObject, callObject } from "./object-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/enroll",
  tags: ["servers"],
  summary: "Let a server in",
  description:
    "Idempotent by node: a second call gives the same lease and, when it answers 200, a new node token; the token before stays valid until the new one is first used.",
  security: [{ enrolmentKey: [] }],
  middleware: [configured, rateLimited, keyCarried, jsonBody(LIMITS.enrolBytes)],
  request: { body: { required: true, content: { "application/json": { schema: enrolmentSchema } } } },
  responses: {
    200: {
      description: "The lease.",
      content: { "application/json": { schema: enrolledSchema }, "text/plain": { schema: plainLines } },
    },
    202: {
      description:
        "The lease waits for the operator's approval; or for the controller of the mesh, which this node is to host (`controller`).",
      content: { "application/json": { schema: pendingSchema }, "text/plain": { schema: plainLines } },
    },
    ...problemResponses(
      "bad-request",
      "unauthorized",
      "unknown-key",
      "key-revoked",
      "key-expired",
      "key-spent",
      "name-not-allowed",
      "invalid-signature",
      "wrong-address",
      "revoked",
      "cloned-identity",
      "overlap",
      "name-taken",
      "slot-taken",
      "pool-exhausted",
      "body-too-large",
      "unsupported-media-type",
      "clock-skew",
      "too-many-requests",
      "internal",
      ...CONTROLLER_PROBLEMS,
      "former-holder",
      "just-restored",
      "changed-meanwhile",
      "misconfigured",
      "busy",
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
    const { node } = identity;
    const sender = { keyHash: c.get("secretHash"), node, name: body.name, address: callerAddress(c) };
    const refuse = async (refusal: Refusal): Promise<never> => {
      await noteRefusal(c, { ...sender, refusal });
      throw new Problem(refusal);
    };
    const now = Date.now();
    if (!isTimely(body.timestamp, now))
      return refuse({ problem: "clock-skew", timestamp: body.timestamp, now });
    const host = c.req.header("Host") ?? new URL(c.req.url).host;
    const message = enrolMessage({
      host,
      node,
      name: body.name,
      machineId: body.machineId,
      timestamp: body.timestamp,
    });
    if (!(await verifySignature(identity.publicKey, message, body.signature)))
      return refuse({ problem: "invalid-signature", host });
    await countNode(c, node);
    const {
      lease: leased,
      peers,
      token,
      controller,
      isHostToBe,
    } = await askObject(
      c,
      async (object) =>
        object.enrol({
          ...sender,
          identity: body.identity,
          publicKey: identity.publicKey,
          machineId: body.machineId,
          localPrefixes: body.localPrefixes ?? [],
          facts: body.facts === undefined ? null : redactedJson(body.facts),
        }),
      LIMITS.enrolSeconds,
    );
    const { leasedAt, renewBefore, ...lease } = leased;
    const part = controller === undefined ? {} : { controller };
    if (token === undefined || lease.state === "pending" || isHostToBe)
      return answerAgent(c, pendingSchema, { ...lease, token, leasedAt, renewBefore, ...part }, 202);
    return answerAgent(c, enrolledSchema, { ...lease, token, leasedAt, renewBefore, peers, ...part });
  });
}

/** The object may be out of reach: the answer is the same then, and the log has it. */
async function noteRefusal(c: Context<App>, refused: Refused): Promise<void> {
  try {
    await callObject(c, async (object) => object.noteRefusal(refused));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}
