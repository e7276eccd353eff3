import { LIMITS } from "../config/limits.ts";
import { BOOT_STAGES, BOOT_STATES, STAGES_BY_KEY, STAGES_BY_TOKEN } from "../lease/first-boot.ts";
import { keyId, machineId, nodeIdIn } from "./names.ts";
import { z } from "./openapi.ts";
import { pageQuery } from "./page.ts";

const shortEnough = (text: string): boolean => new TextEncoder().encode(text).length <= LIMITS.reportLogBytes;

/** The end of the agent's log. */
export const logSchema = z
  .string()
  .refine(shortEnough, `at most ${LIMITS.reportLogBytes} bytes`)
  .openapi({ description: "The last lines of the agent's log, at most 4 KiB." });

const from = {
  machineId,
  name: z.string().max(64).optional().openapi({ description: "Its host name.", example: "web1" }),
  clock: z.number().int().min(0).max(1e11).openapi({
    description: "Its own clock, Unix seconds; how far it is off is shown.",
    example: 1785585600,
  }),
  log: logSchema.optional(),
};

/** What a server tells of its first boot before it has a node token. As in an enrolment, unknown fields are passed over. */
export const bootReportSchema = z
  .discriminatedUnion("state", [
    z.object({
      state: z.literal("running"),
      stage: z.enum(STAGES_BY_KEY).openapi({ description: "What it has come to." }),
      ...from,
    }),
    z.object({
      state: z.literal("failed"),
      step: z
        .string()
        .max(64)
        .openapi({ description: "The step at which it stands still.", example: "zerotier" }),
      ...from,
    }),
  ])
  .openapi("FirstBootReport");

/** The same within a heartbeat. */
export const bootNewsSchema = z
  .object({
    stage: z.enum(STAGES_BY_TOKEN),
    state: z.enum(["running", "done"]).openapi({ description: "`done`: `up` has come to its end." }),
  })
  .openapi({ description: "What a first boot has come to; a server that is in tells nothing more of it." });

const firstBootSchema = z
  .object({
    key: z.string().openapi({ description: "The id of the enrolment key." }),
    machineId,
    node: z.string().nullable().openapi({ description: "The node that it enrolled as; null: not yet." }),
    name: z
      .string()
      .nullable()
      .openapi({ description: "Its name in the mesh while it has a lease, else what it calls itself." }),
    address: z
      .string()
      .nullable()
      .openapi({ description: "Where it called from last, as this Worker saw it." }),
    state: z.enum(BOOT_STATES).openapi({
      description: "`failed`: it stands still, and tries again by itself; `done`: all is in place.",
    }),
    step: z
      .string()
      .nullable()
      .openapi({ description: "The step of `meshboot up` at which it stands still." }),
    stages: z
      .array(z.object({ stage: z.enum(BOOT_STAGES), at: z.iso.datetime().nullable() }))
      .openapi({ description: "In their order, with when each was first reached by this Worker's clock." }),
    clockAhead: z.number().int().nullable().openapi({
      description: "Seconds by which its clock was ahead of this Worker's; less than 0: behind.",
    }),
    log: z.string().nullable().openapi({ description: "The last lines of the agent's log." }),
    lastAt: z.iso.datetime().openapi({ description: "When anything was last told of it." }),
  })
  .openapi("FirstBoot");

/** A first boot as the operator sees it. */
export type FirstBootView = z.output<typeof firstBootSchema>;

export const firstBootsSchema = z
  .object({ items: z.array(firstBootSchema), next: z.string().nullable() })
  .openapi("FirstBoots");

export const firstBootQuery = pageQuery.extend({
  key: keyId.optional(),
  node: nodeIdIn("GET /v1/nodes lists them").optional(),
});
