import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { controllerSchema } from "../schema/controller.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/v1/controller",
  tags: ["nodes"],
  summary: "How the ZeroTier controller stands, and what it is still to be told",
  description: "It is not asked for that. Reads a row for each change that waits.",
  ...operatorCall(["read", "nodes"]),
  responses: {
    200: { description: "The controller.", content: { "application/json": { schema: controllerSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/controller`, for the operator. */
export function controllerRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const view = await callObject(c, async (object) => object.controllerView());
    return answer(c, controllerSchema, { ...view });
  });
}
