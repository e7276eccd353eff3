import { LIMITS } from "../config/limits.ts";
import { factsSchema } from "./enrolment.ts";
import { z } from "./openapi.ts";
import { probesSchema } from "./reach.ts";

const shortEnough = (text: string): boolean => new TextEncoder().encode(text).length <= LIMITS.reportLogBytes;

/** The agent's report: what it did last, and where it stopped. As in an enrolment, unknown fields are passed over. */
export const heartbeatSchema = z
  .object({
    state: z.enum(["ok", "failed"]),
    step: z.string().max(64).optional().openapi({ description: "The step that failed.", example: "docker" }),
    log: z
      .string()
      .refine(shortEnough, `at most ${LIMITS.reportLogBytes} bytes`)
      .optional()
      .openapi({ description: "The last lines of the agent's log, at most 4 KiB." }),
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
    probes: probesSchema.optional(),
  })
  .openapi("Heartbeat");
