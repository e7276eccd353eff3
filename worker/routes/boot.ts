import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { generate } from "../../cloud-init/user-data.ts";
import { type KeepAgent, keepOrLog } from "../agent/agents.ts";
import { secretKind, sha256Hex } from "../base/secret.ts";
import type { App } from "../http/context.ts";
import { configured, rateLimited } from "../http/guards.ts";
import { Problem } from "../http/problem.ts";
import { publicOrigin } from "../http/public-origin.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { problemResponses } from "../schema/problem.ts";
import { callObject } from "./object-call.ts";
import { orBadRequest, storedOptions } from "./user-data.ts";

const params = z.object({ key: z.string().max(64).openapi({ example: "mbk_q3l2sVdZ0nQmFh4m1yXv7A" }) });
const middleware = [configured, rateLimited];
const answersScript = createMiddleware<App>(async (c, next) => {
  c.set("answersScript", true);
  await next();
});
const problems = problemResponses(
  "not-found",
  "too-many-requests",
  "internal",
  "misconfigured",
  "object-unreachable",
);
const tags = ["servers"];
const description =
  "The key in the address is the permission. Also a spent or expired key is answered: a server's second boot must not fail.";

const cloudConfig = apiRoute({
  method: "get",
  path: "/boot/{key}",
  tags,
  summary: "cloud-config for `#include`",
  description,
  middleware,
  request: { params },
  responses: {
    200: { description: "cloud-config.", content: { "text/cloud-config": { schema: z.string() } } },
    ...problems,
  },
});

const script = apiRoute({
  method: "get",
  path: "/boot/{key}/sh",
  tags,
  summary: "A script for `curl … | sh`",
  description,
  middleware: [answersScript, ...middleware],
  request: { params },
  responses: {
    200: {
      description:
        "A POSIX shell script. Where the call is refused, one that says why and ends with 1: of another status `curl -f` would hand nothing on, and sh would end with 0.",
      content: { "text/x-shellscript": { schema: z.string() } },
    },
  },
});

/** `/boot/:key`: what a server that has nothing but the key fetches at its first boot. */
export function bootRoutes(app: OpenAPIHono<App>, keepAgent: KeepAgent): void {
  app.openapi(cloudConfig, async (c) => bootAnswer(c, keepAgent, "cloud-config", c.req.valid("param").key));
  app.openapi(script, async (c) => bootAnswer(c, keepAgent, "script", c.req.valid("param").key));
}

const TYPES = { "cloud-config": "text/cloud-config", script: "text/x-shellscript" } as const;

async function bootAnswer(
  c: Context<App>,
  keepAgent: KeepAgent,
  form: keyof typeof TYPES,
  key: string,
): Promise<Response> {
  const known =
    secretKind(key) === "mbk"
      ? await callObject(c, async (network) => network.userDataOf(await sha256Hex(key)))
      : undefined;
  if (known === undefined) throw new Problem({ problem: "not-found", missing: { what: "key-in-address" } });
  await keepOrLog(keepAgent, c.env.LEASES);
  const { text } = orBadRequest(() =>
    generate({
      form,
      url: publicOrigin(c.req.url),
      key,
      options: storedOptions(known.options),
      allowOverlap: known.allowOverlap,
      agent: AGENT,
    }),
  );
  // The address carries the key: it must be kept by no cache and told to no other site.
  return c.body(text, 200, {
    "Content-Type": `${TYPES[form]}; charset=utf-8`,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
  });
}
