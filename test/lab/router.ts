import { spawn } from "node:child_process";
import { openSync, writeFileSync } from "node:fs";
import type { Lab } from "./lab.ts";
import { inside } from "./network.ts";
import { INTERNET_IPV6 } from "./topology.ts";

/** How long a server may go on using the router after an advertisement, in seconds: a deaf one is offline after it. */
export const ROUTER_LIFETIME = 20;

/** The shortest intervals that radvd takes. */
const CONFIGURATION = `interface wan0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvDefaultLifetime ${ROUTER_LIFETIME};
  prefix ${INTERNET_IPV6} {
    AdvValidLifetime ${2 * ROUTER_LIFETIME};
    AdvPreferredLifetime ${ROUTER_LIFETIME};
  };
};
`;

/**
 * The internet's gateway advertises itself as IPv6 router, as most providers' do, by radvd, until the lab ends. It
 * forwards, as a host drops a router that answers as a mere host (RFC 4861, 7.2.5) until the next advertisement.
 */
export function advertiseRouter(lab: Lab): void {
  const file = `${lab.directory}/radvd.conf`;
  writeFileSync(file, CONFIGURATION, { mode: 0o644 });
  const log = openSync(`${lab.directory}/radvd.log`, "a");
  const options = [
    "--nodaemon",
    `--config=${file}`,
    `--pidfile=${lab.directory}/radvd.pid`,
    "--logmethod=stderr",
  ];
  const [command, args] = inside(lab.network.internet, "sh", [
    "-c",
    'echo 1 >/proc/sys/net/ipv6/conf/wan0/forwarding && exec radvd "$@"',
    "radvd",
    ...options,
  ]);
  const radvd = spawn(command, args, { detached: true, stdio: ["ignore", log, log] });
  if (radvd.pid !== undefined) lab.journal.process(radvd.pid);
}
