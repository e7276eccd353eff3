import { z } from "zod";
import { prefersLines } from "../http/accept.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { eventQuery, eventsSchema } from "../schema/events.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const place = z.number().int().positive();

const route = apiRoute({
  method: "get",
  path: "/v1/events",
  tags: ["nodes"],
  summary: "Read the audit log",
  description:
    "Who changed which lease, reservation or key, when and why; the newest first. Bounded: the oldest are forgotten. With `node`, `name`, `key` or `action` one call looks through a thousand events: a page may then have fewer than `limit`, or none, and a `next` nevertheless.",
  ...operatorCall(["read"]),
  request: { query: eventQuery },
  responses: {
    200: {
      description:
        "A page of events; for `Accept: application/x-ndjson` one event a line, and the next page in the header `Link`.",
      headers: {
        Link: {
          description: 'Of lines alone: `<…>; rel="next"`; none at the end.',
          schema: { type: "string" },
        },
      },
      content: {
        "application/json": { schema: eventsSchema },
        "application/x-ndjson": { schema: eventsSchema.shape.items.element },
      },
    },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/events`: the audit log. */
export function eventRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { limit, cursor, node, name, key, action } = c.req.valid("query");
    const before = readCursor(cursor, place);
    const page = await callObject(c, async (object) =>
      object.listEvents({ limit, before, node, name, keyId: key, action }),
    );
    const items = page.items.map((event) => ({ ...event }));
    const next = page.before === undefined ? null : writeCursor(page.before);
    if (!prefersLines(c.req.header("Accept") ?? "")) return answer(c, eventsSchema, { items, next });
    c.header("Cache-Control", "no-store");
    if (next !== null) c.header("Link", `<${nextPage(c.req.url, next)}>; rel="next"`);
    return c.body(items.map((event) => `${JSON.stringify(event)}\n`).join(""), 200, {
      "Content-Type": "application/x-ndjson",
    });
  });
}

/** The address of the same list from the cursor on. */
function nextPage(url: string, cursor: string): string {
  const { pathname, searchParams } = new URL(url);
  searchParams.set("cursor", cursor);
  return `${publicOrigin(url)}${pathname}?${searchParams}`;
}
