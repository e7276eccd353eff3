import { backupSchema } from "../backup/backup.ts";
import { LIMITS } from "../config/limits.ts";
import { answer } from "../http/answer.ts";
import type { App } from "../http/context.ts";
import { jsonBody } from "../http/json-body.ts";
import { noBody } from "../http/no-body.ts";
import { rebuiltSchema, restoredSchema } from "../schema/backup.ts";
import { dryRunQuery } from "../schema/dry-run.ts";
import { apiRoute, type OpenAPIHono } from "../schema/openapi.ts";
import { ADMIN_PROBLEMS, BODY_PROBLEMS, CONTROLLER_PROBLEMS, problemResponses } from "../schema/problem.ts";
import { askObject } from "./object-call.ts";
import { operatorCall } from "./operator-call.ts";

const tags = ["backup"];
const document = backupSchema.openapi("Backup", {
  description:
    "Times are milliseconds since 1970. It holds no secret but SHA-256 of keys and tokens; docs/storage.md has what each list is of.",
});

const exportRoute = apiRoute({
  method: "get",
  path: "/v1/export",
  tags,
  summary: "Back up the leases, keys and reservations",
  description:
    "One JSON document of one moment, for POST /v1/restore. Without the audit log: GET /v1/events.",
  ...operatorCall(["admin"]),
  responses: {
    200: { description: "The backup.", content: { "application/json": { schema: document } } },
    ...problemResponses("backup-unfit", ...ADMIN_PROBLEMS),
  },
});

const restore = apiRoute({
  method: "post",
  path: "/v1/restore",
  tags,
  summary: "Restore a backup",
  description:
    "Only where there is neither lease nor key nor reservation, and into the same network and pool; all of it or nothing. The controller is read and not written: where it says otherwise than the backup, it counts, and `differences` has it.",
  ...operatorCall(["admin"], jsonBody(LIMITS.backupBytes)),
  request: {
    query: dryRunQuery,
    // Described and not parsed here: the object has the time for that.
    body: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/Backup" } } },
    },
  },
  responses: {
    200: { description: "What was restored.", content: { "application/json": { schema: restoredSchema } } },
    ...problemResponses(
      ...BODY_PROBLEMS,
      "not-empty",
      "backup-unfit",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

const rebuild = apiRoute({
  method: "post",
  path: "/v1/rebuild",
  tags,
  summary: "Rebuild the leases from their copies in KV",
  description:
    "For an object whose storage is lost, without a backup. Each server has its slot, name, state and tokens again, as far as the controller does not say otherwise; `lost` has what no copy holds.",
  ...operatorCall(["admin"], noBody),
  request: { query: dryRunQuery },
  responses: {
    200: { description: "What was rebuilt.", content: { "application/json": { schema: rebuiltSchema } } },
    ...problemResponses(
      "not-empty",
      "backup-unfit",
      "copies-unreachable",
      ...ADMIN_PROBLEMS,
      ...CONTROLLER_PROBLEMS,
    ),
  },
});

/** `/v1/export`, `/v1/restore` and `/v1/rebuild`: for the day on which the object's storage is lost. */
export function backupRoutes(app: OpenAPIHono<App>): void {
  app.openapi(exportRoute, async (c) => {
    const bytes = await askObject(c, async (object) => object.exportBackup());
    return c.body(new Uint8Array(bytes), 200, {
      "Cache-Control": "no-store",
      "Content-Type": "application/json",
    });
  });

  app.openapi(restore, async (c) => {
    const { dryRun } = c.req.valid("query");
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const restored = await askObject(
      c,
      async (object) => object.restoreBackup(bytes, dryRun, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, restoredSchema, restored);
  });

  app.openapi(rebuild, async (c) => {
    const { dryRun } = c.req.valid("query");
    const rebuilt = await askObject(
      c,
      async (object) => object.rebuild(dryRun, c.get("operator")),
      LIMITS.enrolSeconds,
    );
    return answer(c, rebuiltSchema, rebuilt);
  });
}
