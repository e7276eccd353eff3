import { z } from "zod";
import { isNetworkId } from "../../worker/lease/ids.ts";
import { helpOf, listening, readCommandLine, told, wholeNumber } from "../command-line.ts";
import { SIMULATED_KINDS } from "./face.ts";

const options = z.object({
  ...listening(9080),
  network: z
    .array(
      z.string().refine((text): boolean => isNetworkId(text), { error: "give 16 lower-case hex digits" }),
    )
    .default(["8056c2e21c000001"])
    .register(told, { value: "ID", help: "make this network, 16 hex digits; may be given again" }),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: "give it without spaces" })
    .default("simulated-central-token")
    .register(told, { value: "TOKEN", help: "the API token that is accepted", isSecret: true }),
  kind: z
    .enum(SIMULATED_KINDS, { error: `give one of ${SIMULATED_KINDS.join(", ")}` })
    .default("central-v1")
    .register(told, { value: "KIND", help: `in which API it speaks: ${SIMULATED_KINDS.join(" or ")}` }),
  limit: wholeNumber(1, 1_000_000)
    .default(20)
    .register(told, { value: "CALLS", help: "calls a second that a token may make" }),
  latencyMs: wholeNumber(0, 600_000)
    .default(0)
    .register(told, { value: "MS", help: "how long each call takes" }),
  stateFile: z
    .string()
    .min(1, { error: "give a file" })
    .optional()
    .register(told, { value: "FILE", help: "keep networks and members in this file" }),
});

/** What `--help` prints. */
export const HELP = `Simulated ZeroTier controller in memory: Central's API v1, or another kind's, for trying and testing without an account.

Usage: node_modules/.bin/node scripts/simulated-central/serve.ts [options]

${helpOf(options)}

When it listens it prints one line of JSON: {"url":...,"network":...,"token":...}.
SIGTERM and SIGINT stop it. Exit codes: 0 stopped, 1 it could not start, 2 bad options.
The state: GET /sim/state, or / in a browser. Faults to order: POST /sim/faults.

Examples:
  node_modules/.bin/node scripts/simulated-central/serve.ts --port 9080 --state-file central.json
  npm start -- --central http://127.0.0.1:9080/api/v1 --central-token simulated-central-token --network 8056c2e21c000001
`;

/** Reads the command line; "help" when that was asked for. Throws a BadOption. */
export function readOptions(args: string[]) {
  const read = readCommandLine(options, args);
  if (read === "help") return "help";
  const { network: networks, stateFile, ...rest } = read.values;
  return { ...rest, networks, ...(stateFile !== undefined && { stateFile }) };
}
