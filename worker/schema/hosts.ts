import { z } from "./openapi.ts";

/** A version of the list of servers, as answers have it. */
export const hostsVersion = z
  .string()
  .regex(/^[a-z0-9-]{0,40}$/)
  .openapi({ example: "5db36edb-17" });

/** After which slot the list goes on. */
export const hostsQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).openapi({
    description: "The `next` of the answer before.",
  }),
});

export const hostsSchema = z
  .object({
    network: z.string().openapi({ example: "8056c2e21c000001" }),
    version: hostsVersion.openapi({ description: "Another one after each change of the list." }),
    hosts: z
      .array(
        z.object({
          slot: z.number().int().openapi({ example: 3 }),
          node: z.string().openapi({ example: "4e8d87c868" }),
          name: z.string().openapi({ example: "web1" }),
        }),
      )
      .openapi({
        description:
          "The servers that are in the mesh, by slot, from which their addresses follow. In plain text `slot:node:name`, joined by spaces.",
      }),
    next: z.number().int().nullable().openapi({ description: "`after` of the next call; null at the end." }),
  })
  .openapi("Hosts");

/** The same as lines. */
export const hostsLines = z.string().openapi({
  description: "`KEY=value` lines.",
  example: "NETWORK=8056c2e21c000001\nVERSION=5db36edb-17\nHOSTS=1:4e8d87c868:web1 2:a3b033f4db:db1\n",
});

/** A part of the list of servers. */
export type HostsView = z.output<typeof hostsSchema>;
