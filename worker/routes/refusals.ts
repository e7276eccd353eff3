import { z } from "zod";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { refusalsSchema } from "../schema/refusals.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const place = z.object({ lastAt: z.number(), node: z.string(), problem: z.string(), keyId: z.string() });

const route = apiRoute({
  method: "get",
  path: "/v1/refusals",
  tags: ["keys"],
  summary: "List the enrolments that were refused",
  description:
    "The latest first; one for each node, problem and key. Bounded: the oldest are forgotten, and those of problems that pass by themselves once the node is in.",
  ...operatorCall(["read", "nodes"]),
  request: { query: pageQuery },
  responses: {
    200: { description: "A page of refusals.", content: { "application/json": { schema: refusalsSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/refusals`: who was not let in, and why. */
export function refusalRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, place);
    const listed = await callObject(c, async (object) => object.listRefusals(limit + 1, after));
    const { items, next } = pageOf(listed, limit, ({ place }) => writeCursor({ ...place }));
    return answer(c, refusalsSchema, { items: items.map(({ view }) => ({ ...view })), next });
  });
}
