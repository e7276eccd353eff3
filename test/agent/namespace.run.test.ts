import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { hasNamespaces, inNamespace, layRoot } from "./namespace.ts";
import { available, SHELLS, withDirectory } from "./shells.ts";

const possible = hasNamespaces("the rules are not loaded into a kernel");

/** In a namespace of its own, with the mesh's interface in it: prints what a step leaves behind, one part for each. */
const SCRIPT = `set -eu
ip link set lo up
ip link add $DEVICE type veth peer name wire
ip link set $DEVICE up && ip link set wire up
ip addr add 10.147.17.233/24 dev $DEVICE
show() { nft list ruleset; ip route; echo ---; }
mine() { MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; use_lease "$STATE/lease"; "$@"' mine "$@" >&2; }
show
dash "$AGENT" rules >&2; mine routes_up; show
dash "$AGENT" rules >&2; mine routes_up; show
nft flush ruleset; dash "$AGENT" rules >&2; show
UNDO=yes mine rules_down
MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; use_lease "$STATE/lease"; UNDO=yes; our_routes | routes_batch | ip -batch -; tables_down >&2'
show
`;

/** Somebody's rules above ours: of these the first six keep nobody of the mesh out. */
const OVERTAKEN = `set -eu
ip link set lo up
ip link add ztabcdefgh type veth peer name wire
look() { MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; use_lease "$STATE/lease"; has_mesh_accepts && echo reached || echo not reached'; }
dash "$AGENT" rules >&2; look
iptables -I FORWARD -i eth9 -j DROP; iptables -I FORWARD -o br-lan -j DROP; iptables -I INPUT -s 192.0.2.7/32 -j REJECT
iptables -I INPUT -p tcp --dport 25 -j DROP; iptables -A FORWARD -j DROP; iptables -I FORWARD -d 172.28.233.9/32 -j REJECT
look
iptables -I FORWARD -d 172.16.0.0/12 -j REJECT; look
dash "$AGENT" rules >&2; look
iptables -I FORWARD -o br-0123456789ab -j DROP; look
dash "$AGENT" rules >&2; look
ip6tables -I INPUT -j DROP; look
dash "$AGENT" rules >&2; look
ip6tables -t raw -I PREROUTING -i ztabcdefgh -j DROP; look
dash "$AGENT" rules >&2; look
dash "$AGENT" rules >&2; iptables -S FORWARD | sed 1d
`;

it.runIf(possible)(
  "puts its accepts before somebody's drop, which it finds by its place",
  { timeout: 300_000 },
  () => {
    withDirectory((root) => {
      layRoot(root);
      const { stdout, stderr, status } = inNamespace(root, OVERTAKEN);
      expect(status, stderr).toBe(0);
      const [looks = "", chain = ""] = [
        stdout.slice(0, stdout.indexOf("-A")),
        stdout.slice(stdout.indexOf("-A")),
      ];
      expect(looks.trim().split("\n")).toEqual([
        ...["reached", "reached"],
        ...["not reached", "reached"],
        ...["not reached", "reached"],
        ...["not reached", "reached"],
        ...["not reached", "reached"],
      ]);
      expect(chain.trim().split("\n")).toEqual([
        "-A FORWARD -s 172.28.233.0/24 -o ztabcdefgh -j ACCEPT",
        "-A FORWARD -d 172.28.233.0/24 -i ztabcdefgh -j ACCEPT",
        "-A FORWARD -o br-0123456789ab -j DROP",
        "-A FORWARD -d 172.16.0.0/12 -j REJECT --reject-with icmp-port-unreachable",
        "-A FORWARD -d 172.28.233.9/32 -j REJECT --reject-with icmp-port-unreachable",
        "-A FORWARD -o br-lan -j DROP",
        "-A FORWARD -i eth9 -j DROP",
        "-A FORWARD -j DROP",
      ]);
    });
  },
);

/** A program that does what the real one does, and at the first call of that kind what somebody else does just behind it. */
function followed(program: string, call: string, other: string): string {
  return `#!/bin/sh
PATH=\${PATH#*:}
${program} "$@" || exit
case $* in ${call})
  [ -e "$MESHBOOT_ROOT/${program}.followed" ] || { : >"$MESHBOOT_ROOT/${program}.followed"; ${other}; } ;;
esac
`;
}

