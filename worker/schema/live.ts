import { TOPICS } from "../base/topic.ts";
import { z } from "./openapi.ts";

/** What a listener is told. */
export const changedSchema = z
  .object({
    changed: z.array(z.enum(TOPICS)).openapi({
      description: "What changed; pass over names that you do not know. Ask the API for what is there now.",
    }),
  })
  .openapi("Changed");

export type Changed = z.output<typeof changedSchema>;
