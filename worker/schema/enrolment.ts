import { parsePrefix } from "../address/prefix.ts";
import { LIMITS } from "../config/limits.ts";
import { IDENTITY_PATTERN } from "../identity/identity.ts";
import { SIGNATURE_PATTERN } from "../identity/proof.ts";
import { machineId, nodeName } from "./names.ts";
import { z } from "./openapi.ts";

/** What a host says of itself: shown to the operator, never trusted, so only its size is limited. */
export const factsSchema = z
  .record(
    z.string().max(64),
    z.union([z.string().max(LIMITS.factCharacters), z.number(), z.boolean(), z.null()]),
  )
  .refine((facts) => Object.keys(facts).length <= LIMITS.facts, `at most ${LIMITS.facts} facts`)
  .openapi({
    description: "Versions and the like; shown, never trusted.",
    example: { agent: "0.1.0", os: "debian 12" },
  });

/** The body of an enrolment. Unknown fields are passed over: an agent may be newer than this Worker, and must get in. */
export const enrolmentSchema = z
  .object({
    identity: z
      .string()
      .regex(IDENTITY_PATTERN, "send the content of identity.public: <node id>:0:<128 hex digits>")
      .openapi({ description: "The node's public ZeroTier identity." }),
    name: nodeName,
    machineId,
    timestamp: z
      .number()
      .int()
      .min(0)
      .max(1e11)
      .openapi({ description: "Unix seconds.", example: 1785585600 }),
    signature: z
      .string()
      .regex(SIGNATURE_PATTERN, "send what `zerotier-idtool sign` prints: 192 hex digits")
      .openapi({
        description:
          "`zerotier-idtool sign` over six lines, each ended by one LF: meshboot-enroll-v1, the Host header, node id, name, machineId, timestamp.",
      }),
    localPrefixes: z
      .array(
        z
          .string()
          .max(64)
          .refine(
            (text) => parsePrefix(text) !== undefined,
            "give a prefix whose host bits are 0, such as 192.0.2.0/24; an address of the host's as 192.0.2.7/32",
          ),
      )
      .max(LIMITS.localPrefixes)
      .optional()
      .openapi({
        description:
          "Networks that the host is attached to, and its own addresses, gateways and resolvers as /32: a network that is wider than the mesh's ranges is no overlap, an address in them is.",
        example: ["192.0.2.0/24", "192.0.2.1/32"],
      }),
    facts: factsSchema.optional(),
  })
  .openapi("Enrolment");
