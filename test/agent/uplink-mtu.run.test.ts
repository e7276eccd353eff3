// Containers with the mesh's MTU of 2800 and their way to the internet, in a true kernel: over an uplink of 1500 and of 1400, where a
// router beyond it says nothing of packets that are too large, and the server has jumbo frames.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasNamespaces, inNamespace, layRoot } from "./namespace.ts";
import { available, withDirectory } from "./shells.ts";

const WHY = "nothing is sent from a container to the internet";
const isPossible =
  hasNamespaces(WHY) && available("python3", ["--version"], WHY) && available("ping", ["-V"], WHY);

/** Half a megabyte each way over one connection; prints `both ways`, or the error, a time-out where large segments are lost. */
const EXCHANGE = `import socket, sys
N = 500000
def take(c):
    n = 0
    while n < N:
        n += len(c.recv(65536))
def serve():
    s = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    while True:
        c, _ = s.accept()
        c.settimeout(3)
        try:
            c.sendall(b"x" * N); take(c); c.sendall(b"!")
        except OSError:
            pass
        c.close()
def call(host):
    try:
        c = socket.create_connection((host, 80), 3)
        take(c); c.sendall(b"y" * N); c.recv(1)
        print("both ways")
    except OSError as error:
        print(error)
serve() if len(sys.argv) == 1 else call(sys.argv[1])
`;

const SIX = "fc9c:56c2:e34e:8d87:c868";

/** The host with its uplink eth0, a container behind docker0, the router with a word for nobody, the server behind it. */
const TOPOLOGY = `set -eu
mount -t tmpfs none /run && mkdir /run/netns
for name in container router server; do ip netns add $name; ip -n $name link set lo up; done
in_router() { ip netns exec router "$@"; }
ip link add docker0 type bridge && ip link set docker0 up
ip addr add 172.28.233.1/25 dev docker0 && ip addr add ${SIX}::1/81 dev docker0 nodad
ip link add port mtu 2800 type veth peer name eth0 mtu 2800 netns container
ip link set port master docker0 up && ip -n container link set eth0 up
ip -n container addr add 172.28.233.2/25 dev eth0 && ip -n container addr add ${SIX}::2/81 dev eth0 nodad
ip -n container route add default via 172.28.233.1 && ip -n container route add default via ${SIX}::1
ip link add ztabcdefgh mtu 2800 type veth peer name wire && ip link set ztabcdefgh up && ip addr add 10.147.17.233/24 dev ztabcdefgh
ip link add eth0 mtu $UPLINK type veth peer name eth0 mtu $UPLINK netns router
ip link set eth0 up && ip addr add 203.0.113.5/24 dev eth0 && ip addr add 2001:db8:113::5/64 dev eth0 nodad
ip -n router link set eth0 up && ip -n router addr add 203.0.113.1/24 dev eth0 && ip -n router addr add 2001:db8:113::1/64 dev eth0 nodad
ip route add default via 203.0.113.1 && ip route add default via 2001:db8:113::1
ip -n router link add far mtu 9000 type veth peer name eth0 mtu 9000 netns server
ip -n router link set far up && ip -n router addr add 198.51.100.1/24 dev far && ip -n router addr add 2001:db8:9::1/64 dev far nodad
ip -n server link set eth0 up && ip -n server addr add 198.51.100.2/24 dev eth0 && ip -n server addr add 2001:db8:9::2/64 dev eth0 nodad
ip -n server route add default via 198.51.100.1 && ip -n server route add default via 2001:db8:9::1
for name in '' 'ip netns exec router'; do $name sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'; done
in_router nft 'table inet silent { chain out { type filter hook output priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }'
nft 'table inet docker { chain out { type nat hook postrouting priority 100; oifname "eth0" ip saddr 172.28.233.0/24 masquerade; oifname "eth0" ip6 saddr ${SIX}::/80 masquerade; }
chain in { type nat hook prerouting priority -100; iifname "eth0" tcp dport 80 dnat ip to 172.28.233.2; iifname "eth0" tcp dport 80 dnat ip6 to ${SIX}::2; }; }'
dash "$AGENT" rules >&2
at() { ip netns exec "$@"; }
listen() { ip netns exec $1 python3 "$EXCHANGE" >/run/ready-$1 2>&1 & pids="\${pids:-} $!"; until grep -q ready /run/ready-$1; do :; done; }
trap 'kill $pids' EXIT
listen server; listen container
call() { echo "$1 > $2: $(at $1 python3 "$EXCHANGE" $2)"; }
`;

const CALLS = `call container 198.51.100.2; call container 2001:db8:9::2; call server 203.0.113.5; call server 2001:db8:113::5
`;

function run(uplink: number, settings: string, script: string): string[] {
  return withDirectory((root) => {
    layRoot(root, { "etc/meshboot/meshboot.conf": `URL=https://mesh.example.com\n${settings}` });
    const exchange = join(root, "exchange.py");
    writeFileSync(exchange, EXCHANGE);
    const { stdout, stderr, status } = inNamespace(root, TOPOLOGY + script, {
      EXCHANGE: exchange,
      UPLINK: String(uplink),
    });
    expect(status, stderr).toBe(0);
    return stdout.trimEnd().split("\n");
  });
}

const WAYS = [
  "container > 198.51.100.2",
  "container > 2001:db8:9::2",
  "server > 203.0.113.5",
  "server > 2001:db8:113::5",
];

describe.runIf(isPossible)("containers with packets of 2800 on the internet", { timeout: 300_000 }, () => {
  it.each([1500, 1400])(
    "lose nothing at an uplink of %i: TCP is clamped, all else is told by this host",
    (uplink) => {
      const script = `${CALLS}for host in 198.51.100.2 2001:db8:9::2; do
at container ping -n -M do -s 2000 -c 1 -W 2 $host 2>&1 | grep -oE 'mtu ?[= ]+[0-9]+' || echo silence
done
at container ping -n -M dont -s 2000 -c 1 -W 2 198.51.100.2 | grep -o '1 received' || echo lost`;
      expect(run(uplink, "MTU=2800\n", script)).toEqual([
        ...WAYS.map((way) => `${way}: both ways`),
        expect.stringMatching(new RegExp(`mtu ?[= ]+${uplink}`)),
        expect.stringMatching(new RegExp(`mtu ?[= ]+${uplink}`)),
        "1 received",
      ]);
    },
  );

  it("would hang without the clamp", () => {
    const seen = run(1400, "MTU=2800\n", `nft delete chain inet meshboot mss\n${CALLS}`);
    expect(seen).toEqual(WAYS.map((way) => expect.stringMatching(`^${way}: (timed out|$)`)));
  });

  it("are clamped by no rule of ours where Docker's MTU is as it was", () => {
    expect(run(1500, "", "nft list table inet meshboot | grep -c maxseg || :")).toEqual(["0"]);
  });
});
