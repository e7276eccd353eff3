import { LIMITS } from "../config/limits.ts";
import { factsSchema } from "./enrolment.ts";
import { z } from "./openapi.ts";

const shortEnough = (text: string): boolean => new TextEncoder().encode(text).length <= LIMITS.reportLogBytes;

/** The agent's report: what it did last, and where it stopped. As in an enrolment, unknown fields are passed over. */
export const heartbeatSchema = z
  .object({
    state: z.enum(["ok", "failed"]),
    step: z.string().max(64).optional().openapi({ description: "The step that failed.", example: "dockerd" }),
    log: z
      .string()
      .refine(shortEnough, `at most ${LIMITS.reportLogBytes} bytes`)
      .optional()
      .openapi({ description: "The last lines of the agent's log, at most 4 KiB." }),
    facts: factsSchema.optional(),
  })
  .openapi("Heartbeat");
