import { SCOPES } from "../base/scope.ts";
import { LIMITS } from "../config/limits.ts";
import { note } from "./note.ts";
import { z } from "./openapi.ts";

const scopes = z.array(z.enum(SCOPES)).openapi({
  description:
    "read: looks at everything; keys: enrolment keys and user-data; nodes: leases and reservations; admin: all of it, admin tokens, webhooks and backups.",
});

/** What a new admin token may do. */
export const adminTokenTermsSchema = z
  .strictObject({
    scopes: scopes
      .min(1, "give at least one scope")
      .transform((wanted) => SCOPES.filter((scope) => wanted.includes(scope))),
    expiresIn: z
      .number()
      .int()
      .min(60)
      .max(LIMITS.keySeconds)
      .optional()
      .openapi({ description: "Seconds; left out: until it is revoked." }),
    note: note("admin tokens"),
  })
  .openapi("AdminTokenTerms");

export type AdminTokenTerms = z.output<typeof adminTokenTermsSchema>;

/** How an admin token is rotated. */
export const adminTokenRotationSchema = z
  .strictObject({
    overlapHours: z
      .number()
      .int()
      .min(0)
      .max(LIMITS.tokenOverlapHoursMost)
      .default(LIMITS.tokenOverlapHours)
      .openapi({
        description:
          "For so long the old one stays good, and never longer than it was to be; 0 ends it at once.",
      }),
  })
  .openapi("AdminTokenRotation");

export type AdminTokenRotation = z.output<typeof adminTokenRotationSchema>;

/** An admin token without its secret. */
export const adminTokenSchema = z
  .object({
    id: z.string().openapi({
      description:
        "What `by` has in the events of what was done with it; `former`: the ADMIN_TOKEN before the present one.",
    }),
    scopes,
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable().openapi({ description: "To the hour; null: never." }),
    state: z.enum(["valid", "expired", "revoked"]),
  })
  .openapi("AdminToken");

export type AdminTokenView = z.output<typeof adminTokenSchema>;

/** An admin token just made: the only time that its secret is shown. */
export const newAdminTokenSchema = adminTokenSchema
  .extend({ token: z.string().openapi({ example: "mba_q3l2sVdZ0nQmFh4m1yXv7A" }) })
  .openapi("NewAdminToken");

export type NewAdminToken = z.output<typeof newAdminTokenSchema>;

export const adminTokensSchema = z
  .object({ items: z.array(adminTokenSchema), next: z.string().nullable() })
  .openapi("AdminTokens");
