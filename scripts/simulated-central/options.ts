import { isNetworkId } from "../../worker/lease/ids.ts";
import { BadOption, readCommandLine, wholeNumber } from "../command-line.ts";

/** What `--help` prints. */
export const HELP = `Simulated ZeroTier Central: its API v1 in memory, for trying and testing without an account.

Usage: node scripts/simulated-central/serve.ts [options]

  --host ADDRESS      listen on this address (127.0.0.1)
  --port PORT         listen on this port, 0 for any (9080)
  --network ID        make this network, 16 hex digits; may be given again (8056c2e21c000001)
  --token TOKEN       the API token that is accepted (simulated-central-token)
  --limit CALLS       calls a second that a token may make (20)
  --latency-ms MS     how long each call takes (0)
  --state-file FILE   keep networks and members in this file
  --help              show this

When it listens it prints one line of JSON: {"url":...,"network":...,"token":...}.
SIGTERM and SIGINT stop it. Exit codes: 0 stopped, 1 it could not start, 2 bad options.
The state: GET /sim/state, or / in a browser. Faults to order: POST /sim/faults.
`;

/** Reads the command line. Throws a BadOption. */
export function readOptions(args: string[]) {
  const values = parse(args);
  const networks = values.network ?? ["8056c2e21c000001"];
  const wrong = networks.find((id) => !isNetworkId(id));
  if (wrong !== undefined) throw new BadOption(`--network ${wrong}: give 16 lower-case hex digits`);
  const token = values.token ?? "simulated-central-token";
  if (!/^[\x21-\x7e]+$/.test(token)) throw new BadOption("--token: give it without spaces");
  return {
    help: values.help === true,
    host: values.host ?? "127.0.0.1",
    port: wholeNumber("--port", values.port ?? "9080", 0, 65_535),
    networks,
    token,
    limit: wholeNumber("--limit", values.limit ?? "20", 1, 1_000_000),
    latencyMs: wholeNumber("--latency-ms", values["latency-ms"] ?? "0", 0, 600_000),
    ...(values["state-file"] !== undefined && { stateFile: values["state-file"] }),
  };
}

function parse(args: string[]) {
  return readCommandLine({
    args,
    options: {
      host: { type: "string" },
      port: { type: "string" },
      network: { type: "string", multiple: true },
      token: { type: "string" },
      limit: { type: "string" },
      "latency-ms": { type: "string" },
      "state-file": { type: "string" },
      help: { type: "boolean" },
    },
  });
}
