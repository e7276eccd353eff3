import { LIMITS } from "../config/limits.ts";
import { nodeId } from "./names.ts";
import { z } from "./openapi.ts";

const silenceSchema = z
  .object({
    node: z.string().openapi({ example: "a3b033f4db" }),
    name: z.string().openapi({ example: "db1" }),
    kind: z.enum(["cut-off", "missed"]).openapi({
      description: "cut-off: it gets no answer from anybody; missed: others get none from it.",
    }),
    family: z.enum(["ipv4", "ipv6"]).nullable().openapi({
      description: "By which alone; null: by all that were probed.",
    }),
    servers: z.number().int().openapi({
      description: "How many it probed (cut-off), or who miss it (missed).",
      example: 3,
    }),
    by: z
      .array(z.string())
      .max(LIMITS.silenceNames)
      .openapi({ description: "Some of those who miss it, by name.", example: ["app1", "web1"] }),
  })
  .openapi("Silence");

/** What probes say against a server that may call itself well. */
export type Silence = z.output<typeof silenceSchema>;

export const silencesSchema = z.object({ items: z.array(silenceSchema) }).openapi("Silences");

export const silencesQuery = z.object({
  node: nodeId.optional().openapi({ description: "What is said against that server alone." }),
});

const FAMILY_NAMES = { ipv4: "IPv4", ipv6: "IPv6" } as const;

/** That in a clause behind the server's name or state. */
export function silenceText({ kind, family, servers, by }: Silence): string {
  const over = family === null ? "" : ` over ${FAMILY_NAMES[family]}`;
  if (kind === "cut-off")
    return `gets no answer${over === "" ? " at all" : over} from any of the ${servers} that it probed`;
  return `does not answer ${listed(by, servers)}${over}`;
}

function listed(names: readonly string[], all: number): string {
  if (all <= names.length) return names.join(" and ");
  return `${names.join(", ")} and ${all - names.length} more`;
}
