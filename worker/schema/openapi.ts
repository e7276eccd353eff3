// The one zod of the API: schemas made with it both validate and appear in /openapi.json.
import "./fault-words.ts";
import { createRoute, type RouteConfig, z } from "@hono/zod-openapi";

export { OpenAPIHono, z } from "@hono/zod-openapi";

const NO_QUERY = z.strictObject({});

/**
 * Describes a call. Its responses are documented but not typed on the handler, because a handler has
 * two forms of an answer: `answer` checks the document against the schema instead. One of the API's whose query is not
 * described takes none: a misspelt parameter that is passed over gives an answer to another question.
 */
export function apiRoute<const P extends string, R extends Omit<RouteConfig, "path" | "responses">>(
  config: R & { path: P; responses: RouteConfig["responses"] },
): R & { path: P; responses: RouteConfig["responses"]; getRoutingPath(): string } {
  if (!config.path.startsWith("/v1/")) return createRoute(config);
  return createRoute({ ...config, request: { query: NO_QUERY, ...config.request } });
}
