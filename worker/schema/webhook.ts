import { LIMITS } from "../config/limits.ts";
import { DEED_ACTIONS } from "../lease/deed.ts";
import { note } from "./note.ts";
import { z } from "./openapi.ts";

/** Whom events are to be sent to, and which. */
export const wantedWebhookSchema = z
  .strictObject({
    url: z.string().min(1).max(LIMITS.webhookUrlCharacters).openapi({
      description:
        "An https address on the internet, without user and fragment, port 443 or one from 1024 on.",
      example: "https://hooks.example.com/meshboot",
    }),
    actions: z
      .array(z.enum(DEED_ACTIONS))
      .min(1)
      .max(2 * DEED_ACTIONS.length)
      .transform((actions) => [...new Set(actions)].sort())
      .optional()
      .openapi({ description: "Which events are sent; left out: all." }),
    note: note("webhooks"),
  })
  .openapi("WantedWebhook");

export const webhookSchema = z
  .object({
    id: z.string().openapi({ example: "6b0f3d1c58a2e947" }),
    url: z.string(),
    actions: z.array(z.string()).nullable().openapi({ description: "Null: all." }),
    note: z.string().nullable(),
    createdAt: z.iso.datetime(),
    state: z.enum(["idle", "waiting", "failing"]).openapi({
      description:
        "idle: it has all that it wants; waiting: events are about to be sent; failing: the last call was not taken.",
    }),
    failures: z.number().int().openapi({ description: "How many calls in a row were not taken." }),
    nextAt: z.iso
      .datetime()
      .nullable()
      .openapi({ description: "When the next call is made, at the latest." }),
    missed: z.number().int().openapi({
      description: "Events that the log has forgotten before they were taken; the next call tells it.",
    }),
    earlierSecretUntil: z.iso
      .datetime()
      .nullable()
      .openapi({ description: "Until when the secret before the last rotation signs beside the new one." }),
    fault: z.string().nullable().openapi({ description: "Why nothing can be sent, with the remedy." }),
  })
  .openapi("Webhook");

/** A webhook as lists show it. */
export type WebhookView = z.output<typeof webhookSchema>;

export const webhooksSchema = z
  .object({ items: z.array(webhookSchema), next: z.string().nullable() })
  .openapi("Webhooks");

const secret = z.string().openapi({
  description: "Signs the calls; shown this once.",
  example: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
});

export const newWebhookSchema = webhookSchema.extend({ secret }).openapi("NewWebhook");

/** A webhook with its secret, which is shown when that is made. */
export type NewWebhookView = z.output<typeof newWebhookSchema>;

const callSchema = z.object({
  status: z.number().int().nullable().openapi({ description: "Null when there was no answer." }),
  fault: z.string().nullable().openapi({ description: "Null when the call was taken." }),
  text: z
    .string()
    .openapi({ description: `How the answer began, ${LIMITS.webhookAnswerCharacters} characters.` }),
  ms: z.number().int(),
});

export const testedWebhookSchema = callSchema.openapi("WebhookTest");

/** What a test call came to. */
export type TestedWebhook = z.output<typeof testedWebhookSchema>;

export const webhookDetailSchema = webhookSchema
  .extend({
    answers: z
      .array(
        callSchema.extend({
          at: z.iso.datetime(),
          first: z.number().int().openapi({ description: "The id of the first event in the call." }),
          last: z.number().int().openapi({ description: "The id of the last." }),
          count: z.number().int().openapi({ description: "How many they were." }),
          attempt: z
            .number()
            .int()
            .openapi({ description: "1 for the first call after one that was taken." }),
        }),
      )
      .openapi({
        description: `The last ${LIMITS.webhookAnswers}, the newest first; test calls are not among them.`,
      }),
  })
  .openapi("WebhookDetail");

/** A webhook with the last that its receiver answered. */
export type WebhookDetail = z.output<typeof webhookDetailSchema>;

export const webhookRotationSchema = z
  .strictObject({
    now: z
      .boolean()
      .default(false)
      .openapi({ description: "The secret before is good no more; otherwise both sign for 24 hours." }),
  })
  .openapi("WebhookRotation");
