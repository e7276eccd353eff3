import { z } from "zod";
import { isNetworkId } from "../../worker/lease/ids.ts";
import {
  BadOption,
  helpOf,
  listening,
  optionName,
  readCommandLine,
  told,
  wholeNumber,
} from "../command-line.ts";

const options = z.object({
  ...listening(8787),
  directory: z
    .string()
    .min(1, { error: "give a folder" })
    .default(".meshboot")
    .register(told, { value: "DIR", help: "keep leases, tokens and dev.json here" }),
  demo: wholeNumber(0, 200)
    .default(0)
    .register(told, { value: "N", help: "enrol N invented servers with genuine identities" }),
  central: z
    .string()
    .refine((text) => URL.canParse(text), { error: "give the API's address, http://…/api/v1" })
    .optional()
    .register(told, {
      value: "URL",
      help: "use this ZeroTier Central (its API, such as http://127.0.0.1:9080/api/v1) instead of a simulated one; together with",
    }),
  centralToken: z
    .string()
    .optional()
    .register(told, { value: "TOKEN", help: "its API token, and", isSecret: true }),
  network: z
    .string()
    .refine(isNetworkId, { error: "give 16 lower-case hex digits" })
    .optional()
    .register(told, { value: "ID", help: "the network, 16 hex digits" }),
});

/** What `npm start -- --help` prints. */
export const HELP = `Meshboot on this machine: the Worker in workerd, with a simulated ZeroTier Central. No account is needed.

Usage: npm start -- [options]

${helpOf(options)}

DIR/dev.json has url, adminToken, enrolmentKey, network and centralUrl. A restart keeps them, and every lease.
SIGINT and SIGTERM stop it. Exit codes: 0 stopped, 1 it could not start, 2 bad options.

Examples:
  npm start
  npm start -- --demo 3
  npm start -- --port 0 --directory "$(mktemp -d)"
`;

/** A controller that runs already. */
export interface GivenCentral {
  readonly url: string;
  readonly token: string;
  readonly network: string;
}

/** What was asked for. */
export interface StartOptions {
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly demo: number;
  readonly central: GivenCentral | undefined;
}

/** Reads the command line; "help" when that was asked for. `env`: what npm has set. Throws a BadOption. */
export function readStartOptions(args: string[], env: NodeJS.ProcessEnv = {}): StartOptions | "help" {
  const [taken] = Object.keys(options.shape)
    .map((key) => optionName(options, key))
    .filter((name) => env[`npm_config_${name.slice(2).replaceAll("-", "_")}`] !== undefined);
  if (taken !== undefined)
    throw new BadOption(`${taken}: npm took it for its own; put -- before it: npm start -- ${taken}`);
  const read = readCommandLine(options, args);
  if (read === "help") return "help";
  const { central: url, centralToken: token, network, ...rest } = read.values;
  if (url === undefined && token === undefined && network === undefined)
    return { ...rest, central: undefined };
  if (url === undefined || token === undefined || network === undefined)
    throw new BadOption("--central, --central-token and --network belong together: give all three or none");
  return { ...rest, central: { url, token, network } };
}
