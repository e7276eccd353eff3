import type { Context } from "hono";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { adminOnly, adminOrNode, configured, jsonBody } from "../http/guards.ts";
import { callObject } from "../http/object-call.ts";
import { Problem } from "../http/problem.ts";
import { equalDigests } from "../http/secret.ts";
import type { NodeId } from "../lease/ids.ts";
import { type LeaseCopy, readCopy } from "../network/lease-copy.ts";
import type { Caller } from "../network/node-access.ts";
import { assignmentSchema, renameSchema } from "../schema/assignment.ts";
import { nodeSchema, nodesSchema } from "../schema/lease.ts";
import { nodeId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { copyDocument, nodeDocument } from "./node-document.ts";

/** Set to `copy` on an answer that came from KV because the allocator is out of reach. */
const SOURCE_HEADER = "Meshboot-Source";

const security = [{ adminToken: [] }];
const params = z.object({ node: nodeId });
const tags = ["nodes"];
const oneNode = { content: { "application/json": { schema: nodeSchema } } };
const BODY_PROBLEMS = ["bad-request", "body-too-large", "unsupported-media-type"] as const;

const list = apiRoute({
  method: "get",
  path: "/v1/nodes",
  tags,
  summary: "List the nodes",
  security,
  middleware: [configured, adminOnly],
  request: { query: pageQuery },
  responses: {
    200: { description: "A page of nodes.", content: { "application/json": { schema: nodesSchema } } },
    ...problemResponses("bad-request", ...ADMIN_PROBLEMS),
  },
});

const get = apiRoute({
  method: "get",
  path: "/v1/nodes/{node}",
  tags,
  summary: "Read a node",
  description:
    "For the operator, or the node itself. While the allocator is out of reach the answer comes from the published copy, marked by `Meshboot-Source: copy`; it may be a minute old, and has neither facts nor report.",
  security: [{ adminToken: [] }, { nodeToken: [] }],
  middleware: [configured, adminOrNode],
  request: { params },
  responses: {
    200: { description: "The node.", ...oneNode },
    ...problemResponses(
      "bad-request",
      "unauthorized",
      "not-found",
      "internal",
      "misconfigured",
      "object-unreachable",
    ),
  },
});

const put = apiRoute({
  method: "put",
  path: "/v1/nodes/{node}",
  tags,
  summary: "Lease without a proof",
  description: "For servers without an agent: the operator names the node. Idempotent.",
  security,
  middleware: [configured, adminOnly, ...jsonBody(LIMITS.bodyBytes)],
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
      "slot-taken",
      "pool-exhausted",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

const patch = apiRoute({
  method: "patch",
  path: "/v1/nodes/{node}",
  tags,
  summary: "Rename a node",
  security,
  middleware: [configured, adminOnly, ...jsonBody(LIMITS.bodyBytes)],
  request: { params, body: { required: true, content: { "application/json": { schema: renameSchema } } } },
  responses: {
    200: { description: "The node.", ...oneNode },
    ...problemResponses(...BODY_PROBLEMS, "not-found", "name-taken", ...ADMIN_PROBLEMS),
  },
});

const remove = apiRoute({
  method: "delete",
  path: "/v1/nodes/{node}",
  tags,
  summary: "End a lease",
  description:
    "For the operator, or the node itself. The slot is not leased again before its quarantine ends.",
  security: [{ adminToken: [] }, { nodeToken: [] }],
  middleware: [configured, adminOrNode],
  request: { params },
  responses: {
    204: { description: "The lease is over." },
    ...problemResponses(
      "bad-request",
      "unauthorized",
      "not-found",
      "internal",
      "misconfigured",
      "object-unreachable",
    ),
  },
});

const approve = verb("approve", "Let a node in that waits or was revoked");
const revoke = verb("revoke", "Take a node out of the mesh; its slot stays its own");

/** `/v1/nodes`: the nodes, for the operator; a node may read and release itself. */
export function nodeRoutes(app: OpenAPIHono<App>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const nodes = await callObject(c, async (network) => network.listNodes(limit + 1, cursor));
    const { items, next } = pageOf(nodes, limit, ({ node }) => node);
    return answer(c, nodesSchema, { items: items.map(nodeDocument), next });
  });

  app.openapi(get, async (c) => {
    const { node } = c.req.valid("param");
    try {
      const result = await callObject(
        c,
        async (network) => network.readNode(node, callerOf(c)),
        LIMITS.readSeconds,
      );
      if (!result.ok) throw new Problem(result.refusal);
      return answer(c, nodeSchema, nodeDocument(result.value));
    } catch (error) {
      if (!(error instanceof Problem && error.refusal.problem === "object-unreachable")) throw error;
      return answerFromCopy(c, node, error);
    }
  });

  app.openapi(put, async (c) => {
    const { node } = c.req.valid("param");
    const { name, slot, machineId } = c.req.valid("json");
    const result = await callObject(
      c,
      async (network) => network.assignNode({ node, name, slot, machineId }),
      LIMITS.enrolSeconds,
    );
    if (!result.ok) throw new Problem(result.refusal);
    return answer(c, nodeSchema, nodeDocument(result.value.view), result.value.created ? 201 : 200);
  });

  app.openapi(patch, async (c) => {
    const { node } = c.req.valid("param");
    const { name } = c.req.valid("json");
    const result = await callObject(
      c,
      async (network) => network.renameNode(node, name),
      LIMITS.enrolSeconds,
    );
    if (!result.ok) throw new Problem(result.refusal);
    return answer(c, nodeSchema, nodeDocument(result.value));
  });

  app.openapi(remove, async (c) => {
    const { node } = c.req.valid("param");
    const result = await callObject(
      c,
      async (network) => network.releaseNode(node, callerOf(c)),
      LIMITS.enrolSeconds,
    );
    if (!result.ok) throw new Problem(result.refusal);
    return c.body(null, 204);
  });

  app.openapi(approve, async (c) => {
    const { node } = c.req.valid("param");
    const result = await callObject(c, async (network) => network.approveNode(node), LIMITS.enrolSeconds);
    if (!result.ok) throw new Problem(result.refusal);
    return answer(c, nodeSchema, nodeDocument(result.value));
  });

  app.openapi(revoke, async (c) => {
    const { node } = c.req.valid("param");
    const result = await callObject(c, async (network) => network.revokeNode(node), LIMITS.enrolSeconds);
    if (!result.ok) throw new Problem(result.refusal);
    return answer(c, nodeSchema, nodeDocument(result.value));
  });
}

function verb<V extends string>(name: V, summary: string) {
  return apiRoute({
    method: "post",
    path: `/v1/nodes/{node}/${name}`,
    tags,
    summary,
    description:
      "The change stays also when the controller does not answer: `delivered` says whether it has it; it is tried again by itself.",
    security,
    middleware: [configured, adminOnly],
    request: { params },
    responses: {
      200: { description: "The node.", ...oneNode },
      ...problemResponses("bad-request", "not-found", ...ADMIN_PROBLEMS),
    },
  });
}

function callerOf(c: Context<App>): Caller {
  return c.get("caller") === "admin" ? { admin: true } : { admin: false, tokenHash: c.get("secretHash") };
}

async function answerFromCopy(c: Context<App>, node: NodeId, unreachable: Problem): Promise<Response> {
  const copy = await readCopy(c.env.LEASES, node);
  const config = c.get("config");
  if (copy === undefined || copy.network !== config.network) throw unreachable;
  if (!mayRead(c, copy))
    throw new Problem({ problem: "unauthorized", detail: `the token is not that of node ${node}` });
  c.header(SOURCE_HEADER, "copy");
  return answer(c, nodeSchema, copyDocument(config, copy, Date.now()));
}

function mayRead(c: Context<App>, copy: LeaseCopy): boolean {
  if (c.get("caller") === "admin") return true;
  return copy.tokenHashes.some((hash) => equalDigests(hash, c.get("secretHash")));
}
