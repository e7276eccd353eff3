import type { ProblemName } from "../base/refusal.ts";
import { z } from "./openapi.ts";
import { PROBLEMS } from "./problem-kinds.ts";

/** RFC 9457. */
export const problemSchema = z
  .object({
    type: z.string().openapi({ description: "Stable; branch on it.", example: "/problems/unknown-key" }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: "This occurrence: what was seen, what to do." }),
    instance: z.string().openapi({ description: "The request id, as in the log." }),
    errors: z
      .array(z.string())
      .optional()
      .openapi({ description: "Each single fault, when there are several." }),
    prefix: z.string().optional().openapi({ description: "The prefix in the way (overlap)." }),
  })
  .openapi("Problem");

interface ProblemResponse {
  description: string;
  content: {
    "application/problem+json": { schema: typeof problemSchema };
    "text/plain": { schema: typeof problemLines };
  };
}

const LINES = "`KEY=value` lines, for `Accept: text/plain`.";

/** The second form of every answer to an agent. */
export const plainLines = z.string().openapi({ description: LINES, example: "SLOT=233\nSTATE=active\n" });

/** The same of a refusal. */
const problemLines = z.string().openapi({
  description: LINES,
  example: "TYPE=/problems/unknown-key\nTITLE=Unknown enrolment key\nSTATUS=401\n",
});

/** The OpenAPI responses for the refusals that a call can give; those of one status share an entry. */
export function problemResponses(...names: ProblemName[]): Record<string, ProblemResponse> {
  const byStatus = Map.groupBy(new Set(names), (name) => String(PROBLEMS[name].status));
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((name) => `\`/problems/${name}\`: ${PROBLEMS[name].title}.`).join("\n\n"),
        content: {
          "application/problem+json": { schema: problemSchema },
          "text/plain": { schema: problemLines },
        },
      },
    ]),
  );
}

/** What every call with a body can be refused with for it. */
export const BODY_PROBLEMS = ["bad-request", "body-too-large", "unsupported-media-type"] as const;

/** What every call of the operator can be refused with. */
export const ADMIN_PROBLEMS = [
  "bad-request",
  "unauthorized",
  "forbidden",
  "too-many-requests",
  "internal",
  "misconfigured",
  "object-unreachable",
] as const satisfies readonly ProblemName[];

/** What a call of the operator's or a node's own on that node can be refused with. */
export const NODE_PROBLEMS = [
  "bad-request",
  "unauthorized",
  "not-found",
  "too-many-requests",
  "internal",
  "misconfigured",
  "object-unreachable",
] as const satisfies readonly ProblemName[];

/** What a call that has to tell the controller can be refused with besides. */
export const CONTROLLER_PROBLEMS = [
  "controller-unreachable",
  "controller-unauthorized",
  "controller-rate-limited",
  "network-unfit",
] as const satisfies readonly ProblemName[];
