import { z } from "zod";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { reachQuery, reachSchema } from "../schema/reach.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { askObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const place = z.tuple([z.string(), z.string()]);

const route = apiRoute({
  method: "get",
  path: "/v1/reach",
  tags: ["nodes"],
  summary: "Who reaches whom",
  description:
    "What each server in the mesh found when it last probed others, from an address of its containers' network to one of theirs. What servers say of themselves: shown, never trusted. With `silent` one call looks through a thousand servers: a page may then have fewer than `limit`, or none, and a `next` nevertheless.",
  ...operatorCall(["read"]),
  request: { query: reachQuery },
  responses: {
    200: { description: "A page of servers.", content: { "application/json": { schema: reachSchema } } },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/reach`: what servers found when they probed each other. */
export function reachRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { limit, cursor, node, silent } = c.req.valid("query");
    const [by, id] = readCursor(cursor, place) ?? [];
    const after = by === undefined || id === undefined ? undefined : { by, node: id };
    const { items, next } = await askObject(c, async (object) =>
      object.listReach({ node, silent, limit, after }),
    );
    return answer(c, reachSchema, {
      items: [...items],
      next: next === undefined ? null : writeCursor([String(next.by), next.node]),
    });
  });
}
