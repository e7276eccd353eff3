import { z } from "./openapi.ts";

export const healthSchema = z
  .object({
    status: z.enum(["ok", "misconfigured", "unreachable", "unfit", "waiting"]).openapi({
      description:
        "misconfigured: settings are wrong; unreachable: the allocator does not answer; unfit: the ZeroTier network cannot carry the mesh as it is; waiting: the controller does not answer, or does not take what it should.",
    }),
    faults: z.array(z.string()).openapi({ description: "What keeps servers out." }),
    warnings: z
      .array(z.string())
      .openapi({ description: "What keeps no server out, but needs somebody to look at it." }),
  })
  .openapi("Health");

/** The parsed document: for everybody without the addresses of the mesh, for the operator with them. */
export type WorkerHealth = z.output<typeof healthSchema>;

/** What the object knows of it. No name or number of a node is in it; addresses of the network are. */
export type ObjectHealth = WorkerHealth & {
  status: Exclude<WorkerHealth["status"], "misconfigured" | "unreachable">;
};
