import { unstable_readConfig } from "wrangler";
import { z } from "zod";

/** The part of wrangler.jsonc that a local Worker needs, so that its bindings are written down once. */
const wranglerConfig = z.object({
  name: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  kv_namespaces: z.array(z.object({ binding: z.string() })),
  ratelimits: z.array(
    z.object({
      name: z.string(),
      namespace_id: z.string(),
      simple: z.object({ limit: z.number(), period: z.union([z.literal(10), z.literal(60)]) }),
    }),
  ),
  triggers: z.object({ crons: z.array(z.string()) }),
  vars: z.record(z.string(), z.string()),
});

/** The Worker's configuration as wrangler reads it. */
export type WranglerConfig = z.infer<typeof wranglerConfig>;

/** Reads wrangler.jsonc. Throws when it lacks something that the Worker needs. */
export function readWranglerConfig(path: string): WranglerConfig {
  return wranglerConfig.parse(unstable_readConfig({ config: path }));
}
