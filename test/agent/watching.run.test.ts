// meshboot-watch.service's program as it runs, with a true kernel that tells of what goes, and another node that it speaks to.
import { describe, expect, it } from "vitest";
import { hasNamespaces, inNamespace, layRoot } from "./namespace.ts";
import { available, withDirectory } from "./shells.ts";

const WHY = "nobody watches what a kernel tells";
const isPossible = hasNamespaces(WHY) && available("ping", ["-V"], WHY);

/** A server in the mesh with layout compose and Docker 28, another node of it, and `until_it PATTERN COMMAND...`, which prints how it ended. */
const WATCHED = `set -eu
mount -t tmpfs none /run && mkdir /run/netns
ip netns add other
ip link add ztabcdefgh type veth peer name zt0 netns other
ip -n other link set zt0 up && ip -n other addr add 10.147.17.1/24 dev zt0
for device in lo ztabcdefgh; do ip link set $device up; done
ip addr add 10.147.17.233/24 dev ztabcdefgh
until_it() { # TITLE PATTERN COMMAND...
  title=$1 pattern=$2
  shift 2
  for try in $(seq 300); do
    if "$@" 2>&1 | grep -qe "$pattern"; then echo "$title"; return; fi
    sleep 0.1
  done
  echo "not: $title"
}
"$AGENT" keep >&2
"$AGENT" watch >&2 & watch=$!
until_it 'the other node has heard of this one' lladdr ip -n other neigh show 10.147.17.233
listeners() { awk '$4 ~ /[^0]/ && $4 ~ /^[0-9a-f]*$/' /proc/net/netlink | wc -l; }
until_it 'both monitors listen' '^2$' listeners
`;

const LISTENS = ["the other node has heard of this one", "both monitors listen"];

const ROOT = {
  "etc/meshboot/meshboot.conf": "URL=https://mesh.example.com\nLAYOUT=compose\n",
  "etc/meshboot/dockerd.env": 'MESHBOOT_OPTIONS=""\n',
  "var/lib/meshboot/peers": "1:39f51dfb25:db1\n",
  "bin/dockerd": "#!/bin/sh\necho 'Docker version 28.5.2, build 1'\n",
  "bin/systemctl": "#!/bin/sh\n",
};

function watched(script: string): string[] {
  return withDirectory((root) => {
    layRoot(root, ROOT);
    const { stdout, stderr, status } = inNamespace(root, WATCHED + script);
    expect(status, stderr).toBe(0);
    return stdout.trimEnd().split("\n");
  });
}

describe.runIf(isPossible)("watch", { timeout: 600_000 }, () => {
  it("speaks to the others, and puts back what the kernel says has gone", () => {
    const seen = watched(`
routes() { ip route show dev ztabcdefgh metric 5100 | wc -l; }
ip addr del 10.147.17.233/24 dev ztabcdefgh; routes
ip addr add 10.147.17.233/24 dev ztabcdefgh; until_it 'routes' '^238$' routes
ip route del 172.28.7.0/24; until_it 'one route' '^238$' routes
ip route del unreachable 172.28.0.0/16 metric 5101; until_it 'the route of layout compose' ^unreachable ip route
nft flush ruleset; until_it 'rules' 'chain pre' nft list ruleset
iptables -F FORWARD; until_it 'accepts' '-i ztabcdefgh -j ACCEPT' iptables -S FORWARD
iptables -I FORWARD -d 172.16.0.0/12 -j REJECT; until_it 'their place' '^ *1.*ztabcdefgh' sh -c 'iptables -S FORWARD | sed 1d | cat -n'
kill $watch; wait $watch && echo 'ended in order'`);
    expect(seen).toEqual([
      ...LISTENS,
      "0",
      ...["routes", "one route", "the route of layout compose", "rules", "accepts", "their place"],
      "ended in order",
    ]);
  });

  it("puts routes back once the kernel takes them, however late, and those that it dropped without a word", () => {
    const seen = watched(`
routes() { ip route show dev ztabcdefgh metric 5100 | wc -l; }
kill $watch; wait $watch
"$AGENT" watch 2>"$MESHBOOT_ROOT/said" & watch=$!
until_it 'both monitors listen again' '^2$' listeners
ip route del 10.147.17.0/24 dev ztabcdefgh; routes
ip route flush dev ztabcdefgh; until_it 'it could not' 'does not take the routes' cat "$MESHBOOT_ROOT/said"; routes
ip route add 10.147.17.0/24 dev ztabcdefgh proto kernel scope link src 10.147.17.233; until_it 'routes' '^238$' routes
ip link set ztabcdefgh down; routes; ip link set ztabcdefgh up; until_it 'routes again' '^238$' routes`);
    expect(seen).toEqual([
      ...LISTENS,
      "both monitors listen again",
      ...["238", "it could not", "0", "routes"],
      ...["0", "routes again"],
    ]);
  });

  it("speaks after the next start to who had spoken to this server by IPv6 alone", () => {
    const seen = watched(`
ours=fc9c:56c2:e34e:8d87:c868::1 theirs=fc9c:56c2:e339:f51d:fb25::1
forget() { ip neigh flush dev ztabcdefgh; ip -n other neigh flush dev zt0; }
kill $watch; wait $watch
rm "$MESHBOOT_ROOT/var/lib/meshboot/peers" "$MESHBOOT_ROOT/var/lib/meshboot/neighbours"; forget
ip addr add $ours/40 dev ztabcdefgh nodad; ip -n other addr add $theirs/40 dev zt0 nodad
ip netns exec other ping -n -q -c 1 $ours >&2
"$AGENT" watch >&2 & watch=$!
until_it 'it is remembered' "^$theirs 0" cat "$MESHBOOT_ROOT/var/lib/meshboot/neighbours"
kill $watch; wait $watch; forget
"$AGENT" watch >&2 & watch=$!
until_it 'it has heard again' lladdr ip -n other neigh show $ours`);
    expect(seen).toEqual([...LISTENS, "it is remembered", "it has heard again"]);
  });

  it("speaks at once, but puts back nothing before a run of up that is under way has ended", () => {
    const seen = watched(`
routes() { ip route show dev ztabcdefgh metric 5100 | wc -l; }
kill $watch; wait $watch
exec 9>"$MESHBOOT_ROOT/run/meshboot/lock"; flock 9
ip route del 172.28.7.0/24; ip -n other neigh flush dev zt0; ip neigh flush dev ztabcdefgh
"$AGENT" watch >&2 9>&- & watch=$!
until_it 'it has spoken' lladdr ip -n other neigh show 10.147.17.233; routes
exec 9>&-; until_it 'routes' '^238$' routes`);
    expect(seen).toEqual([...LISTENS, "it has spoken", "237", "routes"]);
  });

  it.each(["ip -o -4 monitor", "nft monitor"])(
    "fails when %s has ended, so that systemd starts it anew",
    (program) => {
      const seen = watched(`
pkill -f '^${program}'; wait $watch || echo "ended with $?"`);
      expect(seen).toEqual([...LISTENS, "ended with 1"]);
    },
  );
});
