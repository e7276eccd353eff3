import { z } from "./openapi.ts";

const count = z.number().int();

/** The two ranges of a pool, and how much of it each node gets. */
export const poolSettingsSchema = z.object({ zerotier: z.string(), docker: z.string(), nodePrefix: count });

export const poolSchema = z
  .object({
    network: z.string(),
    pool: poolSettingsSchema,
    slots: z.object({
      total: count,
      active: count,
      pending: count,
      revoked: count,
      quarantined: count,
      excluded: count,
      reserved: count.openapi({ description: "Reserved for names that no node has now." }),
      free: count,
    }),
    conflicts: z.array(z.object({ target: z.string(), via: z.string().nullable() })).openapi({
      description:
        "Routes inside the pool that are not ours: their slots are not leased, and those that are already are not routed.",
    }),
    addressConflicts: z
      .array(z.object({ slot: count, address: z.string(), node: z.string(), member: z.string() }))
      .openapi({
        description:
          "Leased ZeroTier addresses (`node` has the lease) that another `member` of the network holds: take it from that member in the controller.",
      }),
    excluded: z.array(count).openapi({
      description: "Slots that a foreign route or another member's address keeps from being leased.",
    }),
    routeLimit: count,
    waiting: z
      .object({ member: count, routes: count, copy: count })
      .openapi({ description: "What is still to be told to the controller and to KV." }),
  })
  .openapi("Pool");

export type PoolUse = z.output<typeof poolSchema>;
