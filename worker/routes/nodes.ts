import type { Context } from "hono";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { equalDigests } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { NodeId } from "../lease/ids.ts";
import { type LeaseCopy, readCopy } from "../outbox/lease-copy.ts";
import { nodeDetailSchema, nodesSchema } from "../schema/lease.ts";
import { nodeId } from "../schema/names.ts";
import { nodeQuery } from "../schema/node-query.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, NODE_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { copyDocument, nodeDetailDocument, nodeDocument } from "./node-document.ts";
import { askObject, callerOf, callObject } from "./object-call.ts";
import { operatorCall, operatorOrNodeCall } from "./operator-call.ts";

/** Set to `copy` on an answer that came from KV because the allocator is out of reach. */
const SOURCE_HEADER = "Meshboot-Source";

const placeBy = z.union([z.string(), z.number()]);
const params = z.object({ node: nodeId });
const tags = ["nodes"];
const oneNode = { content: { "application/json": { schema: nodeDetailSchema } } };

const list = apiRoute({
  method: "get",
  path: "/v1/nodes",
  tags,
  summary: "List the nodes",
  description:
    "One call looks through a thousand nodes: a page may have fewer than `limit`, or none, and a `next` nevertheless. A whole `name`, a `key` and any `state` but `active` are found without a look at the others.",
  ...operatorCall(["read", "nodes"]),
  request: { query: nodeQuery },
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
    "For the operator, or the node itself. While the allocator is out of reach the answer comes from the published copy, marked by `Meshboot-Source: copy`; it may be a minute old, and has neither facts, report nor findings.",
  ...operatorOrNodeCall(["read", "nodes"]),
  request: { params },
  responses: {
    200: { description: "The node.", ...oneNode },
    ...problemResponses(...NODE_PROBLEMS, "revoked"),
  },
});

/** Reading nodes: the operator all, a node itself. */
export function nodeRoutes(app: OpenAPIHono<App>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor, sort, state, name, tag, behind, key } = c.req.valid("query");
    const [, by, node] = readCursor(cursor, z.tuple([z.literal(sort), placeBy, z.string()])) ?? [];
    const after = by === undefined || node === undefined ? undefined : { by, node };
    const { items, next } = await callObject(c, async (object) =>
      object.listNodes({
        ...{ limit, after, sort, state, name, tag, key },
        agentNot: behind === undefined ? undefined : AGENT.sha256,
      }),
    );
    return answer(c, nodesSchema, {
      items: items.map((node) => nodeDocument(node)),
      next: next === undefined ? null : writeCursor([sort, next.by, next.node]),
    });
  });

  app.openapi(get, async (c) => {
    const { node } = c.req.valid("param");
    try {
      const known = await askObject(
        c,
        async (object) => object.readNode(node, callerOf(c)),
        LIMITS.readSeconds,
      );
      return answer(c, nodeDetailSchema, nodeDetailDocument(known));
    } catch (error) {
      if (!(error instanceof Problem && error.refusal.problem === "object-unreachable")) throw error;
      return answerFromCopy(c, node, error);
    }
  });
}

async function answerFromCopy(c: Context<App>, node: NodeId, unreachable: Problem): Promise<Response> {
  const copy = await readCopy(c.env.LEASES, node);
  const config = c.get("config");
  if (copy === undefined || copy.network !== config.networkId) throw unreachable;
  if (!mayRead(c, copy)) throw new Problem({ problem: "unauthorized", reason: "not-of-copy", node });
  c.header(SOURCE_HEADER, "copy");
  return answer(c, nodeDetailSchema, copyDocument(config, copy));
}

function mayRead(c: Context<App>, copy: LeaseCopy): boolean {
  if (c.get("caller") === "admin") return true;
  return copy.tokenHashes.some((hash) => equalDigests(hash, c.get("secretHash")));
}
