import { z } from "zod";
import type { PoolSettings } from "../lease/pool.ts";

/** A pool as it is stored, in the object and in the copies of leases. */
export const poolSettings: z.ZodType<PoolSettings> = z.object({
  zerotier: z.string(),
  docker: z.string(),
  nodePrefix: z.number(),
});