it.runIf(possible)(
  "takes for right what it found, not what somebody made of it while it was put there",
  { timeout: 300_000 },
  () => {
    withDirectory((root) => {
      layRoot(root, {
        "bin/nft": followed("nft", "'-f -'", "nft flush ruleset"),
        "bin/ip6tables": followed("ip6tables", "*-I*136*", "iptables -I FORWARD -d 172.16.0.0/12 -j REJECT"),
      });
      const script = `set -eu
look() {
  nft list table inet meshboot >/dev/null 2>&1 && echo loaded || echo gone
  MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; use_lease "$STATE/lease"; has_mesh_accepts && echo reached || echo not reached'
}
for run in 1 2; do dash "$AGENT" rules >&2; look; done`;
      const { stdout, stderr, status } = inNamespace(root, script);
      expect(status, stderr).toBe(0);
      expect(stdout.trim().split("\n")).toEqual(["gone", "not reached", "loaded", "reached"]);
    });
  },
);

it.runIf(possible).each(["ztabcdefgh", "zt_mesh", "warp-net", "mesh.0"])(
  "loads its rules and routes for %s once, again after a flush, and takes all of them away",
  { timeout: 300_000 },
  (device) => {
    withDirectory((root) => {
      layRoot(root, { "var/lib/meshboot/interface": `${device}\n` });
      const { stdout, stderr, status } = inNamespace(root, SCRIPT, { DEVICE: device });
      expect(status, stderr).toBe(0);
      const [before, loaded, again, flushed, after] = stdout.split("---\n");
      expect(loaded).toContain("table inet meshboot");
      expect(loaded?.match(/ metric 5100/g)).toHaveLength(238);
      expect(
        loaded
          ?.split("\n")
          .filter((line) =>
            line.includes(`iifname "${device}" ip daddr 172.28.233.0/24 counter packets 0 bytes 0 accept`),
          ),
      ).toHaveLength(3);
      expect(again).toBe(loaded);
      expect(flushed).toContain("table inet meshboot");
      expect(after).toBe(before);
    });
  },
);

it.runIf(possible && available("ping", ["-V"], "no packet of the lease is sent to the outside"))(
  "lets IPv6 addresses of the lease to every network of this host's, and out by no uplink, be that a bridge",
  { timeout: 300_000 },
  () => {
    withDirectory((root) => {
      layRoot(root);
      const script = `set -eu
ip link set lo up
ip -6 addr add fc9c:56c2:e34e:8d87:c868::1/80 dev lo
bridge() {
  ip link add $1 type bridge; ip link add $1-in type veth peer name $1-out; ip link set $1-in master $1
  for link in $1 $1-in $1-out; do ip link set $link up; done
  ip -6 addr add $2 dev $1 nodad
}
bridge web0 fd00:1::1/64; bridge docker0 fd00:2::1/64; bridge vmbr0 fd00:3::1/64
ip -6 route add default via fd00:3::9 dev vmbr0
dash "$AGENT" rules >&2
for to in fd00:1::7 fd00:2::7 2001:db8::7; do
  ping -6 -n -q -c 1 -W 1 -I fc9c:56c2:e34e:8d87:c868::1 $to >&2 || :
  nft list chain inet meshboot leave | sed -n 's/.* counter packets \\([0-9]*\\) .*/\\1/p'
done`;
      const { stdout, stderr } = inNamespace(root, script);
      expect(stdout.trim().split("\n"), stderr).toEqual(["0", "0", "1"]);
    });
  },
);

