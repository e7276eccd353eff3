import type { Refusal } from "../base/refusal.ts";
import { LIMITS } from "../config/limits.ts";
import { LEASE_STATES } from "../lease/lease-times.ts";
import { type EndingView, endingSchema } from "./ending.ts";
import { nodeId, tags } from "./names.ts";
import { z } from "./openapi.ts";
import { problemSchema } from "./problem.ts";

/** What can be done with many nodes at once. */
export const NODE_CHANGES = ["approve", "revoke", "retire", "delete", "tag"] as const;

/** One thing that is to be done with each of some nodes. */
export const wantedNodeChangesSchema = z
  .strictObject({
    change: z.enum(NODE_CHANGES),
    nodes: z
      .array(nodeId)
      .min(1, "name at least one")
      .max(LIMITS.nodesChanged, `at most ${LIMITS.nodesChanged} at a time`)
      .transform((nodes) => [...new Set(nodes)]),
    addTags: tags.default([]).openapi({ description: "With `tag`: those that each has from then on." }),
    removeTags: tags
      .default([])
      .openapi({ description: "With `tag`: those that none has any more. Others stay." }),
  })
  .refine(
    ({ change, addTags, removeTags }) => (change === "tag") === addTags.length + removeTags.length > 0,
    { path: ["change"], message: "`addTags` and `removeTags` go with `tag`, which needs one of them" },
  )
  .openapi("WantedNodeChanges");

export type WantedNodeChanges = z.output<typeof wantedNodeChangesSchema>;

const changedNodeSchema = z.object({
  node: z.string(),
  name: z.string().nullable().openapi({ description: "Null: there is no such node." }),
  state: z
    .enum(LEASE_STATES)
    .nullable()
    .openapi({ description: "From then on, with `dryRun` as it is now; null: it has no lease." }),
  delivered: z.boolean().openapi({
    description:
      "Whether the controller has taken all that it is to hear of it: while it has not, a node that was taken out is in the mesh still. The Worker tries again on its own.",
  }),
  tags: z.array(z.string()),
  ending: endingSchema.nullable().openapi({ description: "What the end of its lease breaks." }),
  problem: problemSchema
    .pick({ type: true, title: true, status: true, detail: true })
    .nullable()
    .openapi({ description: "Why nothing was done with this one." }),
});

export const nodeChangesSchema = z
  .object({
    dryRun: z.boolean().openapi({ description: "Whether nothing was done." }),
    change: z.enum(NODE_CHANGES),
    items: z.array(changedNodeSchema).openapi({ description: "In the order of the call." }),
  })
  .openapi("NodeChanges");

/** What came of one node, as it leaves the object. */
export interface ChangedNode extends Omit<z.output<typeof changedNodeSchema>, "ending" | "problem"> {
  readonly ending: EndingView | null;
  readonly refusal: Refusal | null;
}
