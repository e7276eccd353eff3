import { LIMITS } from "../config/limits.ts";
import { factsSchema } from "./enrolment.ts";
import { findingSchema } from "./finding.ts";
import { bootNewsSchema, logSchema } from "./first-boot.ts";
import { hostsVersion } from "./hosts.ts";
import { z } from "./openapi.ts";
import { probesSchema } from "./reach.ts";

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
    findings: z.array(findingSchema).max(LIMITS.findings).optional().openapi({
      description: "All that `meshboot doctor` has just found; left out when it was not asked.",
    }),
    hosts: hostsVersion.optional().openapi({
      description:
        "The version that it has of `GET /v1/nodes/:node/hosts`, empty for none: then the answer has the version that there is.",
    }),
    facts: factsSchema.optional(),
    probes: probesSchema.optional(),
  })
  .openapi("Heartbeat");

export type HeartbeatBody = z.output<typeof heartbeatSchema>;
