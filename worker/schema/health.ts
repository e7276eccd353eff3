import { CONTROLLER_KINDS } from "../config/capabilities.ts";
import { SHOWN_STATES } from "../lease/lease-times.ts";
import { capabilitiesSchema } from "./controller.ts";
import { z } from "./openapi.ts";

export const healthSchema = z
  .object({
    status: z.enum(["ok", "misconfigured", "unreachable", "unfit", "waiting"]).openapi({
      description:
        "misconfigured: settings are wrong; unreachable: the allocator does not answer, or keeps nothing since a quota of the Cloudflare account is used up; unfit: the ZeroTier network cannot carry the mesh as it is; waiting: the controller does not answer, or does not take what it should.",
    }),
    faults: z.array(z.string()).openapi({ description: "What keeps servers out." }),
    warnings: z
      .array(z.string())
      .openapi({ description: "What keeps no server out, but needs somebody to look at it." }),
    nodes: z.record(z.enum(SHOWN_STATES), z.number().int()).optional().openapi({
      description:
        "With the admin token alone: how many nodes are in each state; failed: whose last report is of a failure, whatever their state.",
    }),
    controller: z
      .object({ kind: z.enum(CONTROLLER_KINDS), capabilities: capabilitiesSchema })
      .optional()
      .openapi({ description: "With the admin token alone: the kind of controller, and what it can do." }),
  })
  .openapi("Health");

/** The parsed document: for everybody without the details of the mesh, for the operator with them. */
export type WorkerHealth = z.output<typeof healthSchema>;

/** One thing that is wrong. */
export interface HealthNote {
  /** For everybody: nothing of the mesh, and no word of anybody else's. */
  readonly open: string;
  /** For the operator. */
  readonly full: string;
}

/** What the object knows of it; `nodes` and `controller` for the operator alone. */
export interface ObjectHealth extends Pick<WorkerHealth, "nodes" | "controller"> {
  readonly status: Exclude<WorkerHealth["status"], "misconfigured" | "unreachable">;
  readonly faults: readonly HealthNote[];
  readonly warnings: readonly HealthNote[];
}
