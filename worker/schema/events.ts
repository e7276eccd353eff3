import { DEED_ACTIONS, DEED_REASONS } from "../lease/deed.ts";
import { keyId, nodeId, nodeName } from "./names.ts";
import { z } from "./openapi.ts";
import { pageQuery } from "./page.ts";

/** Which events are listed. */
export const eventQuery = pageQuery.extend({
  node: nodeId.optional().openapi({ description: "Those of that node." }),
  name: nodeName.optional().openapi({ description: "Those of that name, also as the one before." }),
  key: keyId.optional().openapi({ description: "Those of that enrolment key." }),
  action: z.enum(DEED_ACTIONS).optional().openapi({ description: "Those of that action." }),
});

// Words are documented, not enforced: after a deploy is rolled back the log may hold some of the later version.
const eventSchema = z
  .object({
    id: z.number().int().openapi({ description: "A later event has a larger one." }),
    at: z.iso.datetime(),
    by: z.object({
      who: z.string().openapi({
        enum: ["operator", "node", "cron", "controller"],
        description: "cron: the hourly run; controller: what was found there, the operator's word among it.",
      }),
      id: z.string().optional().openapi({
        description:
          "Of the operator's admin token (`root`: the secret ADMIN_TOKEN, `former`: the one before), the e-mail of whom Cloudflare Access let in, or of the node.",
      }),
    }),
    action: z.string().openapi({ enum: [...DEED_ACTIONS] }),
    node: z
      .string()
      .nullable()
      .openapi({ description: "Of a key: the one whose place may be taken with it." }),
    name: z.string().nullable().openapi({ description: "The node's from then on, or the reserved one." }),
    slot: z.number().int().nullable().openapi({ description: "Of that name." }),
    state: z
      .string()
      .nullable()
      .openapi({
        enum: ["pending", "active", "revoked", "released", null],
        description: "The lease's from then on.",
      }),
    key: z.string().nullable().openapi({ description: "The id of the enrolment key." }),
    token: z.string().nullable().openapi({
      description: "The id of the admin token that was made, rotated or taken back, or whose session it is.",
    }),
    webhook: z.string().nullable().openapi({ description: "The id of the webhook." }),
    was: z.string().nullable().openapi({
      description:
        "What was otherwise before: the name (renamed), the slot (slot-changed), or the tags with spaces between (tagged; null: none).",
    }),
    why: z
      .string()
      .nullable()
      .openapi({ enum: [...DEED_REASONS, null], description: "Where the action does not say it." }),
  })
  .openapi("Event");

/** An entry of the audit log. */
export type EventView = z.output<typeof eventSchema>;

export const eventsSchema = z
  .object({ items: z.array(eventSchema), next: z.string().nullable() })
  .openapi("Events");
