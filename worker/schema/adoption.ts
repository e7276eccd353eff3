import { nodeIdIn, nodeName } from "./names.ts";
import { z } from "./openapi.ts";

/** Nodes that one call may name: as many as it adopts. */
const MOST_NODES = 200;

const memberId = nodeIdIn("POST /v1/adopt?dryRun=true without `nodes` lists the members");

export const wantedAdoptionSchema = z
  .strictObject({
    nodes: z
      .array(memberId)
      .min(1, "name at least one, or leave it out for all")
      .max(MOST_NODES)
      .optional()
      .openapi({
        description: "Only these; left out: every member that can be adopted.",
      }),
    plan: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "a plan is the `plan` of a dry run: 64 lower-case hex digits")
      .optional()
      .openapi({ description: "The `plan` of the dry run: only what that listed is done." }),
  })
  .openapi("WantedAdoption");

const route = z.object({ target: z.string(), via: z.string().nullable() });

/** Why a member is left as it is; `worker/network/adoption-view.ts` has what is said of each. */
export const LEFT_REASONS = [
  "not-authorized",
  "no-address",
  "address-outside",
  "address-automatic",
  "address-of-no-slot",
  "two-addresses",
  "address-shared",
  "other-route",
  "slot-routed",
  "slot-leased",
  "slot-reserved",
  "slot-resting",
  "on-its-way",
  "unread",
  "no-member",
  "has-lease",
] as const;

export const adoptionSchema = z
  .object({
    dryRun: z.boolean(),
    plan: z.string().openapi({ description: "Stands for all that is in `adopted` and `changes`." }),
    adopted: z
      .array(
        z.object({
          node: z.string(),
          name: nodeName,
          slot: z.number().int(),
          zerotier: z.object({ ipv4: z.string() }),
          docker: z.object({ ipv4: z.object({ subnet: z.string() }) }),
          routed: z.boolean().openapi({ description: "Whether its managed route is there already." }),
        }),
      )
      .openapi({ description: "The leases, by slot." }),
    more: z.boolean().openapi({ description: "Whether another call can adopt more." }),
    changes: z
      .object({
        settings: z
          .object({
            pools: z.array(z.object({ ipRangeStart: z.string(), ipRangeEnd: z.string() })).optional(),
            v4AutoAssign: z.boolean().optional(),
            v6: z.object({ sixPlane: z.boolean(), rfc4193: z.boolean(), zt: z.boolean() }).optional(),
          })
          .openapi({
            description: "What the network's settings become, where the mesh needs them otherwise.",
          }),
        members: z
          .array(
            z.object({ node: z.string(), name: z.string().optional(), autoAssign: z.boolean().optional() }),
          )
          .openapi({ description: "What members become that get no 6PLANE address as they are." }),
        routes: z.object({ missing: z.array(route), leftOver: z.array(route) }),
      })
      .openapi({ description: "All that is written at the controller. Empty where nothing is." }),
    left: z
      .array(
        z.object({
          node: z.string(),
          name: z.string().openapi({ description: "At the controller." }),
          reason: z.enum(LEFT_REASONS),
          detail: z.string().openapi({ description: "What is in the way, and what to change." }),
        }),
      )
      .openapi({ description: "Members that stay as they are: the first 200." }),
    leftInAll: z.number().int(),
  })
  .openapi("Adoption");

export type AdoptionView = z.output<typeof adoptionSchema>;
