import { SCOPES } from "../base/scope.ts";
import { LIMITS } from "../config/limits.ts";
import type { App } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import { LISTENER_HEADER } from "../network/live-sockets.ts";
import { changedSchema } from "../schema/live.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const route = apiRoute({
  method: "get",
  path: "/v1/live",
  tags: ["nodes"],
  summary: "Hear what changes",
  description: `Upgrades to a WebSocket. Each message names what changed within the last second, and has nothing of it: ask the call for that. Nothing is sent while nothing changes; a heartbeat that says what the one before said changes nothing. \`ping\` is answered \`pong\`; anything else that you send ends the socket. It is closed with 4401 once its token or session is good no more. A token, or a session, has ${LIMITS.listenersOfOne} at most. The dashboard's own pages are let in by their session's cookie.`,
  ...operatorCall(SCOPES),
  responses: {
    101: {
      description: "The WebSocket. Its messages are of this form.",
      content: { "application/json": { schema: changedSchema } },
    },
    ...problemResponses("limit-reached", ...ADMIN_PROBLEMS),
  },
});

/** `GET /v1/live`: who listens is told what changes. */
export function liveRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    if (c.req.header("Upgrade")?.toLowerCase() !== "websocket")
      throw new Problem({ problem: "bad-request", faults: [NO_SOCKET] });
    const listener = { token: c.get("operator").id, session: c.get("session")?.id ?? null };
    // A socket goes by no RPC: this is the one call that reaches the object as a request.
    const request = new Request(c.req.url, {
      headers: { Upgrade: "websocket", [LISTENER_HEADER]: JSON.stringify(listener) },
    });
    const answer = await callObject(c, (object) => object.fetch(request));
    const { webSocket } = answer;
    if (webSocket !== null) return new Response(null, { status: 101, webSocket });
    const { most } = fullSchema.parse(await answer.json());
    throw new Problem({ problem: "limit-reached", what: "listener", most });
  });
}

const fullSchema = z.object({ most: z.number() });

const NO_SOCKET = "this call opens a WebSocket: send it with Upgrade: websocket";
