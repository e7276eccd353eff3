import { z } from "./openapi.ts";

/** How the Worker is. */
export const healthSchema = z
  .object({
    status: z.enum(["ok", "misconfigured", "unreachable", "unfit", "waiting"]).openapi({
      description:
        "misconfigured: settings are wrong; unreachable: the allocator does not answer; unfit: the ZeroTier network stands against the mesh; waiting: the controller does not answer, or does not take what it should.",
    }),
    faults: z.array(z.string()).openapi({ description: "What keeps servers out." }),
    warnings: z
      .array(z.string())
      .openapi({ description: "What keeps no server out, but needs somebody to look at it." }),
  })
  .openapi("Health");
