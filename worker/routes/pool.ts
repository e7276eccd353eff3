import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { poolSchema } from "../schema/pool.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/v1/pool",
  tags: ["nodes"],
  summary: "Use of the pool",
  ...operatorCall(["read", "nodes"]),
  responses: {
    200: { description: "The pool.", content: { "application/json": { schema: poolSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/pool`: how many slots are used, and what stands in the way of others. */
export function poolRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const use = await callObject(c, async (object) => object.poolUse());
    return answer(c, poolSchema, { ...use });
  });
}
