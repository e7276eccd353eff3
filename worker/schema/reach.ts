import { LIMITS } from "../config/limits.ts";
import { nodeId } from "./names.ts";
import { z } from "./openapi.ts";
import { pageQuery } from "./page.ts";

/** Why a server does not probe, though it would. */
export const PROBE_FAULTS = ["no-ping", "no-gateway"] as const;

/** By which way ZeroTier carries packets to another server. */
const ROUTES = ["direct", "relayed"] as const;

const familySchema = z
  .object({
    answers: z.boolean(),
    rttMs: z.number().min(0).max(60_000).nullable().openapi({
      description: "The shortest round trip, in ms.",
      example: 0.8,
    }),
    loss: z.number().int().min(0).max(100).openapi({ description: "Packets of a hundred that were lost." }),
    mtu: z.number().int().min(0).max(65_535).nullable().openapi({
      description:
        "The largest packet that arrives whole, as far as the servers send any; null: those of full size are lost.",
      example: 1500,
    }),
  })
  .nullable()
  .openapi({ description: "null: not probed, as the server that asks has no such addresses." });

const carried = z
  .enum(ROUTES)
  .nullable()
  .openapi({ description: "As zerotier-one there says; null: it does not say." });

const foundSchema = z.object({ to: nodeId, ipv4: familySchema, ipv6: familySchema, path: carried });

/** What one server found of another one. */
export type Found = z.output<typeof foundSchema>;

/** What a server tells of its probes, with its heartbeat. Left out, it does not probe. */
export const probesSchema = z
  .object({
    secondsAgo: z.number().int().min(0).max(LIMITS.probesSeconds).optional().openapi({
      description: "How long ago it probed; left out: not since it started.",
    }),
    fault: z.enum(PROBE_FAULTS).nullable().default(null).openapi({
      description:
        "no-ping: there is no ping of iputils; no-gateway: the server has no address of its containers' networks.",
    }),
    pairs: z.array(foundSchema).max(LIMITS.probesMost),
  })
  .openapi("Probes");

export type Probes = z.output<typeof probesSchema>;

/** Whom the agent is to probe next. */
export const probeTargets = z
  .array(z.object({ slot: z.number().int(), node: z.string() }))
  .optional()
  .openapi({
    description:
      "Whom the agent is to probe before its next report, if it said that it does. In plain text `slot:node`, joined by spaces.",
  });

export type ProbeTarget = NonNullable<z.output<typeof probeTargets>>[number];

const pairSchema = foundSchema.omit({ to: true }).extend({
  node: z.string().openapi({ example: "a3b033f4db" }),
  name: z.string().openapi({ example: "db1" }),
});

export type ReachPair = z.output<typeof pairSchema>;

const reachOfServer = z
  .object({
    node: z.string().openapi({ example: "4e8d87c868" }),
    name: z.string().openapi({ example: "web1" }),
    at: z.iso.datetime().nullable().openapi({ description: "When it probed; null: not within a day." }),
    fault: z.enum(PROBE_FAULTS).nullable().openapi({ description: "Why it does not, though it would." }),
    probed: z.number().int().openapi({
      description: "How many it probed, those too that `silent` leaves out.",
      example: 4,
    }),
    pairs: z.array(pairSchema).openapi({ description: "Whom it probed, by name, and what it found." }),
  })
  .openapi("ReachOfServer");

export type ReachOfServer = z.output<typeof reachOfServer>;

export const reachSchema = z
  .object({ items: z.array(reachOfServer), next: z.string().nullable() })
  .openapi("Reach");

/** Of which servers it is asked, by name. */
export const reachQuery = pageQuery.extend({
  node: nodeId.optional().openapi({ description: "What that server found alone." }),
  silent: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .openapi({ description: "true: those alone who get no answer from somebody, and these pairs alone." }),
});
