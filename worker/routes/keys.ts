import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { keyRequest } from "../network/key-operations.ts";
import {
  keyRevocationSchema,
  keySchema,
  keysSchema,
  keyTermsSchema,
  newKeySchema,
  revokedKeySchema,
} from "../schema/key.ts";
import { keyId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import type { MadePlace } from "../store/made-place.ts";
import { askObject, callObject } from "./object-call.ts";
import { demandScope, operatorCall } from "./operator-call.ts";

const params = z.object({ id: keyId });

/** Hex digits of the time in a cursor; the key's id follows. So a cursor holds its place when that key is deleted. */
const TIME_DIGITS = 12;
const query = pageQuery.extend({
  cursor: pageQuery.shape.cursor
    .unwrap()
    .length(TIME_DIGITS + 16, "give the `next` of the page before")
    .optional(),
});

function cursorOf({ createdAt, id }: { readonly createdAt: string; readonly id: string }): string {
  return Date.parse(createdAt).toString(16).padStart(TIME_DIGITS, "0") + id;
}

function placeOf(cursor: string | undefined): MadePlace | undefined {
  if (cursor === undefined) return undefined;
  return { createdAt: Number.parseInt(cursor.slice(0, TIME_DIGITS), 16), id: cursor.slice(TIME_DIGITS) };
}

const create = apiRoute({
  method: "post",
  path: "/v1/keys",
  summary: "Make an enrolment key",
  description: "The secret is shown this once. With `takeover` it needs the scope `nodes` too.",
  tags: ["keys"],
  ...operatorCall(["keys"], jsonBody(LIMITS.bodyBytes)),
  request: { body: { required: true, content: { "application/json": { schema: keyTermsSchema } } } },
  responses: {
    201: { description: "The key.", content: { "application/json": { schema: newKeySchema } } },
    ...problemResponses(...BODY_PROBLEMS, "not-found", ...ADMIN_PROBLEMS),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/keys",
  summary: "List the enrolment keys",
  tags: ["keys"],
  ...operatorCall(["read", "keys"]),
  request: { query },
  responses: {
    200: { description: "A page of keys.", content: { "application/json": { schema: keysSchema } } },
    ...problemResponses("bad-request", ...ADMIN_PROBLEMS),
  },
});

const read = apiRoute({
  method: "get",
  path: "/v1/keys/{id}",
  summary: "Read an enrolment key",
  description: "Without its secret.",
  tags: ["keys"],
  ...operatorCall(["read", "keys"]),
  request: { params },
  responses: {
    200: { description: "The key.", content: { "application/json": { schema: keySchema } } },
    ...problemResponses("bad-request", "not-found", ...ADMIN_PROBLEMS),
  },
});

const remove = apiRoute({
  method: "delete",
  path: "/v1/keys/{id}",
  summary: "Delete an enrolment key",
  description: "Servers that it let in stay, and cannot use it again.",
  tags: ["keys"],
  ...operatorCall(["keys"]),
  request: {
    params,
  },
  responses: {
    204: { description: "The key is gone." },
    ...problemResponses("bad-request", "not-found", ...ADMIN_PROBLEMS),
  },
});

const revoke = apiRoute({
  method: "post",
  path: "/v1/keys/{id}/revoke",
  summary: "Take an enrolment key back",
  description:
    "It lets in no other server, and stays in the list. With `nodes` all that came in with it last are revoked too: the controller hears of the first in this call, and of the rest within a minute or so; each node's `delivered` says whether it knows. That needs the scope `nodes` too.",
  tags: ["keys"],
  ...operatorCall(["keys"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: keyRevocationSchema } } },
  },
  responses: {
    200: { description: "The key.", content: { "application/json": { schema: revokedKeySchema } } },
    ...problemResponses(...BODY_PROBLEMS, "not-found", ...ADMIN_PROBLEMS),
  },
});

/** `/v1/keys`: enrolment keys, for the operator. */
export function keyRoutes(app: OpenAPIHono<App>): void {
  app.openapi(create, async (c) => {
    const terms = c.req.valid("json");
    // The node that has the name now will be out.
    if (terms.takeover) demandScope(c, "nodes");
    const made = await askObject(c, async (object) =>
      object.createKey(keyRequest(terms, null), c.get("operator")),
    );
    return answer(c, newKeySchema, { ...made.view, key: made.key }, 201);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const keys = await callObject(c, async (object) => object.listKeys(limit + 1, placeOf(cursor)));
    return answer(c, keysSchema, pageOf(keys, limit, cursorOf));
  });

  app.openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const key = await askObject(c, async (object) => object.readKey(id));
    return answer(c, keySchema, key);
  });

  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    const what = c.req.valid("json");
    if (what.nodes) demandScope(c, "nodes");
    const revoked = await askObject(
      c,
      async (object) => object.revokeKey(id, what, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, revokedKeySchema, revoked);
  });

  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await askObject(c, async (object) => object.deleteKey(id, c.get("operator")));
    return c.body(null, 204);
  });
}
