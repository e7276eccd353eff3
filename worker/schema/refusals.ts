import { z } from "./openapi.ts";

const refusalSchema = z.object({
  problem: z.string().openapi({ example: "/problems/key-spent" }),
  node: z.string(),
  name: z.string().openapi({ description: "The name that it asked for." }),
  key: z
    .string()
    .nullable()
    .openapi({ description: "The id of the enrolment key; null: no such key is known." }),
  address: z.string().nullable().openapi({ description: "Where it called from, as this Worker saw it." }),
  about: z.string().nullable().openapi({
    description:
      "What the problem was about: the prefix in the way, the clock's distance, what the controller said.",
  }),
  firstAt: z.iso.datetime(),
  lastAt: z.iso.datetime(),
});

/** An enrolment that was refused. */
export type RefusalView = z.output<typeof refusalSchema>;

export const refusalsSchema = z
  .object({ items: z.array(refusalSchema), next: z.string().nullable() })
  .openapi("Refusals");
