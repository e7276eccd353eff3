import type { Guest } from "./guest.ts";
import { holds, not, until } from "./until.ts";

/** Everything about a server that `meshboot up` may touch, each aspect as sorted lines that can be compared. */
export type Snapshot = Readonly<Record<string, readonly string[]>>;

/** Left out of the file tree: not on the disk, or written all the time by somebody else. */
const ELSEWHERE = [
  "/proc",
  "/sys",
  "/dev",
  "/run",
  "/tmp",
  "/var/tmp",
  "/var/log",
  "/var/cache",
  "/var/lib/docker",
]
  // containerd's own database, and systemd's timers, clock and random seed
  .concat("/var/lib/containerd", "/var/lib/systemd")
  // what zerotier-one counts, and whom it knew when it last stopped
  .concat("/var/lib/zerotier-one/metrics.prom", "/var/lib/zerotier-one/peers.d")
  // whom the agent's watch is in touch with, by the minute
  .concat("/var/lib/meshboot/neighbours")
  .map((path) => `-path ${path}`)
  .join(" -o ");

const ASPECTS: Readonly<Record<string, string>> = {
  // Type, mode, owner and a link's target of everything; of what packages own, size and date; else a digest.
  files: `
    find / -xdev \\( ${ELSEWHERE} \\) -prune -o -printf '%y %m %u %g %p %l\\n'
    find /usr -xdev -type f -printf '%s %T@ %p\\n'
    find / -xdev \\( -path '/usr/[!l]*' -o -path '/usr/lib*' -o ${ELSEWHERE} \\) -prune -o -type f -print0 | xargs -0 sha256sum`,
  ruleset: "nft -s list ruleset",
  iptables: "iptables-save",
  ip6tables: "ip6tables-save",
  routes: "ip -4 route show table all; ip -6 route show table all; ip rule; ip -6 rule",
  addresses: "ip -o address show | sed 's/^[0-9]*: //; s/valid_lft.*//'",
  sysctls: "sysctl -a -r '^net\\.' 2>/dev/null | grep -v '^net.netfilter.nf_conntrack_count'",
  dockerd: "tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline; echo; systemctl cat docker.service",
  networks:
    "docker network inspect $(docker network ls -q) --format '{{.Name}} {{.EnableIPv6}} {{json .IPAM.Config}}'",
  containers: "docker ps --format '{{.Names}}'",
  units: "systemctl list-unit-files --no-legend --state=enabled,masked,enabled-runtime,masked-runtime",
  failed: "systemctl --failed --no-legend --plain",
};

/** Counters, dates, and addresses made of a bridge's random MAC differ between two looks at the same thing. */
function settle(line: string): string {
  return line
    .replace(/\[\d+:\d+\]/, "")
    .replace(/^# (Generated|Completed).*/, "")
    .replace(/ expires \d+sec/, "")
    .replace(/@if\d+/, "")
    .replace(/fe80::42:[0-9a-f:]+/, "fe80::42:of-a-bridge")
    .trimEnd();
}

/** The cards that are connected and have an address that is not in use yet: the kernel asks first whether another host has it. */
const TENTATIVE = `ip -o -6 address show tentative | while read -r _ dev _; do
  [ "$(cat /sys/class/net/$dev/carrier 2>/dev/null)" != 1 ] || echo "$dev"
done`;

/** Looks at a server, once its addresses are in use. Lines about the virtual cards of containers are left out: they are new at every start. */
export async function snapshot(guest: Guest): Promise<Snapshot> {
  await until(`the addresses of ${guest.name} to be in use`, 60, async () => {
    const cards = await guest.sh(TENTATIVE);
    return cards === "" ? holds(undefined) : not(cards);
  });
  const aspects: Record<string, string[]> = {};
  for (const [name, script] of Object.entries(ASPECTS)) {
    const lines = (await guest.sh(script)).split("\n").map(settle);
    aspects[name] = lines.filter((line) => line !== "" && !/\bveth[0-9a-f]/.test(line)).sort();
  }
  return aspects;
}

/** What is in one snapshot only, by aspect: `- ` in the first, `+ ` in the second. Aspects that agree are left out. */
export function difference(first: Snapshot, second: Snapshot): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const name of Object.keys(ASPECTS)) {
    const before = first[name] ?? [];
    const after = second[name] ?? [];
    const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
    const come = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
    if (gone.length + come.length > 0) found[name] = [...gone, ...come];
  }
  return found;
}
