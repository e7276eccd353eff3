import { z } from "./openapi.ts";

/** Whether the call only says what it would do. */
export const dryRunQuery = z.strictObject({
  dryRun: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .openapi({ description: "Changes nothing, and says what the call would do." }),
});
