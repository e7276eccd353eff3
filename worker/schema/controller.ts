import { CONTROLLER_KINDS } from "../config/capabilities.ts";
import { z } from "./openapi.ts";

const count = z.number().int();
const time = z.iso.datetime();

const backlogSchema = z.object({
  waiting: count.openapi({ description: "What is still to be told." }),
  oldestAt: time.nullable().openapi({ description: "Of the oldest change among it." }),
  failing: count.openapi({ description: "Of these, those that were tried and not taken." }),
  fault: z
    .string()
    .nullable()
    .openapi({ description: "What was said last to the one that has failed most often." }),
  heldUntil: time.nullable().openapi({
    description: "Until when all of it waits, since whoever takes it does not; null: it does not.",
  }),
});

/** How far what waits for the controller, or for KV, has come. */
export type BacklogView = z.output<typeof backlogSchema>;

/** What a kind of controller can do and allows. */
export const capabilitiesSchema = z.object({
  preAuthorizes: z
    .boolean()
    .openapi({ description: "Whether a server is let in before it was ever seen there." }),
  callsALease: count.openapi({ description: "Calls that let in a server that is not there yet." }),
  callsAtOnce: count.openapi({ description: "Calls that may be under way at once." }),
  callMs: count.openapi({ description: "Milliseconds that a call may take." }),
  callsASecond: count
    .nullable()
    .openapi({ description: "Calls a second that it takes, until it says otherwise; null: no limit." }),
  routes: z
    .object({ usual: count, most: count })
    .openapi({ description: "Managed routes of a network: unless ROUTE_LIMIT says otherwise, and at most." }),
  tellsSightings: z.boolean().openapi({ description: "Whether it says when a server was last seen." }),
  webhooks: z.boolean().openapi({ description: "Whether it can tell of changes by itself." }),
});

export const controllerSchema = z
  .object({
    kind: z
      .enum(CONTROLLER_KINDS)
      .openapi({ description: "ZEROTIER_CONTROLLER; docs/controllers.md compares them." }),
    capabilities: capabilitiesSchema,
    url: z
      .string()
      .nullable()
      .openapi({ description: "Where it is reached; null for one of the mesh's own." }),
    own: z
      .object({
        turn: z
          .object({
            number: count.openapi({ description: "1 for the first, and one more with each move." }),
            node: z.string(),
            name: z.string().nullable(),
            since: time,
            askedAt: time.nullable().openapi({
              description:
                "When its agent last asked for work, give or take five minutes; null: not since then.",
            }),
            whole: z.boolean().openapi({
              description:
                "Whether it was told all that the controller before it knew. Until then nothing else is asked of it.",
            }),
          })
          .nullable()
          .openapi({ description: "Which node hosts it; null: no server has come in yet." }),
        candidates: z.array(z.string()).openapi({ description: "The nodes that may host it next." }),
      })
      .nullable()
      .openapi({ description: "Of the kind own alone." }),
    network: z.string(),
    checkedAt: time.nullable().openapi({ description: "When the hourly run last read the network." }),
    unreachable: z
      .object({ at: time, fault: z.string() })
      .nullable()
      .openapi({ description: "When it could not be read, and why; null: the last that was tried could." }),
    calls: z
      .object({
        limit: count.openapi({ description: "Calls a second that leave here at most." }),
        lately: count.openapi({ description: "Those under way, and those of the last second." }),
        waiting: count.openapi({ description: "Those that wait for their turn." }),
        heldUntil: time
          .nullable()
          .openapi({ description: "Until when it takes none, by its own word; null: it takes them." }),
      })
      .openapi({ description: "Of this object since it began to run." }),
    routes: z.object({
      ours: count.openapi({ description: "Managed routes that Meshboot has set." }),
      limit: count.openapi({ description: "How many it may set (ROUTE_LIMIT)." }),
    }),
    outbox: z.object({ member: backlogSchema, routes: backlogSchema, copy: backlogSchema }).openapi({
      description:
        "member: leases, for the controller; routes: the managed routes, which are one; copy: leases, for KV.",
    }),
  })
  .openapi("Controller");

export type ControllerView = z.output<typeof controllerSchema>;
