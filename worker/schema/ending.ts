import { newKeySchema, termsSchema } from "./key.ts";
import { z } from "./openapi.ts";
import { reservationSchema } from "./reservation.ts";

/** What the key of a replacement may do besides. */
export const replacementSchema = termsSchema
  .pick({ expiresIn: true, allowOverlap: true, note: true })
  .openapi("Replacement");

export type Replacement = z.output<typeof replacementSchema>;

/** What the end of a node's lease means. */
export const endingSchema = z
  .object({
    dryRun: z.boolean().openapi({ description: "Whether nothing was done." }),
    node: z.string(),
    name: z.string(),
    slot: z.number().int(),
    lastSeen: z.iso.datetime(),
    breaks: z.array(z.string()).openapi({ description: "What does not work any more, and from when." }),
    stays: z.array(z.string()),
    freeAt: z.iso.datetime().nullable().openapi({
      description: "The earliest time at which another node may get the slot; null: it is kept.",
    }),
  })
  .openapi("Ending");

export type EndingView = z.output<typeof endingSchema>;

export const retiredSchema = endingSchema.extend({ reservation: reservationSchema }).openapi("Retired");

export type Retired = z.output<typeof retiredSchema>;

/** The key with which the new server comes in: the only time that its secret is shown. */
export const replacedSchema = endingSchema.extend({ key: newKeySchema }).openapi("Replaced");

export type Replaced = z.output<typeof replacedSchema>;
