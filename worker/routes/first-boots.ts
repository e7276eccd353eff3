import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { KEY_PREFIX_DIGITS } from "../base/boot-proof.ts";
import { redact } from "../base/redact.ts";
import { secretKind, sha256Hex } from "../base/secret.ts";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import { callerAddress } from "../http/caller-address.ts";
import type { App } from "../http/context.ts";
import { bearer, configured, countNode, rateLimited, unauthorized } from "../http/guards.ts";
import { jsonBody } from "../http/json-body.ts";
import type { BootSender } from "../network/first-boots.ts";
import { bootReportSchema, firstBootQuery, firstBootsSchema } from "../schema/first-boot.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { pageOf } from "../schema/page.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { askObject, callObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const PROOF = new RegExp(`^Meshboot-Proof ([0-9a-f]{${KEY_PREFIX_DIGITS}})\\.([0-9a-f]{64})$`);

/** Lets through whoever carries an enrolment key, or the proof of one. */
const keyOrProof = createMiddleware<App>(async (c, next) => {
  const key = bearer(c);
  const isKey = key !== undefined && secretKind(key) === "mbk";
  if (!isKey && !PROOF.test(c.req.header("Authorization") ?? "")) throw unauthorized("no-key");
  await next();
});

const report = apiRoute({
  method: "post",
  path: "/v1/first-boots",
  tags: ["servers"],
  summary: "Tell of a first boot",
  description:
    "Before there is a node token; then the heartbeat does. It is no use of the key. Where a server cannot check the Worker's certificate, as its clock is far off, it keeps its key to itself: `Authorization: Meshboot-Proof PREFIX.MAC`, with the first 16 hex digits of the key's SHA-256, and HMAC-SHA256 of the line `meshboot-first-boot-v1` and the body, keyed with those 64 hex digits. Such a report is taken once, with a later `clock` than the one before, and not of a server that is in.",
  security: [{ enrolmentKey: [] }, { bootProof: [] }],
  middleware: [configured, rateLimited, keyOrProof, jsonBody(LIMITS.heartbeatBytes)],
  request: { body: { required: true, content: { "application/json": { schema: bootReportSchema } } } },
  responses: {
    204: { description: "It is known." },
    ...problemResponses(
      ...BODY_PROBLEMS,
      ...(["unauthorized", "unknown-key", "key-revoked", "key-expired", "key-spent"] as const),
      ...(["too-many-requests", "internal", "misconfigured", "object-unreachable"] as const),
    ),
  },
});

const list = apiRoute({
  method: "get",
  path: "/v1/first-boots",
  tags: ["keys"],
  summary: "List the first boots of servers",
  description:
    "The newest first, one for each machine and key. Bounded: the oldest are forgotten, and all after thirty days in which nothing was told of them.",
  ...operatorCall(["read", "keys"]),
  request: { query: firstBootQuery },
  responses: {
    200: { description: "A page of boots.", content: { "application/json": { schema: firstBootsSchema } } },
    ...problemResponses(...ADMIN_PROBLEMS),
  },
});

const place = z.object({ before: z.number().int() });

/** `/v1/first-boots`: what servers tell of theirs, from the first second on. */
export function firstBootRoutes(app: OpenAPIHono<App>): void {
  app.openapi(report, async (c) => {
    const body = c.req.valid("json");
    const [, keyPrefix = "", mac = ""] = PROOF.exec(c.req.header("Authorization") ?? "") ?? [];
    const sender: BootSender =
      keyPrefix === ""
        ? { kind: "key", hash: await sha256Hex(bearer(c) ?? "") }
        : { kind: "proof", proof: { keyPrefix, mac, body: await c.req.text() } };
    // By the machine, so that one that tells without end does not use up what its neighbours may.
    await countNode(c, `first-boot ${body.machineId}`);
    const log = body.log === undefined ? null : redact(body.log);
    await askObject(c, async (object) =>
      object.reportFirstBoot({
        sender,
        machineId: body.machineId,
        name: body.name === undefined ? null : redact(body.name),
        address: callerAddress(c),
        clock: body.clock,
        news:
          body.state === "failed"
            ? { state: "failed", step: redact(body.step), log }
            : { state: "running", stage: body.stage, log },
      }),
    );
    return c.body(null, 204);
  });

  app.openapi(list, async (c) => {
    const { limit, cursor, key, node } = c.req.valid("query");
    const before = readCursor(cursor, place)?.before;
    const listed = await callObject(c, async (object) =>
      object.listFirstBoots({ key, node, limit: limit + 1, before }),
    );
    const { items, next } = pageOf(listed, limit, ({ id }) => writeCursor({ before: id }));
    return answer(c, firstBootsSchema, { items: items.map(({ view }) => ({ ...view })), next });
  });
}
