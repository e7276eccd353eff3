import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LeaseSeed, leaseText } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const LARGE = { zerotier: "10.147.0.0/16", docker: "172.16.0.0/12", nodePrefix: 24 };

/** Runs agent functions for a lease whose interface is ztabcdefgh, beside the files given; gives what they print. */
function withLease(
  shell: Shell,
  seed: LeaseSeed,
  text: string,
  files: Readonly<Record<string, string>> = {},
): string {
  return withDirectory((root) => {
    const all = { "/lease": leaseText(seed), "/var/lib/meshboot/interface": "ztabcdefgh\n", ...files };
    for (const [path, content] of Object.entries(all)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const script = `use_lease "$R/lease"; LAYOUT=split IPV6NAT=auto USERLAND_PROXY=on\n${text}`;
    const { out, err, status } = runWithAgent(shell, script, { MESHBOOT_ROOT: root });
    expect({ err, status }).toEqual({ err: "", status: 0 });
    return out.replaceAll(root, "");
  });
}

describe.each(SHELLS)("the parts in $name", (shell) => {
  it.each([
    ["hetzner\n", "QEMU\n", "hetzner"],
    ["nocloud\n", "netcup\n", "netcup"],
    ["", "Amazon EC2\n", "Amazon EC2"],
    ["none\n", '"} quoted\n', ""],
    ["", "", ""],
  ])("tells where it runs: cloud-init says %j, the firmware %j", (cloud, vendor, provider) => {
    const files = { "/run/cloud-init/cloud-id": cloud, "/sys/class/dmi/id/sys_vendor": vendor };
    expect(withLease(shell, {}, 'look_at_provider; echo "$LINE"', files)).toBe(`${provider}\n`);
    expect(withLease(shell, {}, 'look_at_provider; echo "$LINE"')).toBe("\n");
  });

  it("writes the rules of a lease", () => {
    const golden = readFileSync(new URL("./golden/rules.nft", import.meta.url), "utf8");
    expect(withLease(shell, {}, `UPLINKS='"eth0"'\nrules_text`)).toBe(golden);
  });

  const BRIDGES = "docker0 nat nat\nbr-0123456789ab nat routed\nshop0 nat nat\n";
  /** A server with a second card on which forwarding was off, with the Docker given. */
  const withDocker = (version: string, text: string) =>
    `dockerd() { echo 'Docker version ${version}, build 1'; }
UPLINKS='"eth0"' CARDS='"eth0", "eth1"'
systemctl() {
  echo 'EnvironmentFiles=/etc/default/docker (ignore_errors=yes)'
  echo 'ExecStartEx={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS ; flags= ; pid=0 }'
}
look_at_docker_major
look_at_docker_word
${text}`;
  const OFF = "net/ipv4/ip_forward=0\nnet/ipv6/conf/all/forwarding=0\n";

  it("writes the rules of a lease for Docker 29's own tables, and closes the forwarding that was off", () => {
    const golden = readFileSync(new URL("./golden/rules-29.nft", import.meta.url), "utf8");
    const files = {
      "/etc/docker/daemon.json": '{"firewall-backend":"nftables"}',
      "/var/lib/meshboot/bridges": BRIDGES,
      "/var/lib/meshboot/sysctls": OFF,
    };
    expect(withLease(shell, {}, withDocker("29.7.2", "rules_text"), files)).toBe(golden);
  });

  it.each([
    ["20.10.24+dfsg1", '{"a": 1}', ["iifname != {", "fc00::/7", "drop"]],
    ["26.1.5", "", ["iifname != {", "fc00::/7", "drop"]],
    ["28.5.2", "", []],
    ["29.7.2", "", []],
    ["29.7.2", '{"firewall-backend":"nftables"}', ["drop"]],
    ["29.7.2", '{"firewall-backend":"nftables","allow-direct-routing":true}', []],
    ["26.1.5", '{"allow-direct-routing":true}', []],
  ])(
    "closes containers' own addresses outside of the lease for Docker %s, daemon.json %j",
    (version, json, words) => {
      const out = withLease(shell, {}, withDocker(version, "direct_chain"), {
        "/etc/docker/daemon.json": json,
      });
      expect(out === "").toBe(words.length === 0);
      for (const word of words) expect(out).toContain(word);
      expect(out.includes("iifname != {")).toBe(words.includes("iifname != {"));
    },
  );

  it.each([
    ["there is none of its networks", ":", true],
    ["Docker has never told", 'touch "$R$DOCKER_NETWORKS"', false],
    ["Docker has told", 'touch "$R$DOCKER_NETWORKS"; touch "$STATE/bridges"', true],
    [
      "Docker's networks have changed since it told",
      'touch -d @1000000 "$STATE/bridges"; touch -d @1000001 "$R$DOCKER_NETWORKS"',
      false,
    ],
  ])("takes bridges for the user's own where %s, and else closes them as Docker's", (_, files, isOwn) => {
    const text = `mkdir -p "$R/sys/class/net/br-web" "$R/var/lib/docker/network/files"; ${files}; direct_chain; closing_rules`;
    const out = withLease(shell, {}, withDocker("26.1.5", text), { "/var/lib/meshboot/sysctls": OFF });
    const own = '!= { "br-web" }';
    expect(out).toContain(
      isOwn ? `fib daddr oifname "br-*" fib daddr oifname ${own} drop\n` : 'fib daddr oifname "br-*" drop\n',
    );
    // Fewer of them are let through to there.
    expect(out).toContain(`oifname "br-*" oifname ${own} accept\n`);
  });

  it("asks Docker for its bridges until it has told, where there are some of the user's own, and has the rules anew then", () => {
    const text = `mkdir -p "$R/sys/class/net/br-web" "$R/var/lib/docker/network/files"; touch "$R$DOCKER_NETWORKS"
find_docker_socket() { :; }; timeout() { shift; "$@"; }; TMP=$STATE STEP=rules
load_rules() { direct_chain | grep -e '"br-[*]"'; }
systemctl() { case $1 in is-active) echo $NOW ;; esac; }
docker() { [ "$2" = ls ] && return; }
dockerd() { echo 'Docker version 26.1.5, build 1'; }; look_at_docker_major; look_at_docker_word
(NOW=activating; rules_keep) 2>&1 || echo again
(NOW=inactive; rules_keep) 2>&1
NOW=active; rules_keep >"$TMP/said"; tail -n 1 "$TMP/said"`;
    const closed = 'fib daddr oifname "br-*" drop';
    expect(withLease(shell, {}, text).trim().split("\n")).toEqual([
      closed,
      expect.stringContaining("rules: failed: dockerd has not told its bridges yet"),
      "again",
      closed,
      'fib daddr oifname "br-*" fib daddr oifname != { "br-web" } drop',
    ]);
  });

  it.each([
    ["cannot say what its networks are", "echo 1", "return 124", "172.28.64.0/20 "],
    ["says that they are gone", "echo 1", ":", ""],
    ["has none", ":", "return 124", ""],
  ])("spares Docker's networks of before while dockerd %s: %s, %s", (_, ls, inspect, spared) => {
    const text = `TMP=$R ALLOW_OVERLAP=off; mkdir -p "$R/sys/class/net/ztabcdefgh"
is_running() { :; }; timeout() { shift; "$@"; }; docker() { case $2 in ls) ${ls} ;; *) ${inspect} ;; esac; }
look_at_overlapping; remember_spared >/dev/null; cat "$STATE/spared-docker"`;
    const files = { "/var/lib/meshboot/spared-docker": "172.28.64.0/20 \n" };
    expect(withLease(shell, {}, text, files)).toBe(`${spared}\n`);
  });

  it.each([
    ["was off", {}, "ipv4\nipv6\n"],
    ["was on", { "/var/lib/meshboot/sysctls": "" }, ""],
    ["was off for IPv4", { "/var/lib/meshboot/sysctls": "net/ipv4/ip_forward=0\n" }, "ipv4\n"],
    [
      "was on by dockerd, which had closed it",
      {
        "/var/lib/meshboot/sysctls": "",
        "/var/lib/meshboot/forward4": "-P FORWARD DROP\n",
        "/var/lib/meshboot/closed6": "-P FORWARD DROP\n",
      },
      "ipv4\nipv6\n",
    ],
    [
      "was on by the user, and closed by him",
      {
        "/var/lib/meshboot/sysctls": "",
        "/var/lib/meshboot/forward4": "-P FORWARD DROP\n",
        "/etc/sysctl.d/router.conf": "net.ipv4.ip_forward = 1\n",
      },
      "",
    ],
    ["is nobody's", { "/etc/docker/daemon.json": '{"ip-forward": false}' }, ""],
    ["is to stay open", { "/etc/docker/daemon.json": '{"ip-forward-no-drop": true}' }, ""],
    ["is not to stay open", { "/etc/docker/daemon.json": '{"ip-forward-no-drop": false}' }, "ipv4\nipv6\n"],
    ["is the user's, by iptables", { "/etc/docker/daemon.json": '{"iptables": false}' }, ""],
    ["is the user's, by ip6tables", { "/etc/docker/daemon.json": '{"ip6tables": false}' }, "ipv4\n"],
    ["is to stay open by a flag", { "/etc/default/docker": 'DOCKER_OPTS="--ip-forward-no-drop"\n' }, ""],
    ["is nobody's by a flag", { "/etc/default/docker": 'DOCKER_OPTS="--debug --ip-forward=false"\n' }, ""],
    [
      "has a flag in a comment",
      { "/etc/default/docker": "#DOCKER_OPTS=--ip-forward=false\n" },
      "ipv4\nipv6\n",
    ],
    [
      "has a flag in a variable that the command does not have",
      { "/etc/default/docker": "OLD_OPTS=--ip-forward=false\n" },
      "ipv4\nipv6\n",
    ],
    [
      "has a flag that a later one takes back",
      { "/etc/default/docker": 'DOCKER_OPTS="--iptables=false --iptables"\n' },
      "ipv4\nipv6\n",
    ],
    ["is nobody's by another word for it", { "/etc/default/docker": "DOCKER_OPTS=--ip-forward=0\n" }, ""],
    [
      "is nobody's by a file of another name",
      {
        "/etc/default/docker": 'DOCKER_OPTS="--config-file /etc/docker/mine.json"\n',
        "/etc/docker/mine.json": '{"ip-forward": false}',
      },
      "",
    ],
    [
      "was off, and a file of the user's has it on from the next boot on",
      { "/etc/sysctl.d/router.conf": "net.ipv4.ip_forward = 1\n" },
      "ipv6\n",
    ],
  ])("closes forwarding where dockerd would have: it %s", (_, files, families) => {
    const all = { "/var/lib/meshboot/sysctls": OFF, ...files };
    expect(withLease(shell, {}, withDocker("28.5.2", "closed_families"), all)).toBe(families);
  });

  const ON = "net.ipv4.ip_forward = 1\n";
  const LAN = "/systemd/network/10-lan.network";
  const FORWARDS = "[Match]\nName=eth1\n[Network]\nIPForward=yes\n";
  it.each<[string, string, number, Readonly<Record<string, string>>]>([
    ["a file of a package's", "ipv4", 252, { "/usr/lib/sysctl.d/50-router.conf": ON }],
    [
      "a file of a package's that the user has emptied",
      "",
      252,
      { "/usr/lib/sysctl.d/50-router.conf": ON, "/etc/sysctl.d/50-router.conf": "" },
    ],
    [
      "a file that a later one takes back",
      "",
      252,
      { "/etc/sysctl.d/10-router.conf": ON, "/usr/lib/sysctl.d/20-closed.conf": "-net/ipv4/ip_forward=0\n" },
    ],
    ["the sysctl of all interfaces", "ipv4", 252, { "/etc/sysctl.conf": "net.ipv4.conf.all.forwarding=1\n" }],
    ["a network's IPForward", "ipv4 ipv6", 252, { [`/etc${LAN}`]: FORWARDS }],
    ["a network's IPForward of one family", "ipv6", 252, { [`/run${LAN}`]: "[Network]\nIPForward=IPv6\n" }],
    ["a network's IPForward, from systemd 256 on", "", 256, { [`/etc${LAN}`]: FORWARDS }],
    ["that in another section", "", 252, { [`/etc${LAN}`]: "[Network]\n[Match]\nIPForward=yes\n" }],
    [
      "that, taken back by a drop-in",
      "",
      252,
      { [`/etc${LAN}`]: FORWARDS, [`/run${LAN}.d/x.conf`]: "[Network]\nIPForward=no\n" },
    ],
    [
      "that, in a drop-in of a network that the user has emptied",
      "",
      252,
      { [`/usr/lib${LAN}`]: FORWARDS, [`/etc${LAN}`]: "", [`/etc${LAN}.d/x.conf`]: FORWARDS },
    ],
    ["a network that masquerades", "ipv4", 252, { [`/etc${LAN}`]: "[Network]\nIPMasquerade=ipv4\n" }],
    [
      "one that systemd brings for its containers",
      "",
      252,
      { "/usr/lib/systemd/network/80-ve.network": "[Network]\nIPMasquerade=both\nIPv6SendRA=yes\n" },
    ],
    [
      "networkd.conf",
      "ipv4",
      257,
      { "/etc/systemd/networkd.conf": "[Network]\nIPv4Forwarding = true\nIPv6Forwarding=no\n" },
    ],
    [
      "networkd.conf by a drop-in",
      "ipv6",
      257,
      { "/usr/lib/systemd/networkd.conf.d/router.conf": "[Network]\nIPv6Forwarding=1\n" },
    ],
    [
      "networkd.conf before systemd 256",
      "",
      255,
      { "/etc/systemd/networkd.conf": "[Network]\nIPv4Forwarding=yes\n" },
    ],
  ])("reads who switches forwarding on: %s", (_, families, systemd, files) => {
    const text = `systemctl() { case $1 in --version) echo 'systemd ${systemd} (${systemd}.1-1)' ;; *) echo active ;; esac; }
said=''; for key in ipv4/ip_forward ipv6/conf/all/forwarding; do ! is_set_by_user net/$key || said="$said \${key%%/*}"; done; echo $said`;
    expect(withLease(shell, {}, text, files)).toBe(`${families}\n`);
  });

  it("does not take a file that is a link to nowhere for the user's word, nor networkd's where it does not run", () => {
    const text = `mkdir -p "$R/etc/sysctl.d"; ln -s /dev/null "$R/etc/sysctl.d/50-router.conf"
is_set_by_user net/ipv4/ip_forward || echo none`;
    const files = { "/usr/lib/sysctl.d/50-router.conf": ON, [`/etc${LAN}`]: FORWARDS };
    expect(withLease(shell, {}, text, files)).toBe("none\n");
  });

  it.each([
    ["iptables to nftables", "--bip=10.9.0.1/24", '{"firewall-backend":"nftables"}', "29.7.2"],
    [
      "the same, with one of them in daemon.json",
      "--bip=10.9.0.1/24",
      '{"firewall-backend":"nftables","allow-direct-routing":true}',
      "29.7.2",
    ],
    [
      "nftables to iptables",
      "--bip=10.9.0.1/24 --allow-direct-routing --bridge-accept-fwmark=0x100000/0x100000",
      "",
      "29.7.2",
    ],
    [
      "29 back to 28",
      "--bip=10.9.0.1/24 --allow-direct-routing --bridge-accept-fwmark=0x100000/0x100000",
      '{"firewall-backend":"nftables"}',
      "28.5.2",
    ],
  ])("gives dockerd its backend's options before its next start: %s", (_, had, json, version) => {
    const files = {
      "/etc/docker/daemon.json": json,
      "/etc/meshboot/dockerd.env": `MESHBOOT_OPTIONS="${had}"\n`,
    };
    const text =
      'backend_up >/dev/null; cat "$ETC/dockerd.env"; systemctl() { echo active; }; echo "MESHBOOT_OPTIONS=\\"--bip=1\\"" >"$ETC/dockerd.env"; backend_up; cat "$ETC/dockerd.env"';
    const direct = json.includes("direct") ? "" : " --allow-direct-routing";
    const options =
      json.includes("nftables") && version.startsWith("29")
        ? `${direct} --bridge-accept-fwmark=0x100000/0x100000`
        : "";
    expect(withLease(shell, {}, withDocker(version, text), files)).toBe(
      `MESHBOOT_OPTIONS="--bip=10.9.0.1/24${options}"\nMESHBOOT_OPTIONS="--bip=1"\n`,
    );
  });

  it("reads what a daemon.json in UTF-16 says", () => {
    const text = `mkdir -p "$R/etc/docker"
echo '{"firewall-backend":"nftables"}' | iconv -f UTF-8 -t UTF-16 >"$R/etc/docker/daemon.json"
has_nft_backend; docker_is_told iptables false || echo read`;
    expect(withLease(shell, {}, withDocker("29.7.2", text))).toBe("read\n");
  });

  it("names network cards: those of default routes, and others with an address, but no bridge, tunnel or container's end", () => {
    const text = `ip() {
case $* in
'-4 route show default') echo 'default via 203.0.113.1 dev ens3' ;;
'-6 route show default') echo 'default via fe80::1 dev ens4 metric 1' ;;
'-o link show type veth') printf '5: eth1@if9: <UP> mtu 1500 link/ether 02:00\n6: veth12@if2: <UP> mtu 1500 master docker0 state UP\n' ;;
'-o link show type vlan') echo '7: ens3.40@ens3: <UP> mtu 1500' ;;
'-o link show type bond') : ;;
'-o addr show scope global') printf '%s: %s inet 10.0.0.1/8 scope global\n' 2 ens3 3 ens5 5 eth1 7 ens3.40 8 wg0 9 docker0 10 br-lan 11 ens6 ;;
esac
}
mkdir -p "$R/sys/class/net/ens5/device" "$R/sys/class/net/ens6/device" "$R/sys/class/net/ens6/master" "$R/sys/class/net/ens7/device" "$R/sys/class/net/wg0"
look_at_uplinks; look_at_cards; echo "$CARDS"`;
    expect(withLease(shell, {}, text)).toBe('"ens3", "ens4", "ens5", "eth1", "ens3.40"\n');
  });

  it.each([
    ["a next hop of its own", "default nhid 12 via 203.0.113.1 dev ens3 proto dhcp", '"ens3"'],
    ["no gateway", "default dev ppp0 scope link", '"ppp0"'],
    [
      "several next hops",
      String.raw`default proto static\n\tnexthop via 203.0.113.1 dev ens3 weight 1\n\tnexthop via 198.51.100.1 dev ens4 weight 1`,
      '"ens3", "ens4"',
    ],
    ["several next hops of its own", "default nhid 9 nhid 4 via 203.0.113.1 dev ens3 metric 5", '"ens3"'],
  ])("knows the interface of a default route with %s", (_, route, uplinks) => {
    const text = `ip() { case $* in '-4 route show default') printf '${route}\n' ;; esac; }; look_at_uplinks; echo "$UPLINKS"`;
    expect(withLease(shell, {}, text)).toBe(`${uplinks}\n`);
  });

  it.each([
    ["28.5.2", '{"firewall-backend":"nftables"}', "", false],
    ["29.7.2", "", "", false],
    ["29.7.2", '{"firewall-backend": "iptables"}', "", false],
    ["29.7.2", '{"debug": true, "firewall-backend": "nftables"}', "", true],
    ["29.7.2", "", 'DOCKER_OPTS="--firewall-backend=nftables"\n', true],
    ["29.7.2", "", '#DOCKER_OPTS="--firewall-backend=nftables"\n', false],
  ])(
    "marks what comes from the mesh for Docker %s, daemon.json %j, defaults %j: %j",
    (version, json, defaults, marks) => {
      const files = { "/etc/docker/daemon.json": json, "/etc/default/docker": defaults };
      const text = withDocker(version, "rules_text; backend_options");
      const rules = `hook forward priority -1; policy accept;
iifname "ztabcdefgh" ip daddr 172.28.233.0/24 meta mark set mark or 0x100000
iifname "ztabcdefgh" ip6 daddr fc9c:56c2:e34e:8d87:c868::/80 meta mark set mark or 0x100000
`;
      const options = "--allow-direct-routing --bridge-accept-fwmark=0x100000/0x100000\n";
      const out = withLease(shell, {}, text, files);
      expect(out.includes(rules)).toBe(marks);
      expect(out.endsWith(options)).toBe(marks);
    },
  );

  it.each([
    ["8056c2e21c000001", "4e8d87c868", "fc9c:56c2:e300::/40", "fc9c:56c2:e34e:8d87:c868::/80"],
    ["8056c2e280560101", "4e8d87c868", "fc00:c3:e300::/40", "fc00:c3:e34e:8d87:c868::/80"],
    ["8056c2e28056c201", "4e8d870000", "fc00:0:e300::/40", "fc00:0:e34e:8d87::/80"],
    ["8056c2e28056c2e2", "4e8d87c868", "fc00::/40", "fc00:0:4e:8d87:c868::/80"],
  ])("writes the prefixes of network %s, node %s as RFC 5952 has them", (network, node, mesh, own) => {
    const text = 'echo "$MESH6 $SUBNET6"';
    expect(withLease(shell, { network, node }, text)).toBe(`${mesh} ${own}\n`);
    for (const address of [mesh, own].map((prefix) => prefix.replace(/\/.*/, "")))
      expect(new URL(`http://[${address}]`).hostname).toBe(`[${address}]`);
  });

  it("routes every slot but its own", () => {
    const lines = withLease(shell, {}, "routes_batch </dev/null").trim().split("\n");
    expect(lines).toHaveLength(238);
    expect(lines[0]).toBe(
      "route replace 172.28.1.0/24 via 10.147.17.1 dev ztabcdefgh proto static metric 5100",
    );
    expect(lines.at(-1)).toContain("172.28.239.0/24 via 10.147.17.239 ");
    expect(lines.join()).not.toContain("172.28.233.0");
  });

  it("routes a large pool", () => {
    const lines = withLease(shell, { settings: LARGE, slot: 300 }, "routes_batch </dev/null")
      .trim()
      .split("\n");
    expect(lines).toHaveLength(4094);
    expect(lines.at(-1)).toContain("172.31.255.0/24 via 10.147.15.255 ");
  });

  it("changes only the routes that are wrong, and none that are not ours", () => {
    const there = `have() { routes_batch <<EOF
172.28.1.0/24 via 10.147.17.1 metric 5100
172.28.2.0/24 via 10.147.17.9 metric 5100
172.28.240.0/24 via 10.147.17.240 metric 5100
172.28.3.0/24 via 10.147.17.3 metric 5000
10.9.0.0/16 via 10.147.17.7
EOF
}
have | grep -E ' 172.28.(1|2|3|240).0/|10.9.'; echo; UNDO=yes; have`;
    const tail = "dev ztabcdefgh proto static metric 5100";
    const [apply = "", undo = ""] = withLease(shell, {}, there).split("\n\n");
    expect(apply.split("\n")).toEqual([
      `route replace 172.28.2.0/24 via 10.147.17.2 ${tail}`,
      `route replace 172.28.3.0/24 via 10.147.17.3 ${tail}`,
      `route del 172.28.240.0/24 ${tail}`,
    ]);
    expect(undo.trim().split("\n").sort()).toEqual([
      `route del 172.28.1.0/24 ${tail}`,
      `route del 172.28.2.0/24 ${tail}`,
      `route del 172.28.240.0/24 ${tail}`,
    ]);
  });

  it("spares Docker's networks from before dockerd runs, and looks at them anew when it does", () => {
    const text = `TMP=$STATE/run ALLOW_OVERLAP=off
timeout() { shift; "$@"; }
is_running() { [ "$dockerd" != off ]; }
has() { [ "$dockerd" != gone ]; }
docker() {
  case "$dockerd $2" in
  'starting ls') return 1 ;;
  'on ls') echo id ;;
  'on inspect') echo "$network bridge shop" ;;
  esac
}
ip() {
  [ "$*" = '-o -4 addr show' ] || return 0
  echo "$card"
  [ "$dockerd" != on ] || echo "5: br-shop    inet $network scope global br-shop"
}
look() { # DOCKERD NETWORK ADDRESS
  dockerd=$1 network=$2 card="2: eth0    inet $3 scope global eth0"
  rm -rf "$TMP"; mkdir "$TMP"
  look_at_overlapping
  remember_spared >/dev/null
  echo "$1: $(cat "$STATE/spared")"
}
for dockerd in on off starting off; do look $dockerd 172.28.16.0/20 172.28.128.9/17; done
look off '' 192.0.2.2/24; look on 172.28.16.0/20 192.0.2.2/24; ALLOW_OVERLAP=on; look off '' 192.0.2.2/24; ALLOW_OVERLAP=off
look on 172.28.32.0/20 192.0.2.2/24; look off '' 192.0.2.2/24; look on 192.168.1.0/24 192.0.2.2/24; look off '' 192.0.2.2/24
look on 172.28.16.0/20 192.0.2.2/24; look gone '' 192.0.2.2/24`;
    const out = withLease(shell, {}, text).trim();
    const card = "172.28.128.0/17";
    expect(out.split("\n").map((line) => line.trim())).toEqual([
      ...["on", "off", "starting", "off"].map((dockerd) => `${dockerd}: ${card} 172.28.16.0/20`),
      "off: 172.28.16.0/20",
      "on: 172.28.16.0/20",
      "off:",
      "on: 172.28.32.0/20",
      "off: 172.28.32.0/20",
      "on:",
      "off:",
      "on: 172.28.16.0/20",
      "gone:",
    ]);
  });

  it.each([
    ["curl: (5) no proxy 'http://user:s3cret@proxy:3128'", "curl: (5) no proxy 'http://***@proxy:3128'"],
    ["http://me@corp.example:s3cr:e/t@s3cret@p:1, https://:s3cret@q/x", "http://***@p:1, https://***@q/x"],
    ["by http://tok_s3cret@p:1, https://s3cret:@q/x", "by http://***@p:1, https://***@q/x"],
    [
      "https://w: curl: (5) Unsupported proxy syntax in 'tok_s3cret@p q'",
      "https://w: curl: (5) Unsupported proxy syntax in '***@p q'",
    ],
    ["Unsupported proxy syntax in 'me:s3cr et@p q'", "Unsupported proxy syntax in '***@p q'"],
    ["Unsupported proxy syntax in 'http://s3cret@p q'", "Unsupported proxy syntax in 'http://***@p q'"],
    ["https://host:8443 and me@example.com", "https://host:8443 and me@example.com"],
    ["https://host/me@x a:b@c", "https://host/me@x a:b@c"],
  ])("says of %j all but a password, or a token, with its user", (text, said) => {
    const script = `TMP=$R LOG=$R/log RUN=$R STEP=step LINK=link JSON='' COLOR='' WARNINGS=0 FAULTS=0 BROKEN=''
text="${text}"
say "$text"
{ advise "$text"; warn "$text"; (fail "$text") || :; (refuse "$text") || :; end_with 1 "$text"; (end_as_said) || :; } 2>&1
DRY=yes; run "$text"; DRY=''
finding fault "$text" "$text" "$text"
JSON=yes; finding fault "$text" "$text" "$text"; findings_as_json <"$TMP/findings"; echo
printable "$text"
log_as_json`;
    const out = withLease(shell, {}, script);
    expect(out).not.toContain("s3c");
    const lines = out.split("\n");
    expect(lines).toHaveLength(14);
    for (const line of lines) expect(line).toContain(said);
    expect(out.split(said)).toHaveLength(1 + 8 + 3 + 3 + 1 + 8);
  });

  it("cuts no password in two", () => {
    const text = `printable "${"x".repeat(185)} http://user:s3cret@proxy"; printable "${"x".repeat(9)}" 7`;
    expect(withLease(shell, {}, text)).toBe(`${"x".repeat(185)} http://***@pro\n${"x".repeat(7)}\n`);
  });

  it.each([
    ["", ""],
    ["http://me:s3cret@p:2", "http://***@p:2"],
    ["me:s3cret@p:2", "http://***@p:2"],
    ["http://tok_s3cret@p:2", "http://***@p:2"],
    ["tok_s3cret@p:2", "http://***@p:2"],
    ["p:2", "http://p:2"],
  ])("names the proxy %j without its user and password", (proxy, named) => {
    const text = `URL=https://mesh.example.com https_proxy='${proxy}'; proxy_of_worker`;
    expect(withLease(shell, {}, text).trim()).toBe(named);
  });

  it("shows no password of a setting", () => {
    const text = "read_settings 2>&1 || :";
    const conf = (line: string) => ({ "/etc/meshboot/meshboot.conf": `${line}\n` });
    const script = `(${text}) || :`;
    for (const key of ["URL", "ZEROTIER_REPOSITORY", "NAME"])
      expect(withLease(shell, {}, script, conf(`${key}=https://me:s3cret@mesh.example.com`))).toContain(
        `${key}=https://***@mesh.example.com is not known`,
      );
  });

  it.each([
    ["who answers instead of the Worker", "FOREIGN=$words; the_problem"],
    ["a Docker network", 'network_name "docker:$words"'],
    ["what is done about it", 'network_remedy 192.0.2.0/24 "docker:$words"'],
    ["an overlap", 'overlap_text 192.0.2.0/24 "docker:$words"'],
    ["somebody's route", 'foreign_remedy "192.0.2.0/24 $words"'],
    ["what apt says", `printf 'E: %s\\n' "$words" >"$TMP/apt"; apt_says`],
    ["the last line of another agent", `printf '%s\\n' "$words" >"$TMP/said"; last_line`],
    [
      "the place of daemon.json",
      `docker_words() { printf '%s\\n' dockerd "--config-file=/$words"; }; look_at_docker_words; printf '%s\\n' "$DAEMON_JSON"`,
    ],
    ["an option of dockerd's", 'missing=" --label=$words" surplus=""; options_not_in_force'],
    ["a key of the build's", 'MESHBOOT_BUILD_KEY="ssh-ed25519 $words x"; build_keys'],
  ])("takes %s with a backslash for what it is", (_, text) => {
    const words = String.raw`a\tb\c\x41`;
    expect(withLease(shell, {}, `TMP=$R; words='${words}'\n${text}`)).toContain(words);
  });

  it("deletes no table that has more than a backslash behind it", () => {
    const text = String.raw`TMP=$R; : >"$STATE/tables"
nft() {
  case $* in
  'list table ip raw') printf '%s\n' 'table ip raw {' ' chain mine { comment "C:\c"' '  tcp dport 22 accept' ' }' '}' ;;
  'list table ip nat') printf '%s\n' 'table ip nat {' ' chain mine {' ' }' '}' ;;
  list*) return 1 ;;
  *) echo "nft $*" ;;
  esac
}
tables_down`;
    expect(withLease(shell, {}, text).match(/nft .*/g)).toEqual([
      expect.stringContaining("nft of tables"),
      "nft delete table ip nat",
    ]);
  });

  it("takes pools for other networks outside the mesh and of what the host uses", () => {
    const networks =
      "host_networks() { printf '%s\\n' '172.17.5.0/24 eth1' '172.18.0.0/16 docker:shop' '10.0.0.0/8 eth0'; }\nip() { :; }";
    expect(withLease(shell, {}, `${networks}\nouter_pools`)).toBe("172.29.0.0/16\n172.30.0.0/16\n");
    const kept = { "/etc/resolv.conf": "nameserver 172.29.0.2\nnameserver 192.168.7.1\n" };
    expect(withLease(shell, {}, `${networks}\nouter_pools`, kept)).toBe("172.30.0.0/16\n172.31.0.0/16\n");
    expect(withLease(shell, { settings: LARGE }, `${networks}\nouter_pools`)).toBe(
      "192.168.0.0/16\n198.18.0.0/16\n",
    );
    const low = { zerotier: "10.147.17.0/24", docker: "10.8.0.0/16", nodePrefix: 24 };
    expect(withLease(shell, { settings: low }, `${networks}\nouter_pools`)).toBe(
      "172.18.0.0/16\n172.19.0.0/16\n",
    );
  });

  it.each([
    ["20.10.24+dfsg1", "auto", "on", "--experimental --ip6tables"],
    ["26.1.5+dfsg1", "docker", "off", "--experimental --ip6tables --userland-proxy=false"],
    ["26.1.5+dfsg1", "off", "on", ""],
    ["27.5.1", "auto", "on", ""],
    ["28.5.2+dfsg4", "off", "on", "--ip6tables=false"],
    ["29.7.2", "docker", "on", ""],
    ["20.10.24+dfsg1", "container", "on", ""],
    ["28.5.2+dfsg4", "container", "off", "--ip6tables=false --userland-proxy=false"],
  ])("asks Docker %s with IPV6NAT=%s, USERLAND_PROXY=%s for %j", (version, nat, proxy, options) => {
    const text = `dockerd() { echo 'Docker version ${version}, build 1'; }\nIPV6NAT=${nat} USERLAND_PROXY=${proxy}\nnat_options`;
    expect(withLease(shell, {}, text).trim().replace("\n", " ")).toBe(options);
  });

  it("knows the words that systemd makes of dockerd's command", () => {
    const files = {
      "/etc/default/docker": `# --bip=1
 ; DOCKER_OPTS=no
DOCKER_OPTS="--dns 1.1.1.1 \\
 --label='a b' \\$x" # y
BARE= a  "b"\t
JOINED='q'"r"  s
ESCAPED=a\\ b\\
c
EMPTY=
1X=no
OVER=file`,
      "/etc/meshboot/dockerd.env": 'MESHBOOT_OPTIONS="--bip=172.28.233.1/25"\n',
    };
    const words = [
      ["/usr/bin/dockerd -H fd://", "/usr/bin/dockerd", "-H", "fd://"],
      ["$DOCKER_OPTS", "--dns", "1.1.1.1", "--label=a b", "$x#", "y"],
      [`<\${BARE}> $BARE`, '<a  "b">', "a", "b"],
      ["$JOINED $ESCAPED", "qrs", "a", "bc"],
      [`$EMPTY \${EMPTY}. $NONE \${NONE}.`, ".", "."],
      ["$OVER $UNDER", "file", "--bip=10.1.1.1/24", "--x y", "$"],
      ["$$OVER a$OVER $1X $MESHBOOT_OPTIONS", "$OVER", "a$OVER"],
    ] as const;
    const text = words
      .map(
        ([
          command,
        ]) => `DOCKER_COMMAND='${command}' DOCKER_ENVIRONMENTS='/etc/default/d* /etc/meshboot/dockerd.env'
DOCKER_ENVIRONMENT='OVER=unit "UNDER=--bip=10.1.1.1/24 \\"--x y\\" \\$" DOCKER_OPTS=no'
docker_words | sed 's/^/ /'; echo ---`,
      )
      .join("\n");
    const out = withLease(shell, {}, text, files).split("---\n").slice(0, -1);
    const found = out.map((lines) => lines.split("\n ").map((word) => word.trim()));
    expect(found).toEqual(words.map(([_, ...expected]) => expected));
  });

  it("writes for dockerd what it is to have", () => {
    const text = `dockerd() { echo 'Docker version 28.5.2, build 1'; }
DOCKER_ENABLED=masked
printf '%s\\n' 172.17.0.0/16 172.18.0.0/16 >"$STATE/pools"
choose_options
write_docker_files >/dev/null
cat "$R/etc/meshboot/dockerd.env"`;
    expect(
      withLease(shell, {}, text, {}),
    ).toBe(`MESHBOOT_OPTIONS="--bip=172.28.233.1/25 --fixed-cidr=172.28.233.0/25 --ipv6 --fixed-cidr-v6=fc9c:56c2:e34e:8d87:c868::/81 --default-address-pool=base=fc9c:56c2:e34e:8d87:c868:8000::/81,size=96 --default-address-pool=base=172.28.233.128/25,size=28 --default-address-pool=base=172.17.0.0/16,size=24 --default-address-pool=base=172.18.0.0/16,size=24"
`);
  });

  it("merges the user's local.conf, once", () => {
    const own =
      '{"settings":{"primaryPort":9994,"interfacePrefixBlacklist":["wg"]},"physical":{"10.9.0.0/16":{"blacklist":true}}}';
    const text = `reload_unit() { :; }\nlocal_conf_up >/dev/null; cat "$ZT/local.conf"; local_conf_up`;
    const [merged = "", again] = withLease(shell, {}, text, {
      "/var/lib/zerotier-one/local.conf": own,
    }).split("\n");
    const blacklist = { blacklist: true };
    expect(JSON.parse(merged)).toEqual({
      settings: { primaryPort: 9994, interfacePrefixBlacklist: ["br-", "docker", "veth", "wg"] },
      physical: {
        "10.9.0.0/16": blacklist,
        "10.147.17.0/24": blacklist,
        "172.28.0.0/16": blacklist,
        "fc9c:56c2:e300::/40": blacklist,
      },
    });
    expect(again).toBe("");
  });

  it("keeps what somebody has added to our own local.conf, on the line that we wrote", () => {
    const text = `local_conf_up >/dev/null; sed -i 's|"veth"[]]|&,"bind":["203.0.113.5"]|' "$ZT/local.conf"
local_conf_up >/dev/null; cat "$ZT/local.conf"`;
    expect(JSON.parse(withLease(shell, {}, text)).settings).toEqual({
      interfacePrefixBlacklist: ["br-", "docker", "veth"],
      bind: ["203.0.113.5"],
    });
  });

  it.each([
    [
      "a text, which is the one name that was meant",
      '{"settings":{"interfacePrefixBlacklist":"docker"}}',
      [],
    ],
    ["a text of its owner's", '{"settings":{"interfacePrefixBlacklist":"eth1"}}', ["eth1"]],
    ["a byte order mark", '\ufeff{"settings":{"interfacePrefixBlacklist":["wg"]}}', ["wg"]],
    ["a null", '{"settings":null,"physical":null}', []],
    ["what is no name", '{"settings":{"interfacePrefixBlacklist":[7,null,["x"],"wg"]}}', ["wg"]],
    [
      "the same key twice",
      '{"settings":{"interfacePrefixBlacklist":["a1"],"interfacePrefixBlacklist":["b1"]}}',
      ["b1"],
    ],
  ])(
    "takes of a local.conf with %s no letter for a name, and keeps ZeroTier off no other device",
    (_, own, names) => {
      const text =
        'local_conf_up >/dev/null; cat "$ZT/local.conf"; local_conf_up; local_conf_down; drop_files . >/dev/null; cat "$ZT/local.conf"';
      const path = "/var/lib/zerotier-one/local.conf";
      const [merged = "", after] = withLease(shell, {}, text, { [path]: own }).split("\n");
      expect(JSON.parse(merged).settings.interfacePrefixBlacklist).toEqual(
        ["br-", "docker", ...names, "veth"].sort(),
      );
      expect(after).toBe(own);
    },
  );

  it("takes back the letters that an older agent took for names", () => {
    const path = "/var/lib/zerotier-one/local.conf";
    const own = '{"settings":{"interfacePrefixBlacklist":"docker"}}';
    const letters = ["br-", ..."cdekor", "docker", "veth", "x"];
    const files = {
      [path]: JSON.stringify({ settings: { interfacePrefixBlacklist: letters } }),
      "/var/lib/meshboot/files": `${path}\n`,
      "/var/lib/meshboot/kept/%var%lib%zerotier-one%local.conf": own,
    };
    const [healed = "", left] = withLease(
      shell,
      {},
      'local_conf_up >/dev/null; cat "$ZT/local.conf"; local_conf_down >/dev/null; drop_files . >/dev/null; cat "$ZT/local.conf"',
      files,
    ).split("\n");
    expect(JSON.parse(healed).settings.interfacePrefixBlacklist).toEqual(["br-", "docker", "veth", "x"]);
    expect(JSON.parse(left ?? "").settings.interfacePrefixBlacklist).toEqual(["docker", "x"]);
  });

  it.each([
    ["comments", '// mine\n{"settings":{}}'],
    ["a list", "[]"],
    ["settings that are none", '{"settings":["interfacePrefixBlacklist"]}'],
    ["a number for a list", '{"settings":{"interfacePrefixBlacklist":7}}'],
    ["ranges that are none", '{"physical":"10.0.0.0/8"}'],
  ])("leaves a local.conf with %s as it is, and says what to add", (_, own) => {
    const path = "/var/lib/zerotier-one/local.conf";
    const out = withLease(shell, {}, 'local_conf_up 2>&1; cat "$ZT/local.conf"', { [path]: own });
    expect(out).toContain("add docker, br-, veth to its interfacePrefixBlacklist");
    expect(out.endsWith(own)).toBe(true);
  });

  it("keeps accept_ra=2 for an interface that is away, until that is there with 0", () => {
    const line = (device: string) => `net/ipv6/conf/${device}/accept_ra=2`;
    const files = {
      "/etc/sysctl.d/90-meshboot.conf": `${["eth0", "wwan0", "usb0"].map(line).join("\n")}\n`,
      "/proc/sys/net/ipv6/conf/eth0/accept_ra": "2\n",
      "/proc/sys/net/ipv6/conf/usb0/accept_ra": "0\n",
    };
    const text = `ip() { [ "$*" != '-4 route show default' ] || echo 'default dev tun0'; }
sysctls_up >/dev/null; grep accept_ra "$R$SYSCTL"; echo "net/ipv6/conf/wwan0/accept_ra=1" >"$STATE/sysctls"
TMP=$STATE; accept_ra_down 2>&1`;
    expect(withLease(shell, {}, text, files)).toBe(`${line("eth0")}\n${line("wwan0")}\n`);
  });

  const DIGITS = [..."0123456789abcdef"];
  const under = (...beginnings: string[]) =>
    beginnings.flatMap((beginning) => DIGITS.map((digit) => beginning + digit));
  const without = (gone: string[], names: string[]) => names.filter((name) => !gone.includes(name));
  /** A host with that default route, and these files of devices. */
  const devices = (uplink: string, ...paths: string[]) =>
    `ip() { [ "$*" != '-4 route show default' ] || echo 'default via 203.0.113.1 dev ${uplink}'; }
for path in ${uplink} ${paths.join(" ")}; do mkdir -p "$R/sys/class/net/$path"; done
`;
  const LOCAL_CONF = "/var/lib/zerotier-one/local.conf";
  const blacklist = (text: string | undefined) =>
    JSON.parse(text ?? "").settings.interfacePrefixBlacklist as string[];

  it.each([
    ["br-wan", [], ["docker", ...under("br-"), "veth"]],
    ["br-ex", [], ["docker", ...without(["br-e"], [...under("br-"), ...under("br-e")]), "veth"]],
    [
      "br-e0",
      [],
      [
        "docker",
        ...without(["br-e", "br-e0"], [...under("br-"), ...under("br-e"), ...under("br-e0")]),
        "veth",
      ],
    ],
    ["br-lan.7", [], ["docker", ...under("br-"), "veth"]],
    ["veth0", [], ["docker", "br-", ...without(["veth0"], [...under("veth"), ...under("veth0")])]],
    ["dockerwan", [], ["docker0", "docker_gwbridge", "br-", "veth"]],
    ["eth0", ["br-lan/bridge", "br-lan/brif/eth1"], ["docker", ...under("br-"), "veth"]],
    ["eth0", ["br-lan/openvswitch"], ["docker", ...under("br-"), "veth"]],
    [
      "eth0",
      [
        ...["docker0/bridge", "docker_gwbridge/bridge", "br-0123456789ab/bridge", "br-shop/bridge"],
        ...[
          "br-0123456789ab/brif/veth1234567",
          "br-shop/brif/veth89abcde",
          "veth1234567/brport",
          "veth12345678",
        ],
      ],
      ["docker", "br-", "veth"],
    ],
  ])(
    "keeps ZeroTier off Docker's devices, and on the uplink %s and what is the host's of %j",
    (uplink, paths, names) => {
      const text = `${devices(uplink, ...paths)}local_conf_up >/dev/null; cat "$ZT/local.conf"`;
      expect(blacklist(withLease(shell, {}, text)).toSorted()).toEqual(names.toSorted());
    },
  );

  it("puts right the local.conf of an agent that did not look at uplinks, also without python3, and takes back what is there", () => {
    const uplink = (
      name: string,
    ) => `ip() { [ "$*" != '-4 route show default' ] || echo 'default dev ${name}'; }
mkdir -p "$R/sys/class/net/${name}"; python3() { false; }; local_conf_up`;
    const text = `local_conf_up >/dev/null
(${uplink("br-wan")}; local_conf_up; cat "$ZT/local.conf")
(${uplink("br-ex")} >/dev/null; cat "$ZT/local.conf")
local_conf_down; drop_files . >/dev/null; cat "$ZT/local.conf" 2>/dev/null || echo none`;
    const [said, wan, ex, left] = withLease(shell, {}, text).split("\n");
    expect(said).toContain("local.conf");
    expect(blacklist(wan)).toEqual(["docker", ...under("br-"), "veth"]);
    expect(blacklist(ex)).not.toContain("br-e");
    expect(left).toBe("none");
  });

  it("gives way to the uplink in a local.conf with more in it, but for what its owner wrote, and takes out just ours", () => {
    const own = '{"settings":{"interfacePrefixBlacklist":["br-0","wg"],"primaryPort":9994}}';
    const text = `local_conf_up >/dev/null
${devices("br-wan")}
local_conf_up >/dev/null; cat "$ZT/local.conf"
sed -i 's|"wg"|"wg", "br-mine"|' "$ZT/local.conf"
ip() { :; }
local_conf_down >/dev/null; drop_files . >/dev/null; cat "$ZT/local.conf"`;
    const [merged, left = ""] = withLease(shell, {}, text, { [LOCAL_CONF]: own }).split("\n");
    expect(blacklist(merged)).toEqual([...under("br-"), "docker", "veth", "wg"]);
    expect(JSON.parse(left)).toEqual({
      settings: { interfacePrefixBlacklist: ["br-0", "wg", "br-mine"], primaryPort: 9994 },
    });
  });

  it("puts the user's own back byte for byte, though the uplink is another one since", () => {
    const own = '{ "settings": {"interfacePrefixBlacklist":["wg"]} }\n';
    const text = `local_conf_up >/dev/null
${devices("br-wan")}
local_conf_down; drop_files . >/dev/null; cat "$ZT/local.conf"`;
    expect(withLease(shell, {}, text, { [LOCAL_CONF]: own })).toBe(own);
  });

  it("knows the uplink of before at a boot that is ahead of its network", () => {
    const files = { "/var/lib/meshboot/uplinks": '"eth0", "br-wan"\n' };
    const out = withLease(shell, {}, 'local_conf_up >/dev/null; cat "$ZT/local.conf"', files);
    expect(blacklist(out)).toEqual(["docker", ...under("br-"), "veth"]);
  });

  it.each([
    ["br-wan", "br-", "warning zerotier local.conf keeps ZeroTier off br-wan"],
    ["eth0 br-wan", "br-", "note zerotier local.conf keeps ZeroTier off br-wan"],
    ["eth0 br-wan", "wlan", ""],
    ["br-wan", "br-0", ""],
  ])("says in the doctor of uplinks %j that %j keeps ZeroTier off", (uplinks, name, said) => {
    const text = `has_tun() { :; }; is_running() { :; }; has() { :; }
timeout() { echo "200 info $NODE 1.14.1 OFFLINE"; }; ip() { for up in ${uplinks}; do echo "default dev $up"; done; }
finding() { echo "$1 $LINK $2"; }; LINK=zerotier; doctor_zerotier | grep local.conf || :`;
    const files = { [LOCAL_CONF]: JSON.stringify({ settings: { interfacePrefixBlacklist: [name] } }) };
    expect(withLease(shell, {}, text, files)).toContain(said);
    expect(withLease(shell, {}, text, files) === "").toBe(said === "");
  });

  it("keeps texts with backslashes, control characters and no ASCII in local.conf as they are, of any length", () => {
    const texts = {
      path: "C:\\x\\new\\t",
      umlaut: "\u00e9",
      lines: "a\nb\tc\\0",
      option: "-n",
      long: "x".repeat(200_000),
    };
    const own = JSON.stringify(texts).replace("é", "\\u00e9");
    const text = `local_conf_up; cat "$ZT/local.conf" >"$R/merged"
sed -i 's|"option": "-n"|"option": "-e"|' "$ZT/local.conf"
local_conf_down >/dev/null; drop_files . >/dev/null
cat "$R/merged"; cat "$ZT/local.conf"`;
    const [said, merged = "", left = ""] = withLease(shell, {}, text, { [LOCAL_CONF]: own }).split("\n");
    expect(said).toContain("writes");
    expect(JSON.parse(merged)).toMatchObject(texts);
    expect(JSON.parse(left)).toEqual({ ...texts, option: "-e" });
  });

  it("keeps mode and owner of the user's local.conf", () => {
    const text = `at=$ZT/local.conf; chmod 640 "$at"; [ "$(id -u)" != 0 ] || chown 7:8 "$at"
look() { stat -c '%a %u:%g' "$at"; }
look; local_conf_up >/dev/null; look; sed -i 's|9994|9995|' "$at"
local_conf_down >/dev/null; drop_files . >/dev/null; look; cat "$at"`;
    const own = '{"settings":{"primaryPort":9994}}';
    const [before, during, after, left] = withLease(shell, {}, text, { [LOCAL_CONF]: own }).split("\n");
    expect(before).toMatch(/^640 /);
    expect([during, after]).toEqual([before, before]);
    expect(left).toBe('{"settings": {"primaryPort": 9995}}');
  });

  it("takes out of ip6tables Docker's rules for bridges of any name, and nobody else's", () => {
    const text = `mkdir "$R/bin"; PATH=$R/bin:$PATH
for call in 'save cat "$R/rules6"' 'restore cat'; do printf '#!/bin/sh\\n%s\\n' "\${call#* }" >"$R/bin/ip6tables-\${call%% *}"; done
chmod -R 755 "$R/bin"; export R; drop_docker_rules6`;
    const kept = `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s fd00:1::/64 ! -o web0 -j MASQUERADE
-A POSTROUTING -s fd00:2::/64 ! -o br-0123456789ab -j MASQUERADE
-A POSTROUTING -s fd00:9::/64 ! -o lxdbr0 -j MASQUERADE
-A DOCKER -i web0 -j RETURN
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -i ztabcdefgh -d fc9c::/80 -j ACCEPT
-A FORWARD -j DOCKER-USER
-A FORWARD -o web0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o web0 -j DOCKER
-A FORWARD -i web0 ! -o web0 -j ACCEPT
-A FORWARD -i web0 -o web0 -j ACCEPT
-A FORWARD -o br-0123456789ab -j DOCKER
-A FORWARD -i br-0123456789ab -o br-0123456789ab -j ACCEPT
-A FORWARD -i lxdbr0 ! -o lxdbr0 -j ACCEPT
-A FORWARD -o eth7 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-USER -i eth7 -j DROP
COMMIT
`;
    expect(withLease(shell, {}, text, { "/rules6": kept })).toBe(`*nat
-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-D POSTROUTING -s fd00:1::/64 ! -o web0 -j MASQUERADE
-D POSTROUTING -s fd00:2::/64 ! -o br-0123456789ab -j MASQUERADE
-F DOCKER
-X DOCKER
COMMIT
*filter
-D FORWARD -o web0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-D FORWARD -o web0 -j DOCKER
-D FORWARD -i web0 ! -o web0 -j ACCEPT
-D FORWARD -i web0 -o web0 -j ACCEPT
-D FORWARD -o br-0123456789ab -j DOCKER
-D FORWARD -i br-0123456789ab -o br-0123456789ab -j ACCEPT
-F DOCKER
-X DOCKER
COMMIT
`);
  });

  it.each([
    ["nothing", undefined, undefined, undefined],
    ["the user's own, byte for byte", '{ "settings": {} }', undefined, '{ "settings": {} }'],
    ["what came into it since", undefined, '"primaryPort":9995', { settings: { primaryPort: 9995 } }],
    [
      "that beside the user's own",
      '{"settings":{"interfacePrefixBlacklist":["wg","veth"]},"physical":{"10.9.0.0/16":{"blacklist":true}}}',
      '"primaryPort":9995',
      {
        settings: { primaryPort: 9995, interfacePrefixBlacklist: ["veth", "wg"] },
        physical: { "10.9.0.0/16": { blacklist: true } },
      },
    ],
    ["one that cannot be read, as it is", undefined, "//", undefined],
  ])("leaves of local.conf: %s", (_, before, edit, after) => {
    const path = "/var/lib/zerotier-one/local.conf";
    const text = `reload_unit() { :; }; local_conf_up >/dev/null 2>&1
${edit ? `sed -i 's|"settings" *: *{|&${edit},|' "$ZT/local.conf"` : ""}
cat "$ZT/local.conf" >"$R/edited"
{ local_conf_down; local_conf_down; } >/dev/null 2>"$R/warned"
drop_files . >/dev/null; cat "$ZT/local.conf" 2>/dev/null || echo none; echo ---; cat "$R/edited" "$R/warned"`;
    const out = withLease(shell, {}, text, before === undefined ? {} : { [path]: before });
    const [left = "", edited = ""] = out.split("---\n");
    if (edit === "//") {
      expect(edited).toContain(left.trim());
      expect(edited).toContain("local.conf was changed since and is left as it is");
    } else if (typeof after === "object") {
      expect(JSON.parse(left)).toEqual(after);
    } else {
      expect(left).toBe(after ?? "none\n");
    }
  });
});
