import { z } from "./openapi.ts";

/** SHA-256 of an agent's program. */
export const agentSha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "an agent is named by its SHA-256: 64 hex digits in lower case")
  .openapi({ example: "3c36ec16a1c3114f8f09838064e6eca1a86e710658817e43b205d7b333f00fb9" });

/** The agent that a Worker gives out. */
export const agentSchema = z
  .object({
    version: z.string().openapi({ example: "0.2.0" }),
    sha256: agentSha256Schema,
    bytes: z.number().int(),
  })
  .openapi("Agent");
