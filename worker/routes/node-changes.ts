import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { noBody } from "../http/no-body.ts";
import { assignmentSchema, nodeChangeSchema } from "../schema/assignment.ts";
import { nodeSchema } from "../schema/lease.ts";
import { nodeId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { nodeDocument } from "./node-document.ts";
import { askObject } from "./object-call.ts";
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
