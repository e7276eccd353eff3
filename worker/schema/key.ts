import { LIMITS } from "../config/limits.ts";
import { EPHEMERAL_MINUTES } from "../lease/lease-times.ts";
import { canMatch } from "../lease/name.ts";
import { namePattern, nodeName, tags } from "./names.ts";
import { note } from "./note.ts";
import { z } from "./openapi.ts";

/** Each of the terms. A misspelt one is refused: left at its default, the key would do something else. */
export const termsSchema = z.strictObject({
  expiresIn: z
    .number()
    .int()
    .min(60)
    .max(LIMITS.keySeconds)
    .default(LIMITS.keySecondsDefault)
    .openapi({ description: "Seconds." }),
  maxUses: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.keyUses)
    .default(1)
    .openapi({ description: "How many servers it lets in; one that it let in may use it again." }),
  approval: z
    .boolean()
    .default(false)
    .openapi({ description: "Each server waits until the operator approves it." }),
  allowOverlap: z.boolean().default(false).openapi({
    description:
      "Lets in a server whose own networks overlap the mesh's ranges. The agent has to allow it too: user-data with such a key writes ALLOW_OVERLAP=on into meshboot.conf.",
  }),
  names: namePattern.refine(canMatch, "no server can have such a name").optional().openapi({
    description:
      "Lets in servers with such names only; one `*` stands for any characters. The number that a name gets when it is taken (`web1-2`) does not count.",
  }),
  tags: tags
    .default([])
    .openapi({ description: "What the servers are tagged with that it lets in, to find them by." }),
  ephemeralMinutes: z
    .number()
    .int()
    .min(EPHEMERAL_MINUTES.least)
    .max(EPHEMERAL_MINUTES.most)
    .optional()
    .openapi({
      description:
        "Minutes unseen after which the leases of its servers end, within the hour, once other servers were heard for 210 minutes without a break; left out: thirty days. A server calls hourly.",
    }),
  reservation: nodeName.optional().openapi({
    description:
      "The reserved name (POST /v1/reservations) that it lets a server in under, with the slot of that name, whatever the server calls itself.",
  }),
  takeover: z.boolean().default(false).openapi({
    description:
      "Takes the reserved name over from the node that has it now: that one is out when the new server comes in. POST /v1/nodes/:node/replace does the same, and says what it breaks.",
  }),
  note: note("keys"),
});

/** What a new enrolment key may do. */
export const keyTermsSchema = termsSchema
  .refine(({ reservation, takeover }) => !takeover || reservation !== undefined, {
    path: ["takeover"],
    message: "say which name, by `reservation`",
  })
  .refine(({ reservation, names }) => reservation === undefined || names === undefined, {
    path: ["names"],
    message: "leave it out: the server has the reserved name",
  })
  .refine(
    ({ reservation, ephemeralMinutes }) => reservation === undefined || ephemeralMinutes === undefined,
    {
      path: ["ephemeralMinutes"],
      message: "leave it out: the lease of a reserved name never ends by time",
    },
  )
  .refine(({ reservation, maxUses }) => reservation === undefined || maxUses === 1, {
    path: ["maxUses"],
    message: "leave it out: one server can have the reserved name",
  })
  .refine(({ approval, takeover }) => !(approval && takeover), {
    path: ["approval"],
    message: "leave it out with `takeover`: the server before would be out, and the new one not in",
  })
  .openapi("KeyTerms");

export type KeyTerms = z.output<typeof keyTermsSchema>;

/** An enrolment key without its secret. */
export const keySchema = z
  .object({
    id: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().openapi({
      description:
        "When a server last came by it, also one that it had let in before, to the hour; null: none has.",
    }),
    expiresAt: z.iso.datetime(),
    maxUses: z.number().int(),
    uses: z.number().int(),
    state: z
      .enum(["valid", "spent", "expired", "revoked"])
      .openapi({ description: "Of a spent or expired one, servers that it let in before may still use it." }),
    approval: z.boolean(),
    names: z
      .string()
      .nullable()
      .openapi({ description: "Which names it lets in; null: all.", example: "web-*" }),
    ephemeralMinutes: z.number().int().nullable(),
    reservation: z
      .string()
      .nullable()
      .openapi({ description: "The reserved name that it lets a server in under; null: none." }),
    takesOver: z
      .string()
      .nullable()
      .openapi({ description: "The node that is out when a server comes in with it." }),
    allowOverlap: z.boolean(),
    options: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .nullable()
      .openapi({ description: "Of the user-data that it was made with; null: it was made without." }),
    tags: z.array(z.string()),
    note: z.string().nullable(),
  })
  .openapi("Key");

export type KeyView = z.output<typeof keySchema>;

/** Whether its nodes go when a key is taken back. */
export const keyRevocationSchema = z
  .strictObject({
    nodes: z
      .boolean()
      .default(false)
      .openapi({ description: "Takes the nodes out of the mesh that came in with it last." }),
  })
  .openapi("KeyRevocation");

/** A key that was taken back, and the nodes that were taken out with it. */
export const revokedKeySchema = keySchema
  .extend({ revokedNodes: z.array(z.string()).openapi({ description: "The nodes that are out with it." }) })
  .openapi("RevokedKey");

export type RevokedKey = z.output<typeof revokedKeySchema>;

/** A key just made: the only time that its secret is shown. */
export const newKeySchema = keySchema
  .extend({ key: z.string().openapi({ example: "mbk_q3l2sVdZ0nQmFh4m1yXv7A" }) })
  .openapi("NewKey");

export const keysSchema = z
  .object({ items: z.array(keySchema), next: z.string().nullable() })
  .openapi("Keys");
