import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { noBody } from "../http/no-body.ts";
import { assignmentSchema, nodeChangeSchema } from "../schema/assignment.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { nodeSchema } from "../schema/lease.ts";
import { nodeId } from "../schema/names.ts";
import { nodeChangesSchema, wantedNodeChangesSchema } from "../schema/node-changes.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { PROBLEMS } from "../schema/problem-kinds.ts";
import { occurrenceOf } from "../schema/refusal-text.ts";
import { nodeDocument } from "./node-document.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const params = z.object({ node: nodeId });
const tags = ["nodes"];
const oneNode = { content: { "application/json": { schema: nodeSchema } } };

const put = apiRoute({
  method: "put",
  path: "/v1/nodes/{node}",
  tags,
  summary: "Lease without a proof",
  description: "For servers without an agent: the operator names the node. Idempotent.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: assignmentSchema } } },
  },
  responses: {
    200: { description: "The node had a lease.", ...oneNode },
    201: { description: "The lease was made.", ...oneNode },
    ...problemResponses(
      ...BODY_PROBLEMS,
      "name-taken",
      "name-reserved",
      "slot-taken",
      "pool-exhausted",
      "former-holder",
      "just-restored",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

const patch = apiRoute({
  method: "patch",
  path: "/v1/nodes/{node}",
  tags,
  summary: "Change a node's name or tags",
  description: "`tags` are all that it has from then on.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: nodeChangeSchema } } },
  },
  responses: {
    200: { description: "The node.", ...oneNode },
    ...problemResponses(...BODY_PROBLEMS, "not-found", "name-taken", "name-reserved", ...ADMIN_PROBLEMS),
  },
});

const many = apiRoute({
  method: "post",
  path: "/v1/nodes/changes",
  tags,
  summary: "Do one thing with many nodes",
  description:
    "Each by itself: what cannot be done with one keeps no other back. The changes stay even when the controller does not answer; the Worker tries again on its own.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    query: dryRunQuery,
    body: { required: true, content: { "application/json": { schema: wantedNodeChangesSchema } } },
  },
  responses: {
    200: {
      description: "What came of each.",
      content: { "application/json": { schema: nodeChangesSchema } },
    },
    ...problemResponses(...BODY_PROBLEMS, ...ADMIN_PROBLEMS),
  },
});

const approve = verb("approve", "Let a node in that waits or was revoked");
const revoke = verb("revoke", "Take a node out of the mesh; its slot stays its own");

/** Changing nodes, for the operator. */
export function nodeChangeRoutes(app: OpenAPIHono<App>): void {
  app.openapi(put, async (c) => {
    const { node } = c.req.valid("param");
    const { name, slot, machineId } = c.req.valid("json");
    const assigned = await askObject(
      c,
      async (object) => object.assignNode({ node, name, slot, machineId }, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, nodeSchema, nodeDocument(assigned.node), assigned.created ? 201 : 200);
  });

  app.openapi(patch, async (c) => {
    const { node } = c.req.valid("param");
    const change = c.req.valid("json");
    const changed = await askObject(
      c,
      async (object) => object.editNode(node, change, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, nodeSchema, nodeDocument(changed));
  });

  app.openapi(many, async (c) => {
    const { dryRun } = c.req.valid("query");
    const wanted = c.req.valid("json");
    const changed = await callObject(
      c,
      async (object) => object.changeNodes(wanted, dryRun, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    const items = changed.map(({ refusal, ...node }) => ({
      ...node,
      problem: refusal && problemDocument(refusal),
    }));
    return answer(c, nodeChangesSchema, { dryRun, change: wanted.change, items });
  });

  app.openapi(approve, async (c) => {
    const { node } = c.req.valid("param");
    const changed = await askObject(
      c,
      async (object) => object.approveNode(node, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, nodeSchema, nodeDocument(changed));
  });

  app.openapi(revoke, async (c) => {
    const { node } = c.req.valid("param");
    const changed = await askObject(
      c,
      async (object) => object.revokeNode(node, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, nodeSchema, nodeDocument(changed));
  });
}

/** Why nothing was done with one of many. */
function problemDocument(refusal: Refusal) {
  const { status, title } = PROBLEMS[refusal.problem];
  return { type: `/problems/${refusal.problem}`, title, status, detail: occurrenceOf(refusal).detail };
}

function verb<V extends string>(name: V, summary: string) {
  return apiRoute({
    method: "post",
    path: `/v1/nodes/{node}/${name}`,
    tags,
    summary,
    description:
      "The change stays even when the controller does not answer: `delivered` says whether it has it, and the Worker tries again on its own.",
    ...operatorCall(["nodes"], noBody),
    request: { params },
    responses: {
      200: { description: "The node.", ...oneNode },
      ...problemResponses("bad-request", "not-found", ...ADMIN_PROBLEMS),
    },
  });
}
