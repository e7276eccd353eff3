import { NAME_PATTERN } from "../../cloud-init/name-pattern.ts";
import { LIMITS } from "../config/limits.ts";
import { FORMER } from "../lease/deed.ts";
import { isNodeId } from "../lease/ids.ts";
import { z } from "./openapi.ts";

/** The id of a node; `list`: where ids are found. */
export function nodeIdIn(list: string) {
  return z
    .string()
    .regex(/^[0-9a-f]{10}$/, { error: `a node id has 10 lower-case hex digits; ${list}`, abort: true })
    .refine(isNodeId, "ZeroTier reserves this node id")
    .openapi({ description: "The node's ZeroTier address.", example: "4e8d87c868" });
}

export const nodeId = nodeIdIn("GET /v1/nodes lists them with their names");

export const nodeName = z
  .string()
  .regex(NAME_PATTERN, "a name is one DNS label: lower-case letters, digits and hyphens, at most 63")
  .openapi({ description: "One DNS label.", example: "web1" });

/** Names, by a pattern: see `matchesName`. */
export const namePattern = z
  .string()
  .regex(/^[a-z0-9-]{0,63}\*?[a-z0-9-]{0,63}$/, "give a name, in which one * may stand for any characters")
  .openapi({ example: "web-*" });

/** The id of what the operator makes, as `makeId` gives it. `kind`: what it is, with its article; `list`: where ids are found. */
function madeId(kind: string, list: string) {
  return z.string().regex(/^[0-9a-f]{16}$/, `${kind}'s id has 16 hex digits; ${list}`);
}

/** The id of an enrolment key. */
export const keyId = madeId("a key", "GET /v1/keys lists them with their notes");

/** The id of an admin token. */
export const adminTokenId = z
  .string()
  .regex(
    new RegExp(`^([0-9a-f]{16}|${FORMER})$`),
    `an admin token's id has 16 hex digits, or is \`${FORMER}\`; GET /v1/tokens lists them with their notes`,
  );

/** The id of a session. */
export const sessionId = madeId("a session", "GET /v1/sessions lists them with where they were begun");

/** The id of a webhook. */
export const webhookId = madeId("a webhook", "GET /v1/webhooks lists them with their addresses");

export const tag = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,31}$/,
    "a tag has at most 32 lower-case letters, digits, dots, hyphens and underscores",
  )
  .openapi({ example: "web" });

/** The tags of a server: each once, in order. */
export const tags = z
  .array(tag)
  .max(LIMITS.tags, `at most ${LIMITS.tags} tags`)
  .transform((all) => [...new Set(all)].sort());

export const machineId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "the machine id is sent as SHA-256: 64 lower-case hex digits")
  .openapi({ description: "SHA-256 of /etc/machine-id: tells two clones apart without giving the id away." });
