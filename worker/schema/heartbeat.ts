import { LIMITS } from "../config/limits.ts";
import { factsSchema } from "./enrolment.ts";
import { bootNewsSchema, logSchema } from "./first-boot.ts";
import { z } from "./openapi.ts";

/** The agent's report: what it did last, and where it stopped. As in an enrolment, unknown fields are passed over. */
export const heartbeatSchema = z
  .object({
    state: z.enum(["ok", "failed"]),
    step: z.string().max(64).optional().openapi({ description: "The step that failed.", example: "docker" }),
    log: logSchema.optional(),
    firstBoot: bootNewsSchema.optional(),
    repaired: z
      .array(z.string().regex(/^[A-Za-z0-9.-]{1,32}$/))
      .max(LIMITS.repairedSteps)
      .optional()
      .openapi({
        description:
          "The steps whose work had been changed underneath, and that were put right since the last report.",
        example: ["routes", "rules"],
      }),
    facts: factsSchema.optional(),
  })
  .openapi("Heartbeat");

export type HeartbeatBody = z.output<typeof heartbeatSchema>;
