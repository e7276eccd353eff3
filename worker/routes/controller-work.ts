import type { Context } from "hono";
import { LIMITS } from "../config/limits.ts";
import { answer, wantsText } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { configured, hostOnly } from "../http/guards.ts";
import { jsonBody } from "../http/json-body.ts";
import { renderKeyValue } from "../http/key-value.ts";
import type { WorkCall } from "../network/controller-work.ts";
import type { Work } from "../network/own-controller.ts";
import { workDoneSchema, workLines, workQuery, workSchema } from "../schema/controller-work.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";

const responses = {
  200: {
    description: "What there is to do.",
    content: { "application/json": { schema: workSchema }, "text/plain": { schema: workLines } },
  },
  ...problemResponses(
    "bad-request",
    "unauthorized",
    "revoked",
    "not-found",
    "body-too-large",
    "unsupported-media-type",
    "too-many-requests",
    "internal",
    "misconfigured",
    "object-unreachable",
  ),
};

const description =
  "For the agent on the node that hosts a controller of the mesh's own, and on those that may come to. A call that finds nothing to do is held for some seconds while a server is expected.";

const askRoute = apiRoute({
  method: "get",
  path: "/v1/controller/work",
  tags: ["servers"],
  summary: "What there is to do at the controller",
  description,
  security: [{ nodeToken: [] }],
  middleware: [configured, hostOnly],
  request: { query: workQuery },
  responses,
});

const doneRoute = apiRoute({
  method: "post",
  path: "/v1/controller/work",
  tags: ["servers"],
  summary: "What was done at the controller, and what there is to do next",
  description,
  security: [{ nodeToken: [] }],
  middleware: [configured, hostOnly, jsonBody(LIMITS.workBytes)],
  request: { body: { required: true, content: { "application/json": { schema: workDoneSchema } } } },
  responses,
});

/** `GET` and `POST /v1/controller/work`: the Worker never calls the controller's node, which asks. */
export function controllerWorkRoutes(app: OpenAPIHono<App>): void {
  app.openapi(askRoute, async (c) => {
    const { node, has, running, capable } = c.req.valid("query");
    return answerWork(c, { node, has, running: running === "yes", capable: capable === "yes", done: [] });
  });
  app.openapi(doneRoute, async (c) => {
    const { node, has, running, capable, done } = c.req.valid("json");
    const read = done.map(({ id, status, body = "" }) => ({ id, status, body: textOf(body) }));
    return answerWork(c, { node, has, running, capable, done: read });
  });
}

async function answerWork(c: Context<App>, call: Omit<WorkCall, "tokenHash">): Promise<Response> {
  const tokenHash = c.get("secretHash");
  const work = await askObject(
    c,
    async (object) => object.controllerWork({ ...call, tokenHash }),
    LIMITS.workSeconds,
  );
  if (!wantsText(c)) return answer(c, workSchema, documentOf(work));
  c.header("Cache-Control", "no-store");
  return c.body(linesOf(work), 200, { "Content-Type": "text/plain; charset=utf-8" });
}

function documentOf({ number, identity, work, ...rest }: Work) {
  return {
    ...rest,
    ...(number !== undefined && { number }),
    ...(identity !== undefined && { identity }),
    work: work.map(({ body, ...call }) => ({ ...call, ...(body !== undefined && { body }) })),
  };
}

function linesOf({ work, turn, number, ask, identity }: Work): string {
  const calls = work.map(
    ({ id, method, path, body }) => `WORK=${[id, method, path, body ?? ""].join(" ").trimEnd()}\n`,
  );
  return renderKeyValue({ turn, number, ask, identity }) + calls.join("");
}

function textOf(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}
