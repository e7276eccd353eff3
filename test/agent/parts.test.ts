import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEBIAN_DOCKER } from "./host.ts";
import { type LeaseSeed, leaseText } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 60_000 };
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

describe.each(SHELLS)("the parts in $name", PATIENCE, (shell) => {
  it("writes the rules of a lease", () => {
    const golden = readFileSync(new URL("./golden/rules.nft", import.meta.url), "utf8");
    expect(withLease(shell, {}, `UPLINKS='"eth0"'\nrules_text`)).toBe(golden);
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
      const text = `dockerd() { echo 'Docker version ${version}, build 1'; }\nsystemctl() { echo 'EnvironmentFiles=/etc/default/docker (ignore_errors=yes)'; }\nrules_text; backend_options`;
      const rules = `iifname "ztabcdefgh" ip daddr 172.28.233.0/24 meta mark set mark or 0x100000
iifname "ztabcdefgh" ip6 daddr fc9c:56c2:e34e:8d87:c868::/80 meta mark set mark or 0x100000
iifname { "lo", "ztabcdefgh" } accept
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

  it("takes pools for other networks outside the mesh and of what the host uses", () => {
    const networks =
      "host_networks() { printf '%s\\n' '172.17.5.0/24 eth1' '172.18.0.0/16 br-0123456789ab' '10.0.0.0/8 eth0'; }\nip() { :; }";
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

  it("knows the ExecStart that wins", () => {
    const base = "/lib/systemd/system/docker.service";
    const override = "/etc/systemd/system/docker.service.d/override.conf";
    const files = {
      [base]: DEBIAN_DOCKER,
      "/inc.service":
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n",
      "/long.service":
        "[Service]\nExecStart=/usr/bin/dockerd \\\n  -H fd:// \\\n# why\n; so\n  --debug   \nExecReload=/bin/kill\n",
      "/comment.service":
        "[Service]\n#ExecStart=/no\n;ExecStart=/no\nExecStart = /usr/bin/dockerd -H fd://\n[Install]\nExecStart=/no\n",
      [override]: "[Service]\nEnvironment=A=b\nExecStart=\nExecStart=/opt/dockerd --mine %n $DOCKER_OPTS\n",
      "/limits.conf": "[Service]\nLimitNOFILE=9\n",
    };
    const calls = [
      `"$R${base}"`,
      '"$R/inc.service"',
      '"$R/long.service"',
      '"$R/comment.service"',
      `"$R${base}" "$R${override}"`,
      `"$R${base}" "$R/limits.conf"`,
    ];
    const lines = withLease(shell, {}, calls.map((files) => `exec_start ${files}`).join("\n"), files);
    const debian = `${base} /usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS`;
    expect(lines.trim().split("\n")).toEqual([
      debian,
      "/inc.service /usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
      "/long.service /usr/bin/dockerd -H fd:// --debug",
      "/comment.service /usr/bin/dockerd -H fd://",
      `${override} /opt/dockerd --mine %n $DOCKER_OPTS`,
      debian,
    ]);
  });

  it.each([
    [
      "docker.service alone",
      "",
      "50-meshboot.conf",
      "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS",
    ],
    ["a drop-in before ours", "10-mine.conf", "50-meshboot.conf", "/opt/dockerd"],
    ["a drop-in that comes after ours", "override.conf", "zz-50-meshboot.conf", "/opt/dockerd"],
  ])("puts its drop-in where it wins over %s", (_, own, name, command) => {
    const directory = "/etc/systemd/system/docker.service.d";
    const files = {
      "/lib/systemd/system/docker.service": DEBIAN_DOCKER,
      ...(own === "" ? {} : { [`${directory}/${own}`]: "[Service]\nExecStart=\nExecStart=/opt/dockerd\n" }),
    };
    const text = `DOCKER_FRAGMENT=/lib/systemd/system/docker.service DOCKER_DROPINS=${own === "" ? "" : `${directory}/${own}`}
dockerd() { echo 'Docker version 28.5.2, build 1'; }
systemctl() { :; }
read_docker_unit
printf '%s\\n' 172.17.0.0/16 172.18.0.0/16 >"$STATE/pools"
choose_options
write_docker_files >/dev/null
ls "$R${directory}" | grep meshboot; cat "$R${directory}/${name}" "$R/etc/meshboot/dockerd.env"`;
    expect(withLease(shell, {}, text, files)).toBe(`${name}
[Service]
EnvironmentFile=-/etc/meshboot/dockerd.env
ExecStartPre=-/usr/local/sbin/meshboot rules
ExecStart=
ExecStart=${command} $MESHBOOT_OPTIONS
MESHBOOT_OPTIONS="--bip=172.28.233.1/25 --fixed-cidr=172.28.233.0/25 --ipv6 --fixed-cidr-v6=fc9c:56c2:e34e:8d87:c868::/81 --default-address-pool=base=fc9c:56c2:e34e:8d87:c868:8000::/81,size=96 --default-address-pool=base=172.28.233.128/25,size=28 --default-address-pool=base=172.17.0.0/16,size=24 --default-address-pool=base=172.18.0.0/16,size=24"
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
local_conf_down 2>"$R/warned"; local_conf_down 2>>"$R/warned"
drop_files .; cat "$ZT/local.conf" 2>/dev/null || echo none; echo ---; cat "$R/edited" "$R/warned"`;
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
