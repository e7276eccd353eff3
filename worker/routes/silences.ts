import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { silencesQuery, silencesSchema } from "../schema/silence.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/v1/reach/silences",
  tags: ["nodes"],
  summary: "Who is at fault where probes get no answer",
  description:
    "What the last probes say against servers: who gets no answer from anybody, and else who does not answer whom. It goes by the first 50 that miss an answer, and names so many of either at most. What servers say of each other: shown, never trusted.",
  ...operatorCall(["read"]),
  request: { query: silencesQuery },
  responses: {
    200: {
      description: "Those who are cut off, then those whom most miss.",
      content: { "application/json": { schema: silencesSchema } },
    },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/reach/silences`: who is at fault where probes get no answer. */
export function silencesRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { node } = c.req.valid("query");
    const found = await callObject(c, async (object) => object.silences(node));
    return answer(c, silencesSchema, { items: [...found] });
  });
}
