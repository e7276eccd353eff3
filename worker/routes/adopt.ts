import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { Problem } from "../http/problem.ts";
import { adoptionSchema, wantedAdoptionSchema } from "../schema/adoption.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const NO_PLAN =
  "plan: give the `plan` of a dry run, so that only what that listed is done (POST /v1/adopt?dryRun=true)";

const route = apiRoute({
  method: "post",
  path: "/v1/adopt",
  tags: ["nodes"],
  summary: "Make leases of members that were set up by hand",
  description:
    "For a network that was built by hand: members with the address and the route of one slot become leases, and are touched at the controller only where `changes` says so. The dry run lists it all; its `plan` lets that be done and nothing else.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    query: dryRunQuery,
    body: { required: true, content: { "application/json": { schema: wantedAdoptionSchema } } },
  },
  responses: {
    200: {
      description: "What was done, or with `dryRun` would be.",
      content: { "application/json": { schema: adoptionSchema } },
    },
    ...problemResponses(
      ...BODY_PROBLEMS,
      "plan-outdated",
      "just-restored",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

/** `POST /v1/adopt`: members that were set up by hand become leases, for the operator. */
export function adoptRoute(app: OpenAPIHono<App>): void {
  app.openapi(route, async (c) => {
    const { dryRun } = c.req.valid("query");
    const { nodes, plan } = c.req.valid("json");
    if (!dryRun && plan === undefined) throw new Problem({ problem: "bad-request", faults: [NO_PLAN] });
    const wanted = { nodes, plan: dryRun ? undefined : plan };
    const adopted = await askObject(
      c,
      async (object) => object.adoptMembers(wanted, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, adoptionSchema, adopted);
  });
}
