import { SCOPES } from "../base/scope.ts";
import { sha256Hex } from "../base/secret.ts";
import { answer } from "../http/answer.ts";
import { callerAddress } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { bearer, signInLimited, unauthorized } from "../http/guards.ts";
import { noBody } from "../http/no-body.ts";
import { sessionId } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { currentSessionSchema, newSessionSchema, sessionsSchema } from "../schema/session.ts";
import { readMadeCursor, writeMadeCursor } from "./cursor.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const tags = ["admin tokens"];

const beginCall = operatorCall(SCOPES, noBody);

const begin = apiRoute({
  method: "post",
  path: "/v1/sessions",
  summary: "Begin a session with an admin token",
  description:
    "The session's secret (`mbs_…`) is good in place of the token, with its scopes, for twelve hours and no longer than the token is. It is shown this once; the dashboard keeps it in a cookie. A session begins no other. A token has ten at most: one more ends its oldest. An address may ask thirty times a minute.",
  tags,
  ...beginCall,
  middleware: [signInLimited, ...beginCall.middleware],
  responses: {
    201: { description: "The session.", content: { "application/json": { schema: newSessionSchema } } },
    ...problemResponses("limit-reached", ...ADMIN_PROBLEMS),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/sessions",
  summary: "List who is signed in",
  tags,
  ...operatorCall(["admin"]),
  request: { query: pageQuery },
  responses: {
    200: { description: "A page of sessions.", content: { "application/json": { schema: sessionsSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const current = apiRoute({
  method: "get",
  path: "/v1/sessions/current",
  summary: "Say what the session that this call carries is good for",
  tags,
  ...operatorCall(SCOPES),
  responses: {
    200: {
      description: "Its token, scopes and end.",
      content: { "application/json": { schema: currentSessionSchema } },
    },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const signOut = apiRoute({
  method: "delete",
  path: "/v1/sessions/current",
  summary: "End the session that this call carries",
  tags,
  ...operatorCall(SCOPES, noBody),
  responses: {
    204: { description: "The session is over. With an admin token there is none, and nothing is done." },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const end = apiRoute({
  method: "delete",
  path: "/v1/sessions/{id}",
  summary: "End a session",
  description: "The next call with it is refused.",
  tags,
  ...operatorCall(["admin"], noBody),
  request: { params: z.object({ id: sessionId }) },
  responses: {
    204: { description: "The session is over." },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

/** Sessions, for whoever signs in. */
export function sessionRoutes(app: OpenAPIHono<App>): void {
  app.openapi(begin, async (c) => {
    const begun = {
      tokenHash: await carriedHash(bearer(c)),
      address: callerAddress(c),
    };
    return answer(c, newSessionSchema, await askObject(c, async (object) => object.beginSession(begun)), 201);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readMadeCursor(cursor);
    const sessions = await callObject(c, async (object) => object.listSessions(limit + 1, after));
    return answer(c, sessionsSchema, pageOf(sessions, limit, writeMadeCursor));
  });

  app.openapi(current, (c) => {
    const { id = null, expiresAt = null } = c.get("session") ?? {};
    const { id: token } = c.get("operator");
    return answer(c, currentSessionSchema, { id, token, scopes: [...c.get("scopes")], expiresAt });
  });

  app.openapi(signOut, async (c) => {
    const hash = await carriedHash(bearer(c));
    await callObject(c, async (object) => object.signOut(hash));
    return c.body(null, 204);
  });

  app.openapi(end, async (c) => {
    const { id } = c.req.valid("param");
    await askObject(c, async (object) => object.endSession(id, c.get("operator")));
    return c.body(null, 204);
  });
}

async function carriedHash(token: string | undefined): Promise<string> {
  if (token === undefined) throw unauthorized("no-admin-token");
  return sha256Hex(token);
}
