import { machineId, nodeName } from "./names.ts";
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

export const renameSchema = z.strictObject({ name: nodeName }).openapi("Rename");
