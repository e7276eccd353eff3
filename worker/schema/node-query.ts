import { SHOWN_STATES } from "../lease/lease-times.ts";
import { tag } from "./names.ts";
import { z } from "./openapi.ts";
import { pageQuery } from "./page.ts";

/** In which order nodes are listed; `-` in front turns it round. */
const NODE_SORTS = ["name", "-name", "slot", "-slot", "lastSeen", "-lastSeen"] as const;

export type NodeSort = (typeof NODE_SORTS)[number];

/** Which nodes are listed, and in which order. */
export const nodeQuery = pageQuery.extend({
  state: z.enum(SHOWN_STATES).optional().openapi({
    description:
      "Those in that state; failed: those whose last report is of a failure, whatever their state.",
  }),
  name: z
    .string()
    .regex(/^[a-z0-9-]{0,63}\*?[a-z0-9-]{0,63}$/, "give a name, in which one * may stand for any characters")
    .optional()
    .openapi({ description: "Those with that name; one `*` stands for any characters.", example: "web-*" }),
  tag: tag.optional().openapi({ description: "Those with that tag." }),
  sort: z.enum(NODE_SORTS).default("name").openapi({ description: "`-` in front turns the order round." }),
});
