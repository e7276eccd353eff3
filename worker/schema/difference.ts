import { z } from "./openapi.ts";

const MEMBER_DIFFERENCES = [
  "missing",
  "made-anew",
  "drifted",
  "still-authorized",
  "taken-out-there",
  "let-in-there",
] as const;

/**
 * How a member differs from its lease:
 * - `missing`: there is none
 * - `made-anew`: deleted there, and made again when its server asked: not authorized
 * - `drifted`: it has not the addresses that go with the lease, or a late write of ours has named it
 * - `still-authorized`: though its lease is not active
 * - `taken-out-there`, `let-in-there`: the operator's word at the controller, which counts here
 */
export type MemberDifference = (typeof MEMBER_DIFFERENCES)[number];

const routes = z.array(z.object({ target: z.string(), via: z.string().nullable() }));

export const differenceSchema = z
  .object({
    dryRun: z.boolean(),
    settings: z
      .array(z.string())
      .openapi({ description: "The network's settings that the mesh needs otherwise.", example: ["routes"] }),
    faults: z
      .array(z.string())
      .openapi({ description: "What keeps the network from carrying the mesh, and only you can put right." }),
    members: z
      .array(
        z.object({
          node: z.string(),
          name: z.string(),
          slot: z.number().int(),
          difference: z.enum(MEMBER_DIFFERENCES),
        }),
      )
      .openapi({
        description:
          "missing: there is none; made-anew: deleted, and not let in again; drifted: without its addresses; still-authorized: its lease is not active; taken-out-there, let-in-there: your word at the controller, which counts here too. What is on its way is not among them.",
      }),
    unread: z.array(z.string()).openapi({ description: "Members whose entries cannot be read." }),
    routes: z.object({ missing: routes, leftOver: routes }),
  })
  .openapi("Difference");

export type DifferenceView = z.output<typeof differenceSchema>;
