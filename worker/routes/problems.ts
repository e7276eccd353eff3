import type { App } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";
import { isProblemName, problemKind } from "../schema/problem-kinds.ts";

const route = apiRoute({
  method: "get",
  path: "/problems/{name}",
  tags: ["this Worker"],
  summary: "What a problem means and what to do about it",
  request: { params: z.object({ name: z.string().max(64) }) },
  responses: {
    200: { description: "Plain text.", content: { "text/plain": { schema: z.string() } } },
    ...problemResponses("not-found"),
  },
});

/** `GET /problems/:name`: a problem's `type` can be opened. */
export function problemRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, (c) => {
    const { name } = c.req.valid("param");
    if (!isProblemName(name)) throw new Problem({ problem: "not-found", missing: { what: "problem" } });
    const { status, title, meaning } = problemKind(name);
    return c.text(`${title} (${name}, HTTP ${status})\n\n${meaning}\n`);
  });
}
