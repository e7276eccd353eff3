import type { App } from "../http/context.ts";
import { workerHealth } from "../http/health.ts";
import { healthSchema } from "../schema/health.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";

const content = { "application/json": { schema: healthSchema } };

const route = apiRoute({
  method: "get",
  path: "/healthz",
  tags: ["this Worker"],
  summary: "Whether the Worker can let servers in",
  responses: {
    200: { description: "It can.", content },
    503: { description: "It cannot, or not at once; `faults` says why.", content },
  },
});

/** `GET /healthz`: for monitoring; needs no token and tells nothing about nodes. */
export function healthRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const health = await workerHealth(c);
    c.header("Cache-Control", "no-store");
    return c.json({ status: health.status, faults: [...health.faults] }, health.status === "ok" ? 200 : 503);
  });
}
