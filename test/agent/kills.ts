// The agent killed by -9 in the midst of its work, and what it leaves on a server.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";
import { AGENT, TODAY } from "./shells.ts";

/** Hundreds of runs of the agent. */
export const PATIENCE = { timeout: 1_800_000 };

/**
 * Whether a kill before that change, or at that place, is among today's: each nth of them is, another one each day. All of
 * them are with MESHBOOT_KILL_EVERY=1, which takes ten minutes or so a verb.
 */
export function isToday(change: number, every: number): boolean {
  return (change + TODAY) % Number(process.env["MESHBOOT_KILL_EVERY"] ?? every) === 0;
}

/** Which of that many changes the agent is killed before today. */
export function killsAmong(changes: number, every = 12): number[] {
  const all = Array.from({ length: changes }, (_, index) => index + 1);
  const chosen = all.filter((change) => isToday(change, every));
  console.log(`kills before ${chosen.length} of ${changes} changes: ${chosen.join(" ")}`);
  return chosen;
}

/** Commands through which the agent changes a server, each with the arguments of a call that does. */
const CHANGING: Readonly<Record<string, string>> = {
  mv: "*",
  cp: "*",
  touch: "*",
  rm: "*/root/*",
  nft: "-f*|delete*",
  iptables: "*-[IDNX]*",
  ip6tables: "*-[IDNX]*",
  "ip6tables-restore": "*",
  ip: "*-batch*",
  systemctl: "restart*|start*|stop*|enable*|disable*|daemon-reload*|reset-failed*|*unmask*|*mask*",
  "zerotier-cli": "join*|leave*",
  docker: "start*|stop*",
  curl: "*/v1/*",
};

/**
 * The agent as a program that is killed, with all that it has started, before its nth change; with 0 it is not, and
 * `changes` in the world is their number. What `timeout` runs is in a process group of its own.
 */
export function killedBefore(directory: string, change: number): string {
  const commands = join(directory, `commands-${change}`);
  mkdirSync(commands, { recursive: true });
  for (const [name, calls] of Object.entries(CHANGING)) {
    const file = join(commands, name);
    writeFileSync(
      file,
      `#!/bin/sh
PATH=\${PATH#${commands}:}
case "$*" in
${calls})
  echo x >>"$WORLD/changes"
  [ "$(wc -l <"$WORLD/changes")" -ne ${change} ] || kill -s KILL -- "-$(cut -d ' ' -f 6 /proc/$$/stat)" 0
  ;;
esac
exec ${name} "$@"
`,
    );
    chmodSync(file, 0o755);
  }
  const program = join(directory, `killed-${change}`);
  writeFileSync(program, `PATH=${commands}:$PATH exec setsid -w dash '${AGENT}' "$@"\n`);
  return program;
}

/**
 * All that the agent leaves on a server, but for the versions it has seen, which name the tests' own commands, and for the bridges that
 * Docker has told of, which a run that is the first to start Docker has not heard.
 */
export function state(host: Host): Record<string, unknown> {
  const sorted = (name: string) => host.seen(name).split("\n").sort();
  return {
    files: Object.fromEntries(
      Object.entries(host.files()).filter(([path]) => !/\.version$|\/bridges$/.test(path)),
    ),
    routes: host.seen("mesh-routes"),
    nft: host.seen("nft"),
    iptables: sorted("iptables"),
    ip6tables: sorted("ip6tables"),
    forwarding: host.read("/proc/sys/net/ipv4/ip_forward"),
    advertisements: host.read("/proc/sys/net/ipv6/conf/eth0/accept_ra"),
    dockerd: host.dockerdCommand()?.replaceAll("\0", " "),
    interrupted: ["restarting", "reload"].filter((name) => host.read(`/run/meshboot/${name}`)),
  };
}

/** How often dockerd was started. */
export const starts = (host: Host) =>
  host.seen("calls").match(/^systemctl restart docker.service/gm)?.length ?? 0;
