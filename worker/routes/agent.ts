import { AGENT } from "../../cloud-init/agent/program.ts";
import { agentOf, type KeepAgent, keepOrLog } from "../agent/agents.ts";
import { answerAgent } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { rateLimited } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { agentSchema, agentSha256Schema } from "../schema/agent.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";

const tags = ["servers"];
const middleware = [rateLimited];

const current = apiRoute({
  method: "get",
  path: "/agent",
  tags,
  summary: "Which agent this Worker gives out",
  description: "New user-data names it, and `meshboot upgrade` shows it.",
  middleware,
  responses: {
    200: {
      description: "Its version, SHA-256 and size; `KEY=value` lines for `Accept: text/plain`.",
      content: { "application/json": { schema: agentSchema }, "text/plain": { schema: z.string() } },
    },
    ...problemResponses("too-many-requests", "internal"),
  },
});

const program = apiRoute({
  method: "get",
  path: "/agent/{sha256}",
  tags,
  summary: "The agent's program",
  description:
    "The same for everybody, and no secret. A server takes it only when its SHA-256 is the one that its user-data names. Those of earlier deploys stay.",
  middleware,
  request: { params: z.object({ sha256: agentSha256Schema }) },
  responses: {
    200: { description: "A POSIX shell program.", content: { "text/x-shellscript": { schema: z.string() } } },
    ...problemResponses("bad-request", "not-found", "too-many-requests", "internal"),
  },
});

/** `GET /agent` and `GET /agent/:sha256`: what servers run. */
export function agentRoutes(app: OpenAPIHono<App>, keepAgent: KeepAgent): void {
  app.openapi(current, async (c) => {
    await keepOrLog(keepAgent, c.env.LEASES);
    const { version, sha256, bytes } = AGENT;
    return answerAgent(c, agentSchema, { version, sha256, bytes });
  });
  app.openapi(program, async (c) => {
    const { sha256 } = c.req.valid("param");
    const text = await agentOf(c.env.LEASES, sha256);
    if (text === undefined)
      throw new Problem({ problem: "not-found", missing: { what: "agent", id: sha256 } });
    // Not by the header Accept-Encoding, which is `br, gzip` here whatever the client takes.
    const isGzip = /\bgzip\b/.test(String(c.req.raw.cf?.["clientAcceptEncoding"] ?? ""));
    return c.body(text, 200, {
      "Content-Type": "text/x-shellscript; charset=utf-8",
      // The address names the content, which therefore never changes.
      "Cache-Control": "public, max-age=31536000, immutable",
      // The runtime compresses the body of a response with this header.
      ...(isGzip ? { "Content-Encoding": "gzip" } : {}),
    });
  });
}
