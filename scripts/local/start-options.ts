import { isNetworkId } from "../../worker/lease/ids.ts";
import { BadOption, readCommandLine, wholeNumber } from "../command-line.ts";

/** What `npm start -- --help` prints. */
export const HELP = `Meshboot on this machine: the Worker in workerd, with a simulated ZeroTier Central. No account is needed.

Usage: npm start -- [options]

  --host ADDRESS         listen on this address (127.0.0.1)
  --port PORT            listen on this port, 0 for any (8787)
  --directory DIR        keep leases, tokens and dev.json here (.meshboot)
  --demo N               enrol N invented servers with genuine identities
  --central URL          use this ZeroTier Central (its API, such as http://127.0.0.1:9080/api/v1) instead of
                         a simulated one; together with
  --central-token TOKEN  its API token, and
  --network ID           the network, 16 hex digits
  --help                 show this

DIR/dev.json has url, adminToken, enrolmentKey, network and centralUrl. A restart keeps them, and every lease.
SIGINT and SIGTERM stop it. Exit codes: 0 stopped, 1 it could not start, 2 bad options.
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

/** Reads the command line; "help" when that was asked for. Throws a BadOption. */
export function readStartOptions(args: string[]): StartOptions | "help" {
  const values = parse(args);
  if (values.help === true) return "help";
  return {
    host: values.host ?? "127.0.0.1",
    port: wholeNumber("--port", values.port ?? "8787", 0, 65_535),
    directory: values.directory ?? ".meshboot",
    demo: wholeNumber("--demo", values.demo ?? "0", 0, 200),
    central: readCentral(values.central, values["central-token"], values.network),
  };
}

function parse(args: string[]) {
  return readCommandLine({
    args,
    options: {
      host: { type: "string" },
      port: { type: "string" },
      directory: { type: "string" },
      demo: { type: "string" },
      central: { type: "string" },
      "central-token": { type: "string" },
      network: { type: "string" },
      help: { type: "boolean" },
    },
  });
}

function readCentral(
  url: string | undefined,
  token: string | undefined,
  network: string | undefined,
): GivenCentral | undefined {
  if (url === undefined && token === undefined && network === undefined) return undefined;
  if (url === undefined || token === undefined || network === undefined)
    throw new BadOption("--central, --central-token and --network belong together: give all three or none");
  if (!URL.canParse(url)) throw new BadOption(`--central ${url}: give the API's address, http://…/api/v1`);
  if (!isNetworkId(network)) throw new BadOption(`--network ${network}: give 16 lower-case hex digits`);
  return { url, token, network };
}
