import { LIMITS } from "../config/limits.ts";
import { LEASE_STATES } from "../lease/lease-times.ts";
import { z } from "./openapi.ts";

/** What a slot can be. */
export const SLOT_STATES = ["free", "leased", "reserved", "quarantined", "excluded"] as const;

const slot = z.number().int();
const time = z.iso.datetime();

/** Slots, one behind the other, of which the same is to be said. */
export const slotRangeSchema = z
  .object({
    from: slot,
    to: slot,
    state: z.enum(SLOT_STATES).openapi({
      description:
        "quarantined: released, and not leased to another node before `until`; excluded: somebody else has a route or an address there.",
    }),
    node: z.string().nullable().openapi({ description: "The node that has it, or had it last." }),
    name: z
      .string()
      .nullable()
      .openapi({ description: "That node's name, or the one that the slot is reserved for." }),
    lease: z.enum(LEASE_STATES).nullable(),
    since: time.nullable(),
    until: time.nullable().openapi({
      description:
        "The end of its quarantine; null: that begins when the controller has taken that the node is out.",
    }),
    by: z
      .string()
      .nullable()
      .openapi({ description: "The foreign route, or the member whose address is in the way." }),
  })
  .openapi("SlotRange");

export type SlotRangeView = z.output<typeof slotRangeSchema>;

/** Which slots are asked for. */
export const slotQuery = z.strictObject({
  from: z.coerce.number().int().min(1).default(1).openapi({ description: "The first of them." }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(LIMITS.slotsLookedThrough)
    .default(LIMITS.slotsLookedThrough)
    .openapi({
      description: "How many slots the answer speaks of.",
    }),
});

export const slotsSchema = z
  .object({
    items: z.array(slotRangeSchema),
    next: slot.nullable().openapi({ description: "`from` of the next call; null at the end of the pool." }),
  })
  .openapi("Slots");
