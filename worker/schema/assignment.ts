import { machineId, nodeName, tags } from "./names.ts";
import { z } from "./openapi.ts";

/** A lease without a proof: what is left out is chosen, or stays. */
export const assignmentSchema = z
  .strictObject({
    name: nodeName.optional(),
    slot: z
      .number()
      .int()
      .min(1)
      .max(2 ** 24)
      .optional(),
    machineId: machineId.optional(),
  })
  .openapi("Assignment");

/** What of a node the operator changes: what is left out stays. */
export const nodeChangeSchema = z
  .strictObject({
    name: nodeName.optional(),
    tags: tags.optional().openapi({
      description: "All of its tags from then on. They stay when it enrols again, by whichever key.",
    }),
  })
  .refine(({ name, tags }) => name !== undefined || tags !== undefined, "say `name`, `tags` or both")
  .openapi("NodeChange");

export type NodeChange = z.output<typeof nodeChangeSchema>;
