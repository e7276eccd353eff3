import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { median } from "./load.ts";

const ROUNDS = 9;
const MEGABYTES = 20;

/** Throughput between containers of two hosts ÷ that between the hosts over the same tunnel of 2800; null: not measured. */
export interface ContainerMtu {
  readonly containers_vs_hosts_1500: number | null;
  readonly containers_vs_hosts_2800: number | null;
}

/**
 * Two hosts in namespaces with a tunnel in user space between them, and behind each a bridge whose container has packets of 1500 and
 * another with packets of 2800: the three in turn, so that drift hits all alike. At real-time priority: what else runs on this machine
 * would take from the longer way more than from the shorter.
 */
const SCRIPT = `set -eu
mount -t tmpfs none /run && mkdir /run/netns
pids=''
trap 'kill $pids' EXIT
ip netns add b
ip link add under type veth peer name under netns b
ip link set lo up && ip link set under up && ip addr add 192.0.2.1/24 dev under
ip -n b link set lo up && ip -n b link set under up && ip -n b addr add 192.0.2.2/24 dev under
python3 "$HERE/tunnel.py" zta 192.0.2.1 192.0.2.2 >/run/zta & pids=$!
ip netns exec b python3 "$HERE/tunnel.py" ztb 192.0.2.2 192.0.2.1 >/run/ztb & pids="$pids $!"
until grep -qs ready /run/zta && grep -qs ready /run/ztb; do :; done
on=''
for host in a b; do
  number=$(echo $host | tr ab 12)
  ip $on link set zt$host mtu 2800 up
  ip $on addr add 10.147.17.$number/24 dev zt$host
  for mtu in 1500 2800; do
    net=10.$number.\${mtu%00}
    ip netns add $host$mtu
    ip $on link add br$mtu type bridge
    ip $on link set br$mtu up
    ip $on addr add $net.1/24 dev br$mtu
    ip $on link add v$mtu mtu $mtu type veth peer name eth0 mtu $mtu netns $host$mtu
    ip $on link set v$mtu master br$mtu up
    ip -n $host$mtu link set eth0 up
    ip -n $host$mtu addr add $net.2/24 dev eth0
    ip -n $host$mtu route add default via $net.1
  done
  on='-n b'
done
ip route add 10.2.0.0/16 via 10.147.17.2
ip -n b route add 10.1.0.0/16 via 10.147.17.1
echo 1 >/proc/sys/net/ipv4/ip_forward
ip netns exec b sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
for name in b b1500 b2800; do
  ip netns exec $name python3 "$HERE/stream.py" >/run/$name & pids="$pids $!"
  until grep -qs ready /run/$name; do :; done
done
round=0
while [ $round -lt $ROUNDS ]; do
  echo $(python3 "$HERE/stream.py" 10.147.17.2 $MEGABYTES) \
    $(ip netns exec a1500 python3 "$HERE/stream.py" 10.2.15.2 $MEGABYTES) \
    $(ip netns exec a2800 python3 "$HERE/stream.py" 10.2.28.2 $MEGABYTES)
  round=$((round + 1))
done
`;

/** Says why, where it cannot be measured. */
export function measureContainerMtu(): ContainerMtu {
  const skipped = { containers_vs_hosts_1500: null, containers_vs_hosts_2800: null };
  if (process.getuid?.() !== 0 || !existsSync("/dev/net/tun")) {
    console.error("bench: SKIPPED: throughput between containers needs root and /dev/net/tun");
    return skipped;
  }
  const { stdout, stderr, status } = spawnSync(
    "chrt",
    ["-r", "1", "unshare", "-n", "-m", "sh", "-c", SCRIPT],
    {
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HERE: join(import.meta.dirname),
        ROUNDS: String(ROUNDS),
        MEGABYTES: String(MEGABYTES),
      },
    },
  );
  if (status !== 0) {
    console.error(`bench: SKIPPED: throughput between containers. ${stderr.trim().split("\n").at(-1)}`);
    return skipped;
  }
  const rounds = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
  const ratio = (place: number) => median(rounds.map((seconds) => (seconds[0] ?? 0) / (seconds[place] ?? 0)));
  return { containers_vs_hosts_1500: ratio(1), containers_vs_hosts_2800: ratio(2) };
}
