import type { App } from "../http/context.ts";
import { rateLimited } from "../http/guards.ts";
import { healthSchema } from "../schema/health.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";
import { workerHealth } from "./worker-health.ts";

const content = { "application/json": { schema: healthSchema } };

const route = apiRoute({
  method: "get",
  path: "/healthz",
  tags: ["this Worker"],
  summary: "Whether the Worker can let servers in",
  middleware: [rateLimited],
  responses: {
    200: { description: "It can; `warnings` says what needs attention nevertheless.", content },
    503: { description: "It cannot, or not at once; `faults` says why.", content },
    ...problemResponses("too-many-requests"),
  },
});

/** For monitoring: needs no token, and tells nothing about nodes. With the admin token, faults have the addresses that they are about. */
export function healthRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const health = await workerHealth(c);
    c.header("Cache-Control", "no-store");
    return c.json(health, health.status === "ok" ? 200 : 503);
  });
}
