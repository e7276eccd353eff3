import { ENDINGS } from "../lease/ending.ts";
import { differenceSchema } from "./difference.ts";
import { z } from "./openapi.ts";

const FOUND = ["absent", "deauthorized", "let-in", "drifted", "moved", "slot-held", "untold"] as const;

/**
 * How a node was found at the controller, where that is otherwise than in the backup:
 * - `absent`, `deauthorized`: its member is not there, or not let in: it is revoked now
 * - `let-in`: the backup has it pending or revoked, and it is in with its address: it is active now
 * - `drifted`: it is in, without its address: the hourly run gives it that
 * - `moved`: it is in with the address of another slot: left out
 * - `slot-held`: another member has its slot's address: left out
 * - `untold`: its lease was not told to the controller yet: left out, and its server asks again
 */
export type FoundOtherwise = (typeof FOUND)[number];

/** What was restored, or would be. */
export const restoredSchema = z
  .object({
    dryRun: z.boolean().openapi({ description: "Whether nothing was done." }),
    inTheWay: z
      .object({
        leases: z.number().int(),
        keys: z.number().int(),
        reservations: z.number().int(),
        waiting: z
          .number()
          .int()
          .openapi({ description: "Changes that the controller is still to be told." }),
      })
      .nullable()
      .openapi({
        description:
          "What is here, so that nothing is restored; null where nothing is. Only a dry run has any.",
      }),
    madeAt: z.iso
      .datetime()
      .nullable()
      .openapi({ description: "When the backup was made; null: there was none." }),
    restored: z.object({
      nodes: z.number().int(),
      keys: z.number().int(),
      reservations: z.number().int(),
      quarantined: z.number().int().openapi({
        description: "Slots that no other server gets within seven days from now.",
      }),
    }),
    differences: z
      .array(
        z.object({
          node: z.string(),
          name: z.string(),
          slot: z.number().int(),
          found: z.enum(FOUND),
          state: z
            .enum(["active", "revoked"])
            .nullable()
            .openapi({ description: "What it is from now on; null: it has no lease." }),
          member: z.string().nullable().openapi({ description: "Who has its slot's address (slot-held)." }),
        }),
      )
      .openapi({
        description:
          "Where the controller says otherwise, which counts. absent, deauthorized: not let in there; let-in: in there, with its address; drifted: in without its address, which it gets within the hour; moved: in with the address of another slot; slot-held: another member has its slot's address; untold: the controller was not told of it yet.",
      }),
    strangers: z
      .array(
        z.object({
          member: z.string(),
          name: z.string(),
          slot: z.number().int(),
          address: z.string(),
          reservation: z.string().nullable(),
          ending: z.enum(ENDINGS).nullable(),
        }),
      )
      .openapi({
        description:
          "Members that are in with a slot's address, and have no lease: servers that came after the backup was made, laptops. Nobody else gets these slots, and a server gets its own when it enrols again: where the slot is reserved for a name (`reservation`), with a key for that. `ending`: by the backup the operator had ended its lease, and Central had not taken it out yet, or it came back since: delete the member there if it is not to be in.",
      }),
    faults: differenceSchema.shape.faults,
  })
  .openapi("Restored");

export type RestoredView = z.output<typeof restoredSchema>;

/** What the copies of the leases gave. */
export const rebuiltSchema = restoredSchema
  .extend({
    copies: z.number().int().openapi({ description: "Copies of leases that were found." }),
    unusable: z
      .array(z.object({ copy: z.string(), fault: z.string() }))
      .openapi({ description: "Copies that gave no lease, by their names in KV." }),
    renamed: z
      .array(z.object({ node: z.string(), name: z.string(), was: z.string() }))
      .openapi({ description: "Nodes whose name another one has as well, by its copy and the controller." }),
    lost: z.array(z.string()).openapi({ description: "What no copy holds." }),
  })
  .openapi("Rebuilt");

export type RebuiltView = z.output<typeof rebuiltSchema>;
