import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { controllerSchema } from "../schema/controller.ts";
import { candidatesSchema, moveSchema } from "../schema/controller-work.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const responses = {
  200: { description: "The controller.", content: { "application/json": { schema: controllerSchema } } },
  ...problemResponses(...ADMIN_PROBLEMS, ...BODY_PROBLEMS, "not-found", "cannot-host"),
};

const moveRoute = apiRoute({
  method: "post",
  path: "/v1/controller/move",
  tags: ["nodes"],
  summary: "Let another node host the controller of the mesh's own",
  description:
    "It starts there as soon as that node's agent asks: within a minute where the node is a candidate, else with its next heartbeat. The one before stops when it asks. What is in the mesh goes on meanwhile.",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: { body: { required: true, content: { "application/json": { schema: moveSchema } } } },
  responses,
});

const candidatesRoute = apiRoute({
  method: "put",
  path: "/v1/controller/candidates",
  tags: ["nodes"],
  summary: "Name the nodes that may come to host the controller",
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: { body: { required: true, content: { "application/json": { schema: candidatesSchema } } } },
  responses,
});

/** `POST /v1/controller/move` and `PUT /v1/controller/candidates`, for the operator. */
export function controllerMoveRoutes(app: OpenAPIHono<App>): void {
  app.openapi(moveRoute, async (c) => {
    const { node } = c.req.valid("json");
    const view = await askObject(c, async (object) => object.moveController(node, c.get("operator")));
    return answer(c, controllerSchema, { ...view });
  });
  app.openapi(candidatesRoute, async (c) => {
    const { nodes } = c.req.valid("json");
    const view = await askObject(c, async (object) => object.nameCandidates(nodes));
    return answer(c, controllerSchema, { ...view });
  });
}
