import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { noBody } from "../http/no-body.ts";
import { differenceSchema } from "../schema/difference.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "post",
  path: "/v1/reconcile",
  tags: ["nodes"],
  summary: "Compare the leases with the controller, and repair what differs",
  description:
    "What runs every hour by itself. The answer is what was found; the controller hears of it within seconds after it.",
  ...operatorCall(["nodes"], noBody),
  request: { query: dryRunQuery },
  responses: {
    200: { description: "What differs.", content: { "application/json": { schema: differenceSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS, ...CONTROLLER_PROBLEMS),
  },
});

/** `POST /v1/reconcile`: what differs at the controller, for the operator. */
export function reconcileRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { dryRun } = c.req.valid("query");
    const found = await askObject(c, async (object) => object.reconcileNow(dryRun), LIMITS.enrolSeconds);
    return answer(c, differenceSchema, found);
  });
}
