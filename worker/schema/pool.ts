import { z } from "./openapi.ts";

const count = z.number().int();

/** How the pool is used. */
export const poolSchema = z
  .object({
    network: z.string(),
    pool: z.object({ zerotier: z.string(), docker: z.string(), nodePrefix: count }),
    slots: z.object({
      total: count,
      active: count,
      pending: count,
      revoked: count,
      quarantined: count,
      excluded: count,
      free: count,
    }),
    conflicts: z
      .array(z.object({ target: z.string(), via: z.string().nullable() }))
      .openapi({ description: "Routes inside the pool that are not ours; their slots are not leased." }),
    excluded: z.array(count).openapi({
      description: "Slots that a foreign route or another member's address keeps from being leased.",
    }),
    routeLimit: count,
    waiting: z
      .object({ member: count, routes: count, copy: count })
      .openapi({ description: "What is still to be told to the controller and to KV." }),
  })
  .openapi("Pool");
