import { spawn } from "node:child_process";
import { openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./command.ts";
import type { Lab } from "./lab.ts";
import { inside } from "./network.ts";
import { ServerProcess } from "./server-process.ts";
import { INTERNET_IPV6 } from "./topology.ts";

/** How long a server may go on using the router after an advertisement, in seconds: a deaf one is offline after it. */
export const ROUTER_LIFETIME = 20;

/** The shortest intervals that radvd takes, or those of a provider's router: with DHCPv6 beside it, and half an hour to go by. */
const configuration = (isTaciturn: boolean) => {
  const lifetime = isTaciturn ? 1800 : ROUTER_LIFETIME;
  return `interface wan0 {
  AdvSendAdvert on;
  AdvManagedFlag ${isTaciturn ? "on" : "off"};
  MinRtrAdvInterval ${isTaciturn ? 112 : 3};
  MaxRtrAdvInterval ${isTaciturn ? 150 : 4};
  AdvDefaultLifetime ${lifetime};
  prefix ${INTERNET_IPV6} {
    AdvValidLifetime ${2 * lifetime};
    AdvPreferredLifetime ${lifetime};
  };
};
`;
};

/**
 * The internet's gateway advertises itself as IPv6 router, as most providers' do, by radvd, until the lab ends. It
 * forwards, as a host drops a router that answers as a mere host (RFC 4861, 7.2.5) until the next advertisement.
 */
export function advertiseRouter(lab: Lab): void {
  startRadvd(lab, false);
}

/**
 * As advertiseRouter, but the router's word every 150 s is lost each time: a host hears it only when it asks. And addresses are
 * leased by DHCPv6.
 */
export async function advertiseTaciturnRouter(lab: Lab): Promise<void> {
  await run(
    ...inside(lab.network.internet, "nft", [
      "add table ip6 taciturn; add chain ip6 taciturn out { type filter hook output priority 0; }; add rule ip6 taciturn out ip6 daddr ff02::1 icmpv6 type nd-router-advert drop",
    ]),
  );
  startRadvd(lab, true);
  await new ServerProcess({
    name: "dhcp6",
    args: [join(import.meta.dirname, "dhcp6.ts"), "wan0", INTERNET_IPV6.replace(/\/.*/, "")],
    answers: async (written) => written.includes("ready"),
    namespace: lab.network.internet,
    directory: lab.directory,
    journal: lab.journal,
  }).start();
}

function startRadvd(lab: Lab, isTaciturn: boolean): void {
  const file = `${lab.directory}/radvd.conf`;
  writeFileSync(file, configuration(isTaciturn), { mode: 0o644 });
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
