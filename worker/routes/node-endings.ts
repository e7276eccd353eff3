import type { Context } from "hono";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { noBody } from "../http/no-body.ts";
import { Problem } from "../http/problem.ts";
import type { Ending } from "../lease/ending.ts";
import type { NodeId } from "../lease/ids.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { endingSchema, replacedSchema, replacementSchema, retiredSchema } from "../schema/ending.ts";
import { nodeId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import {
  ADMIN_PROBLEMS,
  BODY_PROBLEMS,
  CONTROLLER_PROBLEMS,
  NODE_PROBLEMS,
  problemResponses,
} from "../schema/problem.ts";
import { askObject, callerOf } from "./object-call.ts";
import { operatorCall, operatorOrNodeCall } from "./operator-call.ts";

const params = z.object({ node: nodeId });
const tags = ["nodes"];
const json = <S extends z.ZodType>(schema: S) => ({ content: { "application/json": { schema } } });
const previewed = {
  description: "With `dryRun`: what the call would break.",
  ...json(endingSchema),
};

const remove = apiRoute({
  method: "delete",
  path: "/v1/nodes/{node}",
  tags,
  summary: "End a lease, and give up its name and slot",
  description:
    "For the operator, or the node itself unless it is revoked. A slot that the node was let in with is not leased to another before its quarantine ends; a request that waits for approval costs none. A node that the operator deletes does not come back with a key that let it in, and its reservation, if any, ends; one that leaves by itself leaves that.",
  ...operatorOrNodeCall(["nodes"], noBody),
  request: { params, query: dryRunQuery },
  responses: {
    200: previewed,
    204: { description: "The lease is over." },
    ...problemResponses(
      ...NODE_PROBLEMS,
      "forbidden",
      "revoked",
      "changed-meanwhile",
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

const retire = apiRoute({
  method: "post",
  path: "/v1/nodes/{node}/retire",
  tags,
  summary: "Take a node out for good, and keep its name and slot",
  description:
    "They are reserved from then on: another server gets them by a key with `reservation`. The change stays even when the controller does not answer; the Worker tries again on its own.",
  ...operatorCall(["nodes"], noBody),
  request: { params, query: dryRunQuery },
  responses: {
    200: {
      description: "What it broke, and the reservation; with `dryRun` what it would break.",
      ...json(z.union([retiredSchema, endingSchema])),
    },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

const replace = apiRoute({
  method: "post",
  path: "/v1/nodes/{node}/replace",
  tags,
  summary: "Make a key with which another server takes the node's place",
  description:
    "For a server that died and is ordered anew: the new one gets name, slot and IPv4 addresses, whatever it calls itself. The node stays as it is until then, and is out at the controller before the new one gets its address. To have user-data made with such a key, give POST /v1/user-data a `key` with `reservation` and `takeover`.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    query: dryRunQuery,
    body: { required: true, ...json(replacementSchema) },
  },
  responses: {
    200: previewed,
    201: { description: "The key, and what its use will break.", ...json(replacedSchema) },
    ...problemResponses(...BODY_PROBLEMS, "not-found", ...ADMIN_PROBLEMS),
  },
});

/** Ending leases: the operator; a node may end its own. */
export function nodeEndingRoutes(app: OpenAPIHono<App>): void {
  app.openapi(remove, async (c) => {
    const { node } = c.req.valid("param");
    const caller = callerOf(c);
    if (c.req.valid("query").dryRun) {
      // What its own leave would break is another thing.
      if (!caller.admin) throw new Problem({ problem: "forbidden", needs: ["nodes"] });
      return preview(c, node, "deleted");
    }
    await askObject(c, async (object) => object.releaseNode(node, caller), LIMITS.enrolSeconds);
    return c.body(null, 204);
  });

  app.openapi(retire, async (c) => {
    const { node } = c.req.valid("param");
    if (c.req.valid("query").dryRun) return preview(c, node, "retired");
    const retired = await askObject(
      c,
      async (object) => object.retireNode(node, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, retiredSchema, retired);
  });

  app.openapi(replace, async (c) => {
    const { node } = c.req.valid("param");
    if (c.req.valid("query").dryRun) return preview(c, node, "replaced");
    const terms = c.req.valid("json");
    const replaced = await askObject(c, async (object) => object.replaceNode(node, terms, c.get("operator")));
    return answer(c, replacedSchema, replaced, 201);
  });
}

/** What that end of the node's lease would break. */
async function preview(c: Context<App>, node: NodeId, ending: Ending) {
  const view = await askObject(c, async (object) => object.previewEnding(node, ending));
  return answer(c, endingSchema, view);
}
