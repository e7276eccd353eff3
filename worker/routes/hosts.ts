import { answerAgent } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { hostsLines, hostsQuery, hostsSchema } from "../schema/hosts.ts";
import { nodeId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { NODE_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { askObject, callerOf } from "./object-call.ts";
import { operatorOrNodeCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/v1/nodes/{node}/hosts",
  tags: ["servers"],
  summary: "List the servers that are in the mesh, by name",
  description:
    "For a server's hosts file. Ask again when a heartbeat's answer has another version: the allocator reads the whole list once after each change.",
  ...operatorOrNodeCall(["read", "nodes"]),
  request: { params: z.object({ node: nodeId }), query: hostsQuery },
  responses: {
    200: {
      description: "Up to 700 of them.",
      content: { "application/json": { schema: hostsSchema }, "text/plain": { schema: hostsLines } },
    },
    ...problemResponses("bad-request", ...NODE_PROBLEMS, "revoked"),
  },
});

/** `GET /v1/nodes/:node/hosts`: the names of the mesh's servers, as each of them may know them. */
export function hostsRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { node } = c.req.valid("param");
    const { after } = c.req.valid("query");
    const hosts = await askObject(c, async (object) => object.listHosts(node, callerOf(c), after));
    return answerAgent(c, hostsSchema, { ...hosts });
  });
}
