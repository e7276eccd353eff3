// The one zod of the API: schemas made with it both validate and appear in /openapi.json.
import { createRoute, type RouteConfig } from "@hono/zod-openapi";

export { OpenAPIHono, z } from "@hono/zod-openapi";

/**
 * Describes a call. Its responses are documented but not typed on the handler, because a handler has
 * two forms of an answer: `answer` checks the document against the schema instead.
 */
export function apiRoute<const P extends string, R extends Omit<RouteConfig, "path" | "responses">>(
  config: R & { path: P; responses: RouteConfig["responses"] },
): R & { path: P; responses: RouteConfig["responses"]; getRoutingPath(): string } {
  return createRoute(config);
}
