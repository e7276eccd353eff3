import { LEASE_STATES } from "../lease/lease-times.ts";
import { findingsSchema, worstFindingSchema } from "./finding.ts";
import { hostsVersion } from "./hosts.ts";
import { z } from "./openapi.ts";
import { poolSettingsSchema } from "./pool.ts";
import { probeTargets } from "./reach.ts";

const time = z.iso.datetime().openapi({ example: "2026-08-01T12:00:00.000Z" });
const state = z.enum(LEASE_STATES).openapi({
  description:
    "pending: waits for approval; offline: three heartbeats missed; stale: not seen for a week; revoked: taken out by the operator.",
});

/** A lease: what a node is told to apply. */
export const leaseSchema = z
  .object({
    network: z.string().openapi({ example: "8056c2e21c000001" }),
    node: z.string().openapi({ example: "4e8d87c868" }),
    name: z.string().openapi({ example: "web1" }),
    slot: z.number().int().openapi({ example: 233 }),
    state,
    zerotier: z.object({
      ipv4: z.string().openapi({ example: "10.147.17.233/24" }),
      ipv6: z.string().openapi({ example: "fc1d:27ce:ec4e:8d87:c868::1/40" }),
    }),
    docker: z.object({
      ipv4: z.object({
        subnet: z.string().openapi({ example: "172.28.233.0/24" }),
        gateway: z.string().openapi({ example: "172.28.233.1" }),
      }),
      ipv6: z.object({
        subnet: z.string().openapi({ example: "fc1d:27ce:ec4e:8d87:c868::/80" }),
        gateway: z.string().openapi({ example: "fc1d:27ce:ec4e:8d87:c868::1" }),
      }),
    }),
    pool: poolSettingsSchema,
    leasedAt: time,
    renewBefore: time,
  })
  .openapi("Lease");

/** A lease as answers show it, without the token. */
export type LeaseView = z.output<typeof leaseSchema>;

const peerSchema = z.object({ slot: z.number().int(), node: z.string(), name: z.string() });

/** Another node of the mesh, by which a node can tell whether the mesh carries. */
export type Peer = z.output<typeof peerSchema>;

const peers = z.array(peerSchema).openapi({
  description:
    "Other active nodes, those seen last, by slot: whom the agent asks whether the mesh carries. In plain text `slot:node:name`, joined by spaces.",
});

const controllerRole = z.enum(["yours", "candidate"]).optional().openapi({
  description:
    "Whether the node hosts the controller of the mesh, or may come to: then it asks at /v1/controller/work.",
});

export const renewedSchema = leaseSchema
  .extend({
    controller: controllerRole,
    peers,
    probe: probeTargets,
    hosts: hostsVersion.optional().openapi({
      description: "The version of the list of servers, for who has said which one it has.",
    }),
  })
  .openapi("RenewedLease");

/** A lease, and whom the node may ask whether the mesh carries. */
export type Renewed = z.output<typeof renewedSchema>;

/** What an enrolment is answered with: the lease and the node's token. */
export const enrolledSchema = leaseSchema
  .extend({
    controller: controllerRole,
    peers,
    token: z.string().openapi({ example: "mbn_q3l2sVdZ0nQmFh4m1yXv7A" }),
  })
  .openapi("EnrolledLease");

/** A lease that waits for approval, or for the controller that its node is to host itself: the node gets its token once, and it must not change with each time it asks. */
export const pendingSchema = leaseSchema
  .extend({
    controller: controllerRole,
    token: z
      .string()
      .optional()
      .openapi({ description: "With the first such answer only; the approved lease comes with a new one." }),
  })
  .openapi("PendingLease");

/** A node as the operator, or the node itself, sees it. */
export const nodeSchema = leaseSchema
  .extend({
    lastSeen: time,
    key: z.string().nullable().openapi({ description: "The id of the enrolment key that let it in." }),
    delivered: z.boolean().openapi({ description: "Whether the controller has the lease as it should." }),
    failed: z
      .object({ step: z.string().nullable(), at: time })
      .nullable()
      .openapi({ description: "Where the agent stopped, when its last report is of a failure." }),
    address: z.string().nullable().openapi({
      description: "Where its last call came from, as this Worker saw it.",
      example: "192.0.2.7",
    }),
    tags: z
      .array(z.string())
      .openapi({ description: "Of the key that it first came in with, until the operator changes them." }),
    ephemeralMinutes: z.number().int().nullable().openapi({
      description: "Minutes unseen after which its lease ends; null: thirty days, as for most.",
    }),
    behind: z.boolean().nullable().openapi({
      description:
        "Whether the node says that it runs another agent than this Worker gives out (`GET /agent`): `meshboot upgrade` there takes it. null: it does not say.",
    }),
    facts: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: "What the host says of itself: not to be trusted." }),
    report: z.record(z.string(), z.unknown()).nullable().openapi({ description: "The agent's last report." }),
    reportedAt: time.nullable(),
    lastRepair: z
      .object({ at: time, steps: z.array(z.string()) })
      .nullable()
      .openapi({
        description: "When the agent last reported that it had put something right, and in which steps.",
      }),
    worstFinding: worstFindingSchema.nullable().openapi({
      description: "The worst that its doctor found when it was last asked; null: nothing, or never asked.",
    }),
  })
  .openapi("Node");

/** A node, and all that its doctor found. */
export const nodeDetailSchema = nodeSchema
  .extend({
    findings: findingsSchema.nullable().openapi({
      description:
        "What `meshboot doctor` found there when it last reported, see docs/doctor.md: not to be trusted. No items: it is healthy. null: it never reported.",
    }),
  })
  .openapi("NodeDetail");

type Stored = "facts" | "report" | "lastRepair";

/** A node as it leaves the object: what it said of itself is still JSON, as it is stored, and not compared with the Worker's. */
export type NodeView = Omit<z.output<typeof nodeSchema>, Stored | "behind" | "failed"> &
  Readonly<Record<Stored, string | null>>;

/** The same with its doctor's findings, as JSON. */
export type NodeDetail = NodeView & { readonly findings: string | null };

export const nodesSchema = z
  .object({ items: z.array(nodeSchema), next: z.string().nullable() })
  .openapi("Nodes");
