import { agentTools } from "../agent-files.ts";
import type { App } from "../http/context.ts";
import { rateLimited } from "../http/guards.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";

const route = apiRoute({
  method: "get",
  path: "/agent/tools",
  tags: ["servers"],
  summary: "The agent's tools",
  description:
    "`meshboot doctor` and `meshboot compose`, for which user-data has no room. The agent runs them only when their SHA-256 is the one that it carries.",
  middleware: [rateLimited],
  responses: {
    200: {
      description: "A shell text, to be sourced by the agent.",
      content: { "text/x-shellscript": { schema: z.string() } },
    },
    ...problemResponses("too-many-requests", "internal"),
  },
});

/** `GET /agent/tools`: what a server fetches when it has a lease. The same for everybody, and no secret. */
export function agentToolsRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, (c) => c.body(agentTools, 200, { "Content-Type": "text/x-shellscript; charset=utf-8" }));
}
