import { SHOWN_STATES } from "../lease/lease-times.ts";
import { keyId, namePattern, tag } from "./names.ts";
import { z } from "./openapi.ts";
import { pageQuery } from "./page.ts";

/** In which order nodes are listed; `-` in front turns it round. */
export const NODE_SORTS = ["name", "-name", "slot", "-slot", "lastSeen", "-lastSeen"] as const;

export type NodeSort = (typeof NODE_SORTS)[number];

/** Which nodes are listed, and in which order. */
export const nodeQuery = pageQuery.extend({
  state: z.enum(SHOWN_STATES).optional().openapi({
    description:
      "Those in that state; failed: those whose last report is of a failure, whatever their state.",
  }),
  name: namePattern
    .optional()
    .openapi({ description: "Those with that name; one `*` stands for any characters." }),
  tag: tag.optional().openapi({ description: "Those with that tag." }),
  behind: z
    .literal("true")
    .optional()
    .openapi({ description: "Those that run another agent than this Worker gives out." }),
  key: keyId.optional().openapi({ description: "Those that the enrolment key with this id let in last." }),
  sort: z.enum(NODE_SORTS).default("name").openapi({ description: "`-` in front turns the order round." }),
});
