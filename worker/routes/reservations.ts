import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { nodeName } from "../schema/names.ts";
import { apiRoute, type OpenAPIHono, z } from "../schema/openapi.ts";
import { pageOf, pageQuery } from "../schema/page.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import {
  reservationEndSchema,
  reservationSchema,
  reservationsSchema,
  wantedReservationSchema,
} from "../schema/reservation.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const tags = ["reservations"];
const one = { content: { "application/json": { schema: reservationSchema } } };

const create = apiRoute({
  method: "post",
  path: "/v1/reservations",
  summary: "Reserve a name with its slot",
  description:
    "The addresses are told at once, before any server is ordered. Servers come in under the name by a key with `reservation` (POST /v1/keys, POST /v1/user-data), or by PUT with the name. Idempotent; for a name that a node has, its slot is reserved.",
  tags,
  ...operatorCall(["nodes"], jsonBody(LIMITS.bodyBytes)),
  request: {
    body: { required: true, content: { "application/json": { schema: wantedReservationSchema } } },
  },
  responses: {
    200: { description: "It was reserved before.", ...one },
    201: { description: "It is reserved.", ...one },
    ...problemResponses(
      ...BODY_PROBLEMS,
      "name-reserved",
      "slot-taken",
      "pool-exhausted",
      "just-restored",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/reservations",
  summary: "List the reserved names",
  description: "By name.",
  tags,
  ...operatorCall(["read", "nodes"]),
  request: { query: pageQuery },
  responses: {
    200: {
      description: "A page of reservations.",
      content: { "application/json": { schema: reservationsSchema } },
    },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const remove = apiRoute({
  method: "delete",
  path: "/v1/reservations/{name}",
  summary: "Give up a reserved name",
  description:
    "Keys that were made for it are taken back. A node that has it keeps its lease, which time may end from now on.",
  tags,
  ...operatorCall(["nodes"]),
  request: { params: z.object({ name: nodeName }), query: dryRunQuery },
  responses: {
    200: {
      description: "With `dryRun`: what would end with it.",
      content: { "application/json": { schema: reservationEndSchema } },
    },
    204: { description: "It is reserved no more." },
    ...problemResponses("not-found", ...ADMIN_PROBLEMS),
  },
});

/** `/v1/reservations`: names that keep their slots, for the operator. */
export function reservationRoutes(app: OpenAPIHono<App>): void {
  app.openapi(create, async (c) => {
    const { name, slot } = c.req.valid("json");
    const { reservation, created } = await askObject(
      c,
      async (object) => object.reserve({ name, slot }, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, reservationSchema, reservation, created ? 201 : 200);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.string());
    const listed = await callObject(c, async (object) => object.listReservations(limit + 1, after));
    return answer(
      c,
      reservationsSchema,
      pageOf(listed, limit, ({ name }) => writeCursor(name)),
    );
  });

  app.openapi(remove, async (c) => {
    const { name } = c.req.valid("param");
    if (c.req.valid("query").dryRun) {
      const end = await askObject(c, async (object) => object.previewDrop(name));
      return answer(c, reservationEndSchema, end);
    }
    await askObject(c, async (object) => object.dropReservation(name, c.get("operator")));
    return c.body(null, 204);
  });
}
