import { nodeId } from "./names.ts";
import { z } from "./openapi.ts";

const turn = z.number().int().min(0).max(1e9);

const asking = {
  node: nodeId,
  has: turn.openapi({ description: "The number of the turn whose controller it holds; 0: of none." }),
};

/** What a node says of itself when it asks, in the address. */
export const workQuery = z.object({
  ...asking,
  has: z.coerce.number().pipe(turn).openapi({ type: "integer", description: "As in the body of a POST." }),
  running: z.enum(["yes", "no"]).openapi({ description: "Whether the controller runs there." }),
  capable: z
    .enum(["yes", "no"])
    .openapi({ description: "Whether its zerotier-one has a controller inside." }),
});

/** The same, and what it has done. */
export const workDoneSchema = z
  .object({
    ...asking,
    running: z.boolean(),
    capable: z.boolean(),
    done: z
      .array(
        z.object({
          id: z.string().max(32),
          status: z.number().int().min(0).max(599).openapi({ description: "0: it could not be asked." }),
          body: z.base64().optional().openapi({ description: "What the controller answered, in base64." }),
        }),
      )
      .max(50),
  })
  .openapi("WorkDone");

/** What there is to do at a controller of the mesh's own. In plain text a call is a line `WORK=id method path body`. */
export const workSchema = z
  .object({
    turn: z.enum(["yours", "other", "none"]).openapi({
      description: "Whose turn it is: with `other` a controller that runs there is to be stopped.",
    }),
    number: turn.optional(),
    ask: z.number().int().openapi({ description: "Seconds until it should ask again." }),
    identity: z.string().optional().openapi({
      description: "The controller's secret identity, for whoever has its turn and not that yet.",
    }),
    work: z.array(
      z.object({
        id: z.string(),
        method: z.enum(["GET", "POST", "DELETE"]),
        path: z.string(),
        body: z.string().optional(),
      }),
    ),
  })
  .openapi("Work");

/** The same as `KEY=value` lines. */
export const workLines = z.string().openapi({
  description: "`KEY=value` lines; a line `WORK=id method path body` for each call.",
  example: "TURN=yours\nNUMBER=1\nASK=0\nWORK=w1 GET /controller/network/8056c2e21c000001\n",
});

/** The node that is to host the controller. */
export const moveSchema = z.strictObject({ node: nodeId }).openapi("ControllerMove");

/** The nodes that may come to host it. */
export const candidatesSchema = z
  .strictObject({ nodes: z.array(nodeId).max(16) })
  .openapi("ControllerCandidates");
