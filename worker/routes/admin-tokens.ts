import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { noBody } from "../http/no-body.ts";
import {
  adminTokenRotationSchema,
  adminTokenSchema,
  adminTokensSchema,
  adminTokenTermsSchema,
  newAdminTokenSchema,
} from "../schema/admin-token.ts";
import { adminTokenId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { readMadeCursor, writeMadeCursor } from "./cursor.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const tags = ["admin tokens"];
const params = z.object({ id: adminTokenId });

const create = apiRoute({
  method: "post",
  path: "/v1/tokens",
  summary: "Make an admin token",
  description: "The secret is shown this once.",
  tags,
  ...operatorCall(["admin"], jsonBody(LIMITS.bodyBytes)),
  request: { body: { required: true, content: { "application/json": { schema: adminTokenTermsSchema } } } },
  responses: {
    201: { description: "The token.", content: { "application/json": { schema: newAdminTokenSchema } } },
    ...problemResponses(...BODY_PROBLEMS, "limit-reached", ...ADMIN_PROBLEMS),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/tokens",
  summary: "List the admin tokens",
  description:
    "The secret ADMIN_TOKEN is not among them; the one before it is, as `former`, until another one takes its place.",
  tags,
  ...operatorCall(["admin"]),
  request: { query: pageQuery },
  responses: {
    200: { description: "A page of tokens.", content: { "application/json": { schema: adminTokensSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const rotate = apiRoute({
  method: "post",
  path: "/v1/tokens/{id}/rotate",
  summary: "Make an admin token in place of another one",
  description:
    "It has the scopes, the note and the whole time of the old one, which stays good for the hours that are agreed; its secret is shown this once.",
  tags,
  ...operatorCall(["admin"], jsonBody(LIMITS.bodyBytes)),
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: adminTokenRotationSchema } } },
  },
  responses: {
    201: { description: "The new token.", content: { "application/json": { schema: newAdminTokenSchema } } },
    ...problemResponses(...BODY_PROBLEMS, "limit-reached", "not-found", ...ADMIN_PROBLEMS),
  },
});

const revoke = apiRoute({
  method: "post",
  path: "/v1/tokens/{id}/revoke",
  summary: "Take an admin token back",
  description:
    "The next call with it is refused. It stays in the list. `former` is then refused also as the secret ADMIN_TOKEN of a deployment that was rolled back, for whatever changes something.",
  tags,
  ...operatorCall(["admin"], noBody),
  request: { params },
  responses: {
    200: { description: "The token.", content: { "application/json": { schema: adminTokenSchema } } },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

const remove = apiRoute({
  method: "delete",
  path: "/v1/tokens/{id}",
  summary: "Take an admin token back, and forget it",
  tags,
  ...operatorCall(["admin"], noBody),
  request: { params },
  responses: {
    204: { description: "The token is gone." },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

/** `/v1/tokens`: admin tokens beside the one in the settings. */
export function adminTokenRoutes(app: OpenAPIHono<App>): void {
  app.openapi(create, async (c) => {
    const terms = c.req.valid("json");
    const made = await askObject(c, async (object) => object.createAdminToken(terms, c.get("operator")));
    return answer(c, newAdminTokenSchema, made, 201);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readMadeCursor(cursor);
    const listed = await callObject(c, async (object) => object.listAdminTokens(limit + 1, after));
    return answer(c, adminTokensSchema, pageOf(listed, limit, writeMadeCursor));
  });

  app.openapi(rotate, async (c) => {
    const { id } = c.req.valid("param");
    const rotation = c.req.valid("json");
    const made = await askObject(c, async (object) =>
      object.rotateAdminToken(id, rotation, c.get("operator")),
    );
    return answer(c, newAdminTokenSchema, made, 201);
  });

  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    const revoked = await askObject(c, async (object) => object.revokeAdminToken(id, c.get("operator")));
    return answer(c, adminTokenSchema, revoked);
  });

  app.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    await askObject(c, async (object) => object.deleteAdminToken(id, c.get("operator")));
    return c.body(null, 204);
  });
}
