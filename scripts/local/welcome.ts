import type { DevState } from "./dev-state.ts";

/** What `npm start` has to tell beside its state. */
export interface Setting {
  readonly directory: string;
  /** Whether Central is a simulated one, which no server but an invented one can join. */
  readonly isSimulated: boolean;
  /** The Worker as other machines call it; undefined when none can. */
  readonly elsewhere: string | undefined;
}

/** What `npm start` prints when it is up: what to open, what to try, and what to paste if a server could use it. */
export function welcome(state: DevState, setting: Setting): string {
  const { url, adminToken, network, centralUrl } = state;
  const central = setting.isSimulated ? "simulated Central" : "Central          ";
  return `
Meshboot runs.

  Worker             ${url}/
                     in a browser its dashboard: sign in with the adminToken of ${setting.directory}/dev.json
  API description    ${url}/openapi.json
  ${central}  ${centralUrl.replace(/\/api\/v1$/, "/")}  (network ${network})
  tokens             ${setting.directory}/dev.json

${userData(state, setting)}
To try, sign in with the command line, and list the servers; or do so by the API:

  MESHBOOT_TOKEN=${adminToken} npx meshboot login ${url} --name local
  npx meshboot servers
  curl -s -H 'Authorization: Bearer ${adminToken}' ${url}/v1/nodes

Stop with Ctrl-C; the leases stay in ${setting.directory}.
`;
}

function userData({ url, enrolmentKey }: DevState, { isSimulated, elsewhere }: Setting): string {
  const missing = [
    ...(elsewhere === undefined ? ["an address of this machine that servers reach: --host"] : []),
    ...(isSimulated ? ["a Central that servers can join: --central, --central-token, --network"] : []),
  ];
  if (missing.length === 0)
    return `User-data for servers that reach this machine, to paste when ordering one:

#include-once
${elsewhere}/boot/${enrolmentKey}
`;
  return `User-data, only to look at. To get some that a server can use, give
${missing.map((what) => `  ${what}`).join("\n")}

  curl -s ${url}/boot/${enrolmentKey}
`;
}