it.runIf(possible).each(["rules.nft", "rules-29.nft"])("has rules that a kernel takes: %s", (name) => {
  const golden = fileURLToPath(new URL(`./golden/${name}`, import.meta.url));
  const { status, stderr } = spawnSync("unshare", ["-n", "nft", "-f", golden], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

// busybox's `ip` takes a filter that it does not know for none: a flush by such a filter would take every route.
it.runIf(possible).each(SHELLS)(
  "leaves every route but its own in $name, whatever its ip knows",
  ({ command }) => {
    withDirectory((root) => {
      layRoot(root);
      const host = `set -eu
ip link add eth0 type veth peer name wire
ip link set eth0 up && ip link set wire up
ip addr add 203.0.113.5/24 dev eth0
ip route add default via 203.0.113.1 dev eth0 proto static
ip route add 192.0.2.0/24 via 203.0.113.9 dev eth0 proto static metric 5101
ip route add unreachable 198.51.100.0/24 proto static
exec ${command.join(" ")} -c "$SCRIPT"`;
      const SCRIPT = `. "$AGENT"
use_lease "$STATE/lease"
look_at_docker_major() { major=26; }
before=$(ip route)
LAYOUT=compose; guard_pool >&2; ip route; echo ---
LAYOUT=split; guard_pool; [ "$(ip route)" = "$before" ] && echo as before`;
      const { stdout, stderr } = inNamespace(root, host, { SCRIPT, MESHBOOT_SOURCE: "1" });
      const [guarded, after] = stdout.split("---\n");
      expect(guarded, stderr).toMatch(/^unreachable 172\.28\.0\.0\/16 .*metric 5101/m);
      expect(after).toBe("as before\n");
    });
  },
);

const canSend =
  possible &&
  available("logger", ["--version"], "the doctor is not asked what a kernel lets out to the mesh");

it.runIf(canSend).each([
  ["", []],
  ["iptables -A OUTPUT -d 10.0.0.0/8 -j DROP", ["10.147.17.0/24"]],
  ["iptables -A OUTPUT -d 172.16.0.0/12 -j REJECT", ["172.28.0.0/16"]],
  ["iptables -P OUTPUT DROP", ["10.147.17.0/24", "172.28.0.0/16"]],
  [
    "nft 'add table inet own; add chain inet own out { type filter hook output priority 10; }; add rule inet own out ip6 daddr fc00::/7 drop'",
    ["fc9c:56c2:e300::/40"],
  ],
])("lets the doctor name what is not let out to the mesh: %s", (rule, ranges) => {
  withDirectory((root) => {
    layRoot(root);
    const script = `set -eu
ip link set lo up
ip link add ztabcdefgh type veth peer name wire
ip link set ztabcdefgh up && ip link set wire up
ip addr add 10.147.17.233/24 dev ztabcdefgh
ip addr add fc9c:56c2:e34e:8d87:c868::1/40 dev ztabcdefgh nodad
ip route add 172.28.1.0/24 via 10.147.17.1 dev ztabcdefgh
${rule}
. "$AGENT"
TMP=$R JSON='' COLOR='' FAULTS=0 BROKEN='' LINK=firewall
use_lease "$STATE/lease"
look_at_output`;
    const { stdout, stderr, status } = inNamespace(root, script, { MESHBOOT_SOURCE: "1" });
    expect(status, stderr).toBe(0);
    expect(Array.from(stdout.matchAll(/itself sends to (\S+);/g), ([, range]) => range)).toEqual(ranges);
  });
});

/** A server on which forwarding was off, with a Docker of that version. */
const docker = (version: string, json: string) => ({
  "var/lib/meshboot/sysctls": "net/ipv4/ip_forward=0\nnet/ipv6/conf/all/forwarding=0\n",
  "etc/docker/daemon.json": json,
  "bin/dockerd": `#!/bin/sh\necho 'Docker version ${version}'\n`,
});

/**
 * A server between five others, each in a namespace of its own: a neighbour on eth0, a container on a Docker network outside
 * of the lease, a guest on the bridge br-lan of the server's owner, a machine in a second network on eth1, a member of the mesh.
 */
const PLACES = `set -eu
for name in neighbour container guest machine member; do unshare -n sleep infinity & eval $name=$!; done
until [ "$(for pid in $neighbour $container $guest $machine $member; do readlink /proc/$pid/ns/net; done | sort -u | grep -vcxF "$(readlink /proc/self/ns/net)")" = 5 ]; do :; done
plug() { # NAME PID SERVER4 PEER4 SERVER6 PEER6 [BRIDGE]
  ip link add $1 type veth peer name eth0 netns $2
  ip link set $1 up
  if [ -n "\${7:-}" ]; then
    ip link add $7 type bridge && ip link set $7 up && ip link set $1 master $7
  fi
  ip address add $3/24 dev \${7:-$1}
  ip address add $5/64 dev \${7:-$1} nodad
  nsenter -t $2 -n sh -ec "ip link set lo up; ip address add $4/24 dev eth0; ip address add $6/64 dev eth0 nodad; ip link set eth0 up
    ip route add default via $3; ip -6 route add default via $5"
}
plug eth0 $neighbour 203.0.113.5 203.0.113.1 2001:db8:113::5 2001:db8:113::1
plug veth0 $container 10.77.1.1 10.77.1.2 fd77:1::1 fd77:1::2 br-0123456789ab
plug veth1 $guest 10.88.1.1 10.88.1.2 fd88:1::1 fd88:1::2 br-lan
plug eth1 $machine 192.168.71.1 192.168.71.2 fd71::1 fd71::2
plug ztabcdefgh $member 10.147.17.233 10.147.17.7 fc9c:56c2:e34e:8d87:c868::1 fc9c:56c2:e34e:8d87::7
ip route add default via 203.0.113.1
ip -6 route add default via 2001:db8:113::1
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
mkdir "$MESHBOOT_ROOT/sys" && mount -t sysfs sysfs "$MESHBOOT_ROOT/sys"
for address in 203.0.113.1 10.77.1.2 10.88.1.2 192.168.71.2 10.147.17.7 2001:db8:113::1 fd77:1::2 fd88:1::2 fd71::2 fc9c:56c2:e34e:8d87::7; do
  until ping -nqc1 -W1 $address >/dev/null 2>&1; do :; done
done
asks() { # NAME PID ADDRESS..., all at once
  from=$2 name=$1
  shift 2
  for address; do
    if nsenter -t $from -n ping -nqc1 -W$patience $address >/dev/null 2>&1; then echo "$name $address"; fi &
  done
}
`;

/** Prints who reaches whom there, before the server's rules and with them. */
const BETWEEN = `${PLACES}
look() {
  (
    asks neighbour $neighbour 10.77.1.2 fd77:1::2 192.168.71.2 fd71::2 203.0.113.5 2001:db8:113::5
    asks member $member 10.77.1.2 fd77:1::2 192.168.71.2 fd71::2
    asks machine $machine 203.0.113.1 2001:db8:113::1
    asks container $container 203.0.113.1 2001:db8:113::1 192.168.71.2
    wait
  ) | sort
  echo ---
}
patience=5
look
dash "$AGENT" rules >&2
patience=2
look
`;

it.runIf(possible).each([
  ["20.10.24+dfsg1, build 1", "{}"],
  ["29.7.2, build 1", '{"firewall-backend":"nftables"}'],
])(
  "keeps neighbours and the mesh off a container's own address, and off a second network, with Docker %s, daemon.json %s",
  { timeout: 300_000 },
  (version, json) => {
    withDirectory((root) => {
      layRoot(root, docker(version, json));
      const { stdout, stderr, status } = inNamespace(root, BETWEEN);
      expect(status, stderr).toBe(0);
      const [before, after] = stdout.split("---\n");
      const closed = [
        ...["neighbour 10.77.1.2", "neighbour fd77:1::2", "neighbour 192.168.71.2", "neighbour fd71::2"],
        ...["member 10.77.1.2", "member fd77:1::2", "member 192.168.71.2", "member fd71::2"],
        ...["machine 203.0.113.1", "machine 2001:db8:113::1"],
      ];
      const open = [
        ...["container 203.0.113.1", "container 2001:db8:113::1", "container 192.168.71.2"],
        ...["neighbour 203.0.113.5", "neighbour 2001:db8:113::5"],
      ];
      expect(before?.trim().split("\n")).toEqual([...closed, ...open].sort());
      expect(after?.trim().split("\n")).toEqual(open.sort());
    });
  },
);

/**
 * Prints who reaches the guest, and the container: where Docker has never run; before it has told of its bridges; once it has told of
 * br-lan; and once that is not among them any more.
 */
const OWN_BRIDGE = `${PLACES}
patience=2
look() {
  dash "$AGENT" rules >&2
  (
    asks neighbour $neighbour 10.77.1.2 fd77:1::2 10.88.1.2 fd88:1::2
    asks member $member 10.77.1.2 fd77:1::2 10.88.1.2 fd88:1::2
    wait
  ) | sort
  echo ---
}
tells() { printf '%s\\n' "$@" >"$MESHBOOT_ROOT/var/lib/meshboot/bridges"; }
look
mkdir -p "$MESHBOOT_ROOT/var/lib/docker/network/files"
: >"$MESHBOOT_ROOT/var/lib/docker/network/files/local-kv.db"
look
tells 'br-lan nat nat' 'docker0 nat nat'
look
tells 'docker0 nat nat'
look
`;

it.runIf(possible).each([
  ["routes to it, Docker 26", "26.1.5, build 1", "{}", false],
  ["routes to it, Docker 29", "29.7.2, build 1", '{"firewall-backend":"nftables"}', false],
  ["has never forwarded, Docker 28", "28.5.2, build 1", "{}", true],
])(
  "takes no bridge of the owner's own for one of Docker's, by its name: a server that %s",
  { timeout: 300_000 },
  (_, version, json, isClosed) => {
    withDirectory((root) => {
      layRoot(root, {
        ...docker(version, json),
        ...(isClosed ? {} : { "var/lib/meshboot/sysctls": "" }),
      });
      const { stdout, stderr, status } = inNamespace(root, OWN_BRIDGE);
      expect(status, stderr).toBe(0);
      const [started, silent, told, without] = stdout.split("---\n");
      const guest = ["member 10.88.1.2", "member fd88:1::2", "neighbour 10.88.1.2", "neighbour fd88:1::2"];
      const container = [
        ...["member 10.77.1.2", "member fd77:1::2", "neighbour 10.77.1.2", "neighbour fd77:1::2"],
      ];
      // Docker 28 closes its bridges itself, and is not here: what is let through to them shows that they count as its.
      expect(started?.trim().split("\n")).toEqual(isClosed ? container : guest);
      expect(silent?.trim().split("\n")).toEqual(isClosed ? container : [""]);
      expect(without).toBe(started);
      expect(told?.trim()).toBe(isClosed ? [...container, ...guest].sort().join("\n") : "");
    });
  },
);

/**
 * The server was a router before: for the machine, by accepts of its owner's, with FORWARD closed by its policy, as dockerd does. They
 * are wide enough to let the mesh in and out too. Prints who reaches whom: in the mesh; with the policy taken away; after
 * the next boot, which begins without it; and the policy after `down`.
 */
const ROUTER = `${PLACES}
patience=2
for tool in iptables ip6tables; do
  $tool -P FORWARD DROP
  $tool -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
  $tool -A FORWARD -i eth1 -j ACCEPT
  $tool -A FORWARD ! -i eth0 -o eth1 -j ACCEPT
done
look() {
  dash "$AGENT" rules >&2
  (
    asks neighbour $neighbour 192.168.71.2 fd71::2 10.147.17.7 fc9c:56c2:e34e:8d87::7
    asks member $member 192.168.71.2 fd71::2 203.0.113.1 2001:db8:113::1
    asks machine $machine 203.0.113.1 2001:db8:113::1 10.147.17.7 fc9c:56c2:e34e:8d87::7
    wait
  ) | sort
  echo ---
}
take_policy() {
  for tool in iptables ip6tables; do $tool -P FORWARD ACCEPT; done
}
look
take_policy
look
rm "$MESHBOOT_ROOT/run/meshboot/nft"
look
take_policy
MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; use_lease "$STATE/lease"; rules_down >&2'
for tool in iptables ip6tables; do $tool -S FORWARD | head -n 1; done
`;

const WAYS = "-A FORWARD -i eth1 -j ACCEPT\n";

it.runIf(possible).each([
  ["28.5.2, build 1", "{}", WAYS, true, true],
  // Its ways came after us.
  ["28.5.2, build 1", "{}", "", true, false],
  ["29.7.2, build 1", '{"firewall-backend":"nftables"}', WAYS, false, false],
])(
  "leaves a router of before to the policy that closes it, as long as that is there, and closes the mesh to it: Docker %s, daemon.json %s, ways %j",
  { timeout: 300_000 },
  (version, json, ways, isLeft, isClosedAgain) => {
    withDirectory((root) => {
      layRoot(root, {
        ...docker(version, json),
        "var/lib/meshboot/sysctls": "",
        "var/lib/meshboot/forward4": "-P FORWARD DROP\n",
        "var/lib/meshboot/closed6": "-P FORWARD DROP\n",
        "var/lib/meshboot/tables": "table ip nat\n",
        "var/lib/meshboot/ways4": ways,
        "var/lib/meshboot/ways6": ways,
      });
      const { stdout, stderr, status } = inNamespace(root, ROUTER);
      expect(status, stderr).toBe(0);
      const routed = "machine 2001:db8:113::1\nmachine 203.0.113.1\n";
      const policy = `-P FORWARD ${isLeft ? "DROP" : "ACCEPT"}\n`;
      expect(stdout.split("---\n")).toEqual([
        isLeft ? routed : "",
        "",
        isClosedAgain ? routed : "",
        policy.repeat(2),
      ]);
    });
  },
);

/** Two neighbours by IPv6 who have been silent for too long: one whom the kernel is in touch with, and another. Prints whom it knows then, and who is remembered. */
const SILENT = `set -eu
ip link add ztabcdefgh type veth peer name zt0
ip link set zt0 up
ip link set ztabcdefgh up
ip address add fc9c:56c2:e34e:8d87:c868::1/40 dev ztabcdefgh nodad
echo 3600000 >/proc/sys/net/ipv6/neigh/ztabcdefgh/base_reachable_time_ms
ip -6 neigh add fc9c:56c2:e3a3:b033:f4db::1 lladdr 02:00:00:00:00:01 dev ztabcdefgh nud reachable
ip -6 neigh add fc9c:56c2:e339:f51d:fb25::1 lladdr 02:00:00:00:00:02 dev ztabcdefgh nud stale
printf '%s 167\\n' fc9c:56c2:e3a3:b033:f4db::1 fc9c:56c2:e339:f51d:fb25::1 >"$MESHBOOT_ROOT/var/lib/meshboot/neighbours"
. "$AGENT"
set_up
use_saved_lease
: >"$TMP/answered"
remembered >"$TMP/silent"
for hours in 1 0; do
  neighbours >"$TMP/neighbours"
  remember $hours
  : >"$TMP/silent"
done
neighbours
cat "$STATE/neighbours"
`;

it.runIf(possible)(
  "forgets no neighbour by IPv6 whom the kernel is in touch with, though he answers no greeting",
  { timeout: 300_000 },
  () => {
    withDirectory((root) => {
      layRoot(root);
      const { stdout, stderr, status } = inNamespace(root, SILENT, { MESHBOOT_SOURCE: "1" });
      expect(status, stderr).toBe(0);
      const left = "fc9c:56c2:e3a3:b033:f4db::1";
      expect(stdout).toBe(`${left}\n${left} 0\n`);
    });
  },
);

/** A container of the lease behind the forward chain of Docker's nft table, a VPN's marks for UDP (wg-quick), and a member of the mesh. */
const BEHIND_VPN = `set -eu
for name in member container; do unshare -n sleep infinity & eval $name=$!; done
until [ "$(for pid in $member $container; do readlink /proc/$pid/ns/net; done | sort -u | grep -vcxF "$(readlink /proc/self/ns/net)")" = 2 ]; do :; done
ip link add ztabcdefgh type veth peer name zt0 netns $member
ip link add veth0 type veth peer name eth0 netns $container
ip link add docker0 type bridge
ip link set veth0 master docker0
for device in lo ztabcdefgh veth0 docker0; do ip link set $device up; done
ip address add 10.147.17.233/24 dev ztabcdefgh
ip address add 172.28.233.1/25 dev docker0
nsenter -t $member -n sh -ec 'ip address add 10.147.17.7/24 dev zt0; ip link set zt0 up; ip route add 172.28.233.0/24 via 10.147.17.233'
nsenter -t $container -n sh -ec 'ip address add 172.28.233.2/25 dev eth0; ip link set eth0 up; ip route add default via 172.28.233.1'
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<'END'
table ip docker-bridges {
  chain filter-FORWARD {
    type filter hook forward priority filter
    oifname docker0 meta mark & 0x100000 == 0x100000 counter name accepted accept
    oifname docker0 counter name dropped drop
  }
  counter accepted { }
  counter dropped { }
}
table inet wg-quick-wg0 {
  chain premangle {
    type filter hook prerouting priority -150
    meta l4proto udp meta mark set ct mark
  }
}
END
dash "$AGENT" rules >&2
nsenter -t $member -n bash -ec 'for packet in 1 2 3; do echo $packet >/dev/udp/172.28.233.2/7000; done; ping -nqc1 -W5 172.28.233.2 >/dev/null || :'
nft list counters table ip docker-bridges
`;

it.runIf(possible)(
  "marks what comes from the mesh behind a VPN that marks all UDP",
  { timeout: 300_000 },
  () => {
    withDirectory((root) => {
      layRoot(root, docker("29.7.2, build 1", '{"firewall-backend":"nftables"}'));
      const { stdout, stderr, status } = inNamespace(root, BEHIND_VPN);
      expect(status, stderr).toBe(0);
      expect(stdout).toMatch(/counter accepted \{\s+packets 4 /);
      expect(stdout).toMatch(/counter dropped \{\s+packets 0 /);
    });
  },
);
