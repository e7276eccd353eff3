import { FORMS, optionsSchema } from "../../cloud-init/options.ts";
import { PROVIDERS } from "../../cloud-init/provider-limits.ts";
import { keySchema, keyTermsSchema } from "./key.ts";
import { z } from "./openapi.ts";

/** What user-data is wanted, and what its key may do. */
export const userDataRequestSchema = optionsSchema
  .safeExtend({
    form: z.enum(FORMS).optional().openapi({
      description:
        "cloud-config: settings, key, units and what fetches the agent; include: a URL of at most 128 bytes; script: for providers without cloud-init, and servers that already run; multipart: together with your own cloud-config; golden: for an image that has the agent, at most 512 bytes. Left out: multipart with a cloudConfig, script for a provider that takes no user-data, cloud-config otherwise.",
    }),
    provider: z
      .enum([...PROVIDERS])
      .optional()
      .openapi({ description: "This provider alone is looked up; what it would refuse is refused here." }),
    cloudConfig: z
      .string()
      .optional()
      .openapi({ description: "Your own cloud-config, for the form multipart." }),
    key: keyTermsSchema.prefault({}),
  })
  .openapi("UserDataRequest");

export type UserDataRequest = z.output<typeof userDataRequestSchema>;

/** The header with which a call gives the same key and text again. */
export const userDataHeadersSchema = z.object({
  "idempotency-key": z
    .string()
    .regex(
      /^[\x21-\x7e]{1,200}$/,
      "give 1 to 200 visible ASCII characters, such as a server's name or a UUID",
    )
    .optional()
    .openapi({
      description:
        "Calls with the same one and the same body get the same key and the same text, also after a later deploy, until the key is deleted.",
    }),
});

/** User-data, its size against the providers' limits, and its key (whose secret is in the user-data only). */
export const userDataSchema = z
  .object({
    form: z.enum(FORMS),
    userData: z.string(),
    bytes: z.number().int(),
    notes: z.array(z.string()).openapi({ description: "What has to be known when it is pasted." }),
    limits: z.array(
      z.object({
        provider: z.string(),
        limit: z.number().int().nullable().openapi({ description: "Bytes; null: none is published." }),
        used: z.number().int().openapi({ description: "Bytes as this provider counts them." }),
        counted: z.enum(["raw", "base64"]),
        fits: z.boolean().nullable().openapi({ description: "null: the limit is unknown." }),
        note: z.string().optional(),
      }),
    ),
    key: keySchema,
  })
  .openapi("UserData");
