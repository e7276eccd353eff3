import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { webhookId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import {
  newWebhookSchema,
  testedWebhookSchema,
  wantedWebhookSchema,
  webhookDetailSchema,
  webhookRotationSchema,
  webhooksSchema,
} from "../schema/webhook.ts";
import { readMadeCursor, writeMadeCursor } from "./cursor.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const tags = ["webhooks"];
const params = z.object({ id: webhookId });

const create = apiRoute({
  method: "post",
  path: "/v1/webhooks",
  summary: "Make a webhook",
  description:
    'It gets the events of the audit log (GET /v1/events) from now on, each at least once and in their order, in calls signed as standardwebhooks.com says: `{type: "events", timestamp, data: {webhook, missed, events}}`. The secret is shown this once.',
  tags,
  ...operatorCall(["admin"], jsonBody(LIMITS.bodyBytes)),
  request: { body: { required: true, content: { "application/json": { schema: wantedWebhookSchema } } } },
  responses: {
    201: { description: "The webhook.", content: { "application/json": { schema: newWebhookSchema } } },
    ...problemResponses(...BODY_PROBLEMS, "limit-reached", ...ADMIN_PROBLEMS),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/webhooks",
  summary: "List the webhooks",
  description: "In the order of their making.",
  tags,
  ...operatorCall(["admin"]),
  request: { query: pageQuery },
  responses: {
    200: { description: "A page of webhooks.", content: { "application/json": { schema: webhooksSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const read = apiRoute({
  method: "get",
  path: "/v1/webhooks/{id}",
  summary: "Read a webhook, and what its receiver answered last",
  tags,
  ...operatorCall(["admin"]),
  request: { params },
  responses: {
    200: { description: "The webhook.", content: { "application/json": { schema: webhookDetailSchema } } },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

const remove = apiRoute({
  method: "delete",
  path: "/v1/webhooks/{id}",
  summary: "Delete a webhook",
  description: "Nothing is sent to it any more but a call that is on its way.",
  tags,
  ...operatorCall(["admin"]),
  request: { params },
  responses: {
    204: { description: "The webhook is gone." },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

const rotate = apiRoute({
  method: "post",
  path: "/v1/webhooks/{id}/rotate",
  summary: "Give a webhook another secret",
  description:
    "Shown this once. For 24 hours each call is signed by both, so that the receiver can be changed meanwhile; by the new one alone with `now`, for a secret that has leaked. What waits is sent at once.",
  tags,
  ...operatorCall(["admin"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: webhookRotationSchema } } },
  },
  responses: {
    200: { description: "The webhook.", content: { "application/json": { schema: newWebhookSchema } } },
    ...problemResponses(...BODY_PROBLEMS, "not-found", ...ADMIN_PROBLEMS),
  },
});

const test = apiRoute({
  method: "post",
  path: "/v1/webhooks/{id}/test",
  summary: "Make a test call",
  description:
    'At once, with `{type: "test", timestamp, data: {webhook}}`, signed as any; answers what the receiver answered. No event. When it is taken, what waits for the receiver is sent at once.',
  tags,
  ...operatorCall(["admin"]),
  request: { params },
  responses: {
    200: {
      description: "What it came to.",
      content: { "application/json": { schema: testedWebhookSchema } },
    },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

/** `/v1/webhooks`: whom events are sent to, for the operator. */
export function webhookRoutes(app: OpenAPIHono<App>): void {
  app.openapi(create, async (c) => {
    const { url, actions = null, note = null } = c.req.valid("json");
    const wanted = { url, actions, note, ownHost: new URL(c.req.url).hostname };
    const made = await askObject(c, async (object) => object.createWebhook(wanted, c.get("operator")));
    return answer(c, newWebhookSchema, made, 201);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readMadeCursor(cursor);
    const listed = await callObject(c, async (object) => object.listWebhooks(limit + 1, after));
    return answer(c, webhooksSchema, pageOf(listed, limit, writeMadeCursor));
  });

  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const found = await askObject(c, async (object) => object.readWebhook(id));
    return answer(c, webhookDetailSchema, found);
  });

  app.openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const what = c.req.valid("json");
    const rotated = await askObject(c, async (object) => object.rotateWebhook(id, what, c.get("operator")));
    return answer(c, newWebhookSchema, rotated);
  });

  app.openapi(test, async (c) => {
    const { id } = c.req.valid("param");
    const tested = await askObject(c, async (object) => object.testWebhook(id), LIMITS.enrolSeconds);
    return answer(c, testedWebhookSchema, tested);
  });

  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await askObject(c, async (object) => object.deleteWebhook(id, c.get("operator")));
    return c.body(null, 204);
  });
}
