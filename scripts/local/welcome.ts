import type { DevState } from "./dev-state.ts";

/** What `npm start` prints when it is up: what to open, what to paste, what to try. */
export function welcome(state: DevState, directory: string): string {
  const { url, enrolmentKey, adminToken, network, centralUrl } = state;
  return `
Meshboot runs.

  Worker             ${url}/
  API description    ${url}/openapi.json
  simulated Central  ${centralUrl.replace(/\/api\/v1$/, "/")}  (network ${network})
  tokens             ${directory}/dev.json

User-data for a server that can reach this machine, to paste when ordering it:

#include-once
${url}/boot/${enrolmentKey}

To try, list the nodes:

  curl -s -H 'Authorization: Bearer ${adminToken}' ${url}/v1/nodes

Stop with Ctrl-C; the leases stay in ${directory}.
`;
}
