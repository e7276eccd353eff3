import type { App } from "../http/context.ts";
import { rateLimited } from "../http/guards.ts";
import type { OpenAPIHono } from "../schema/openapi.ts";

const DESCRIPTION = `Docker hosts that join one dual-stack ZeroTier mesh by themselves.

Errors are \`application/problem+json\` (RFC 9457); \`type\` is stable and can be opened. With \`Accept: text/plain\`
enrolment, heartbeat and every problem answer as \`KEY=value\` lines, for clients without a JSON parser.`;

/** `GET /openapi.json`: made from the schemas that validate. */
export function openapiRoute(app: OpenAPIHono<App>): void {
  const bearer = { type: "http", scheme: "bearer" } as const;
  const { openAPIRegistry } = app;
  openAPIRegistry.registerComponent("securitySchemes", "adminToken", {
    ...bearer,
    bearerFormat: "mba_…",
    description:
      "The operator's token: the secret ADMIN_TOKEN, or one of POST /v1/tokens with a scope that the call names, or `admin`.",
  });
  openAPIRegistry.registerComponent("securitySchemes", "enrolmentKey", {
    ...bearer,
    bearerFormat: "mbk_…",
    description: "An enrolment key: lets servers in, and nothing else.",
  });
  openAPIRegistry.registerComponent("securitySchemes", "bootProof", {
    ...{ type: "apiKey", in: "header", name: "Authorization" },
    description: "`Meshboot-Proof PREFIX.MAC`: that the sender has an enrolment key, which it does not send.",
  });
  openAPIRegistry.registerComponent("securitySchemes", "nodeToken", {
    ...bearer,
    bearerFormat: "mbn_…",
    description: "A node's own token, from its enrolment.",
  });
  let document: string | undefined;
  app.get("/openapi.json", rateLimited, (c) => {
    // Making it takes longer than a request may on the free plan, and it is always the same.
    document ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: { title: "Meshboot", version: "0.1.0", description: DESCRIPTION },
        tags: [
          { name: "servers", description: "What a server calls." },
          { name: "keys", description: "How servers are let in." },
          { name: "admin tokens", description: "What else may call as the operator." },
          { name: "nodes", description: "What the operator sees and does." },
          { name: "backup", description: "For the day on which the object's storage is lost." },
          { name: "this Worker" },
        ],
      }),
    );
    return c.body(document, 200, { "Content-Type": "application/json" });
  });
}
