import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaseText } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const LEASE6 = "fc9c:56c2:e34e:8d87:c868::/80";

/** Runs agent functions for a lease on ztabcdefgh, beside the files given, with the commands that `text` stands in for. */
function firewall(
  shell: Shell,
  text: string,
  files: Readonly<Record<string, string>> = {},
): { out: string; err: string; status: number | null } {
  return withDirectory((root) => {
    const all = { "/lease": leaseText(), "/var/lib/meshboot/interface": "ztabcdefgh\n", ...files };
    for (const [path, content] of Object.entries(all)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { mode: path.startsWith("/bin/") ? 0o755 : 0o644 });
    }
    const script = `iptables() { [ "$1" != -V ] || echo 'iptables v1.8.9 (nf_tables)'; }
nft() { case $1 in -a) cat "$R/ruleset" ;; *) cat "$2" ;; esac; }
is_running() { [ "$1" = "\${ACTIVE:-}" ]; }
PATH=$R/bin:$PATH TMP=$R/tmp; use_lease "$R/lease"; mkdir -p "$STATE" "$RUN" "$TMP"
${text}`;
    const { out, err, status } = runWithAgent(shell, script, { MESHBOOT_ROOT: root });
    return { out: out.replaceAll(root, ""), err: err.replaceAll(root, ""), status };
  });
}

/** As `nft -a -t list ruleset` prints it: a user's chains between those of others. */
const RULESET = `table ip filter { # handle 1
	chain FORWARD { # handle 1
		type filter hook forward priority filter; policy drop;
		xt target "REJECT" # handle 9
	}

	chain forward { # handle 2
		type filter hook forward priority filter; policy drop;
	}
}
table inet meshboot { # handle 2
	chain out { # handle 1
		type filter hook forward priority filter; policy accept;
		ip daddr 172.28.233.0/24 rt ip nexthop != 172.28.233.0/24 reject # handle 2
	}
}
table inet firewalld { # handle 3
	chain filter_INPUT { # handle 1
		type filter hook input priority filter + 10; policy accept;
		reject with icmpx admin-prohibited # handle 2
	}
}
table inet owned { # handle 4
	flags owner
	chain input { # handle 1
		type filter hook input priority filter; policy drop;
	}
}
table bridge filter { # handle 5
	chain forward { # handle 1
		type filter hook forward priority filter; policy drop;
	}
}
table inet user's-own { # handle 6
	set office { # handle 1
		type ipv4_addr
	}

	chain INPUT { # handle 7
		type filter hook input priority filter; policy accept;
		iifname "eth0" tcp dport { 22, 80 } accept comment "} # handle 3" # handle 8
		iifname "eth0" drop # handle 9
	}

	chain open { # handle 10
		type filter hook input priority filter; policy accept;
		counter packets 1 bytes 2 # handle 11
		iifname "old" accept comment "meshboot" # handle 12
	}

	chain nat { # handle 13
		type nat hook input priority 100; policy accept;
	}

	chain drops { # handle 14
		drop # handle 15
	}
}
table ip6 six { # handle 7
	chain f { # handle 1
		type filter hook forward priority filter; policy drop;
	}
}
`;

const ACCEPT = 'accept comment "meshboot"';
const INTO4 = `iifname "ztabcdefgh" ip daddr 172.28.233.0/24 ${ACCEPT}`;
const FROM4 = `oifname "ztabcdefgh" ip saddr 172.28.233.0/24 ${ACCEPT}`;
const INTO6 = `iifname "ztabcdefgh" ip6 daddr ${LEASE6} ${ACCEPT}`;
const FROM6 = `oifname "ztabcdefgh" ip6 saddr ${LEASE6} ${ACCEPT}`;
const PORT = `iifname != "ztabcdefgh" udp dport 9993 ${ACCEPT}`;
const NEIGHBOURS = `ip6 saddr fc9c:56c2:e300::/40 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ${ACCEPT}`;

describe.each(SHELLS)("firewalls in $name", PATIENCE, (shell) => {
  it("puts its accepts first into each chain that can drop, and into no other", () => {
    const { out, err } = firewall(shell, 'look_at_chains; cat "$TMP/chains"', { "/ruleset": RULESET });
    expect({ out: out.trim().split("\n"), err }).toEqual({
      out: [
        `insert rule ip filter forward ${FROM4}`,
        `insert rule ip filter forward ${INTO4}`,
        `insert rule inet user's-own INPUT ${NEIGHBOURS}`,
        `insert rule inet user's-own INPUT ${PORT}`,
        "delete rule inet user's-own open handle 12",
        `insert rule ip6 six f ${FROM6}`,
        `insert rule ip6 six f ${INTO6}`,
      ],
      err: "",
    });
  });

  it("serves iptables-nft's chains as nft ones where iptables is the legacy one", () => {
    const text = "iptables() { echo 'iptables v1.8.9 (legacy)'; }; look_at_chains; chains_to_do";
    expect(firewall(shell, text, { "/ruleset": RULESET }).out).toContain("ip filter FORWARD\n");
  });

  const chain = (rules: readonly string[]) => `table inet filter { # handle 1
	chain f { # handle 1
		type filter hook forward priority filter; policy drop;
${rules.map((rule, index) => `\t\t${rule} # handle ${index + 5}\n`).join("")}	}
}
`;

  it.each([
    ["in place", [INTO4, FROM4, INTO6, FROM6, "ct state established accept"], 0],
    ["behind a rule of the user's", ["ct state invalid drop", INTO4, FROM4, INTO6, FROM6], 8],
    ["of another lease", [INTO4.replace("233", "7"), FROM4, INTO6, FROM6], 8],
    ["in part", [INTO4, FROM4], 6],
  ])("leaves accepts that are right, and makes others anew: %s", (_, rules, changes) => {
    const { out } = firewall(shell, 'look_at_chains; cat "$TMP/chains"', { "/ruleset": chain(rules) });
    expect(out.split("\n").filter((line) => line !== "")).toHaveLength(changes);
  });

  it("takes out by handle what is its own, whatever the lease, and nothing else", () => {
    const rules = [INTO4.replace("233", "7"), "ct state established accept", FROM6];
    const { out } = firewall(shell, 'DEV="" UNDO=yes; chains_up >/dev/null; cat "$TMP/chains"', {
      "/ruleset": chain(rules),
    });
    expect(out).toBe("delete rule inet filter f handle 5\ndelete rule inet filter f handle 7\n");
  });

  it("leaves a ruleset that cannot be read as it is, and says so", () => {
    const text = "nft() { echo 'netlink: Error: cache initialization failed' >&2; return 1; }; chains_up";
    const { err, status } = firewall(shell, text);
    expect(status).toBe(0);
    expect(err).toContain(
      "the nft ruleset cannot be read and is left as it is: netlink: Error: cache initialization failed",
    );
  });

  it.each([
    ["does not tell", "*list*"],
    ["takes none", "-f*"],
  ])("fails in keep, which is called again then, and not in up, where nft %s", (_, call) => {
    const nft = `nft() { case $* in ${call}) return 1 ;; *list*) cat "$R/ruleset" ;; esac; }`;
    const text = `${nft}\nchains_up; echo 'up goes on'; chains_keep; echo 'and so does keep'`;
    const { out, status } = firewall(shell, text, { "/ruleset": chain(["ct state invalid drop"]) });
    expect(status).toBe(1);
    expect(out).toContain("up goes on\n");
    expect(out).not.toContain("and so does keep");
  });

  it.each([
    ["9993", {}],
    ["9994", { "/var/lib/zerotier-one/local.conf": '{"settings": {"primaryPort": 9994,"x":1}}' }],
    [
      "41000",
      {
        "/var/lib/zerotier-one/zerotier-one.port": "41000",
        "/var/lib/zerotier-one/local.conf": '{"settings":{"primaryPort":0}}',
      },
    ],
  ])("knows ZeroTier's port: %s", (port, files) => {
    expect(firewall(shell, "zerotier_port", files).out).toBe(`${port}\n`);
  });

  it("hooks what is installed, its reload only where it has one", () => {
    const text = `reload_unit() { :; }; firewalls_up >/dev/null
for unit in nftables netfilter-persistent ufw; do echo "$unit"; cat "$R$UNITS/$unit.service.d/50-meshboot.conf" 2>/dev/null || :; done`;
    const { out } = firewall(shell, text, {
      "/lib/systemd/system/nftables.service": "[Service]\nExecReload=/usr/sbin/nft -f /etc/nftables.conf\n",
      "/lib/systemd/system/ufw.service": "[Service]\nExecStart=/lib/ufw/ufw-init start quiet\n",
    });
    expect(out).toBe(`nftables
[Service]
ExecStartPost=-+/usr/local/sbin/meshboot rules
ExecStopPost=-+/usr/local/sbin/meshboot rules
ExecReload=-+/usr/local/sbin/meshboot rules
netfilter-persistent
ufw
[Service]
ExecStartPost=-+/usr/local/sbin/meshboot rules
ExecStopPost=-+/usr/local/sbin/meshboot rules
`);
  });

  const DIRECT = "/etc/firewalld/direct.xml";
  /** Its settings are what the stand-in says. */
  const firewalld = (runtime: string) => ({
    "/bin/firewall-cmd": `#!/bin/sh
case $* in *--reload) echo reloaded ;; *--permanent*) echo public ;; *) echo '${runtime}' ;; esac
`,
    "/etc/firewalld/policies/lan.xml": "",
  });
  const USERS = `<?xml version="1.0" encoding="utf-8"?>
<direct>
  <!-- mine -->
  <chain ipv="ipv4" table="filter" chain="DOCKER-USER"/>
  <rule ipv="ipv4" table="filter" chain="INPUT" priority="1">-s 192.0.2.1 -j DROP</rule>
</direct>
`;

  it.each([
    ["none", undefined],
    ["the user's", USERS],
  ])("adds policies and direct rules to firewalld, once, and takes them back exactly: %s", (_, own) => {
    const text = `ACTIVE=firewalld
open_firewalld; grep -c '<rule' "$R${DIRECT}"; open_firewalld; cat "$R$POLICIES/meshboot.xml"
close_firewalld >/dev/null; ls "$R/etc/firewalld" "$R$POLICIES"; cat "$R${DIRECT}" 2>/dev/null || echo no file`;
    const { out, err } = firewall(shell, text, {
      ...firewalld("public (default, active)"),
      ...(own === undefined ? {} : { [DIRECT]: own }),
    });
    const [first = "", ...rest] = out.split("<?xml");
    expect(err).toBe("");
    expect(first.match(/reloads it/g)).toHaveLength(1);
    expect(first).toContain(`\n${own === undefined ? 12 : 13}\n`);
    expect(rest[0]).toContain(
      `<rule family="ipv6"><source address="fc9c:56c2:e300::/40"/><destination address="${LEASE6}"/><accept/></rule>`,
    );
    expect(rest[0]).toContain("lan.xml\n");
    expect(rest[0]).not.toContain("meshboot.xml");
    if (own === undefined) expect(rest[0]).toContain("no file\n");
    else expect(`<?xml${rest[1]}`).toBe(own);
  });

  it("does not reload a firewalld that would lose settings, and says what to do", () => {
    const text = 'ACTIVE=firewalld; open_firewalld; ls "$R$POLICIES" "$R/etc/firewalld"';
    const { out, err } = firewall(shell, text, firewalld("public\n  ports: 8080/tcp"));
    expect(err).toContain("so it is not reloaded, and goes on as it is: firewall-cmd --runtime-to-permanent");
    expect(out).not.toMatch(/meshboot|direct|reloaded/);
  });

  it("leaves a firewalld alone that is installed and does not run", () => {
    expect(firewall(shell, "firewalld_up", { "/etc/firewalld/policies/lan.xml": "" }).out).toBe("");
  });

  it("names each gap for the doctor, and is silent where nothing is missing", () => {
    const links = `LINK=x JSON='' COLOR='' BROKEN='' FAULTS=0 WARNINGS=0
wanted_rules() { :; }; rules_print() { :; }; doctor_firewall; doctor_rules; docker_gap`;
    const settled = `ip6tables() { :; }; nft() { :; }\n${links}`;
    expect(firewall(shell, settled, { "/ruleset": "" })).toEqual({ out: "", err: "", status: 0 });
    const broken = `iptables() { case $1 in -V) echo 'iptables v1.8.9 (nf_tables)' ;; *) return 1 ;; esac; }; ip6tables() { :; }
nft() { case $1 in -a) cat "$R/ruleset" ;; *) return 1 ;; esac; }
${links}`;
    const { out } = firewall(shell, broken, {
      "/ruleset": chain(["drop"]),
      "/proc/net/ip_tables_names": "filter\n",
      "/run/docker.pid": "42",
      "/bin/iptables-legacy-save": "#!/bin/sh\necho '-A INPUT -j DROP'\n",
    });
    expect(out).toContain("iptables-legacy has rules that drop");
    expect(out).toContain("iptables or ip6tables lacks accepts for the mesh, or somebody's drop");
    expect(out).toContain("the nft chain inet filter f drops before the mesh is let through\n");
    expect(out).toContain("the way out: meshboot up --restart-docker, or");
  });

  it("misses no rules of a dockerd that is still starting", () => {
    const text = "iptables() { return 1; }; nft() { return 1; }; systemctl() { echo $NOW; }; docker_gap";
    const files = { "/run/docker.pid": "42" };
    expect(firewall(shell, `NOW=activating; ${text}`, files).out).toBe("");
    expect(firewall(shell, `NOW=active; ${text}`, files).out).toContain("systemctl restart docker");
  });

  it.each([
    ["where it was ACCEPT before", {}, "", true],
    ["not where dockerd had set it before", { "/var/lib/meshboot/forward4": "-P FORWARD DROP\n" }, "", false],
    [
      "where dockerd had set it before, and has nft tables by now",
      { "/var/lib/meshboot/forward4": "-P FORWARD DROP\n" },
      "has_nft_backend() { :; }",
      true,
    ],
    [
      "not where a router of the user's had it before",
      {
        "/var/lib/meshboot/forward4": "-P FORWARD DROP\n",
        "/etc/sysctl.conf": "net/ipv4/ip_forward=1\n",
      },
      "has_nft_backend() { :; }",
      false,
    ],
    ["not from netfilter-persistent", {}, "ACTIVE=netfilter-persistent", false],
    [
      "not from ufw",
      {},
      'iptables() { echo iptables "$*"; case $2 in -S) echo -A FORWARD -j ufw-before-forward ;; esac; }',
      false,
    ],
    ["not where no earlier version has set it", { "/run/meshboot/forward": undefined }, "", false],
  ])("takes back the policy that an earlier version set, once: %s", (_, files, more, isTaken) => {
    const set = { "/run/meshboot/forward": "", ...files };
    const given = Object.fromEntries(
      Object.entries(set).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])),
    );
    const text = `iptables() { echo iptables "$*"; }; ${more}
open_forward; open_forward; ls "$RUN"`;
    const { out, err } = firewall(shell, text, given);
    expect(err).toBe("");
    expect(out.match(/iptables -w -P FORWARD ACCEPT/g) ?? []).toHaveLength(isTaken ? 1 : 0);
    expect(out).not.toMatch(/^forward$/m);
  });

  it("knows what was a router before by its accepts, and by none of Docker's", () => {
    const docker = `-P FORWARD DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i br-0123456789ab ! -o br-0123456789ab -j ACCEPT
-A FORWARD -i eth0 -j DROP`;
    const ways = "-A FORWARD -i br-lan -j ACCEPT\n-A FORWARD -j LIBVIRT_FWO";
    const text = `printf '%s\n' "${docker}" >"$TMP/one"; own_ways "$TMP/one"; printf '%s\n' "${docker}
${ways}" >"$TMP/two"; own_ways "$TMP/two"`;
    expect(firewall(shell, text)).toEqual({ out: `${ways}\n`, err: "", status: 0 });
  });

  it("opens FORWARD that it has closed in dockerd's place when that has nft tables by now, and no other", () => {
    const text = `iptables() { echo iptables "$*"; }; ip6tables() { echo ip6tables "$*"; }; is_told_nft_backend() { [ -e "$TMP/nft" ]; }
: >"$RUN/closed-ipv4"; open_for_nft; : >"$TMP/nft"; open_for_nft; open_for_nft`;
    const { out, err } = firewall(shell, text);
    expect(err).toBe("");
    expect(out.split("\n").filter((line) => /^ip6?tables/.test(line))).toEqual([
      "iptables -w -P FORWARD ACCEPT",
    ]);
  });

  it("takes Docker's own table for IPv6 away with its rules in ip6tables", () => {
    const text =
      'nft() { echo nft "$*"; }; ip6tables_save() { :; }; ip6tables-save() { :; }; drop_docker_rules6';
    expect(firewall(shell, text.replace("ip6tables-save() { :; }; ", "")).out).toContain(
      "nft delete table ip6 docker-bridges\n",
    );
  });

  it("asks Docker for its bridges at run time only when its networks have changed", () => {
    const text = `remember_bridges() { echo asked; }; load_rules() { :; }
mkdir -p "$R/var/lib/docker/network/files"; echo 1 >"$STATE/bridges"; echo none; rules_keep
touch -d @1 "$R$DOCKER_NETWORKS"; echo old; rules_keep; touch -d @1 "$STATE/bridges"; touch "$R$DOCKER_NETWORKS"; echo new; rules_keep`;
    expect(firewall(shell, text)).toEqual({ out: "none\nold\nnew\nasked\n", err: "", status: 0 });
  });

  it("misses no network of Docker's that comes while it is asked", () => {
    const text = `load_rules() { :; }; find_docker_socket() { :; }; systemctl() { echo active; }
mkdir -p "$R/var/lib/docker/network/files"; touch "$R$DOCKER_NETWORKS"
docker() {
  echo "$2" >>"$TMP/docker"
  case $2 in
  ls) : >"$TMP/since"; echo id ;;
  inspect) echo 'id|docker0||'; until [ -n "$(find "$R$DOCKER_NETWORKS" -newer "$TMP/since")" ]; do touch "$R$DOCKER_NETWORKS"; done ;;
  esac
}
timeout() { shift; "$@"; }
for _ in 1 2; do rules_keep >"$TMP/said"; echo . >>"$TMP/docker"; done; cat "$TMP/docker"`;
    expect(firewall(shell, text)).toEqual({ out: "ls\ninspect\n.\nls\ninspect\n.\n", err: "", status: 0 });
  });

  it.each([
    ["iptables: DROP is dockerd's own", "iptables", "DROP", "-A POSTROUTING ! -o docker0 -j MASQUERADE", ""],
    ["iptables, no translation", "iptables", "DROP", "", "no MASQUERADE for 172.28.233.0/25"],
    ["nftables", "nftables", "ACCEPT", 'oifname != "docker0" counter masquerade', ""],
    [
      "nftables, DROP is left over",
      "nftables",
      "DROP",
      'oifname != "docker0" counter masquerade',
      "the policy of FORWARD in iptables is DROP",
    ],
    ["nftables, no translation", "nftables", "ACCEPT", "", "no MASQUERADE for 172.28.233.0/25"],
  ])("knows for the doctor whether there is a way out by IPv4: %s", (_, backend, policy, rule, fault) => {
    const text = `dockerd() { echo "Docker version 29.7.2, build 1"; }
iptables() { case $* in *FORWARD) echo "-P FORWARD ${policy}" ;; *) [ ${backend} != iptables ] || echo '${rule}' ;; esac; }
ip6tables() { :; }; nft() { [ ${backend} != nftables ] || echo '${rule}'; }
LINK=x JSON='' COLOR='' BROKEN='' FAULTS=0 WARNINGS=0 WANTED='--fixed-cidr=172.28.233.0/25'; doctor_nat44`;
    const { out, err } = firewall(shell, text, {
      "/etc/docker/daemon.json": JSON.stringify({ "firewall-backend": backend }),
    });
    expect(err).toBe("");
    expect(out.startsWith(fault === "" ? "" : `fault   x: ${fault}`)).toBe(true);
    expect(out === "").toBe(fault === "");
  });

  it.each([
    [true, '{"firewall-backend":"nftables"}'],
    [false, '{"firewall-backend":"nftables","ip-forward":false}'],
    [false, "{}"],
  ])("leaves forwarding on for a dockerd that would not start without: %s with %s", (stays, json) => {
    const text = `dockerd() { echo "Docker version 29.7.2, build 1"; }
mkdir -p "$R/proc/sys/net/ipv4"; echo 1 >"$R/proc/sys/net/ipv4/ip_forward"; sysctls_down; cat "$R/proc/sys/net/ipv4/ip_forward"`;
    const { out, err } = firewall(shell, text, {
      "/etc/docker/daemon.json": json,
      "/var/lib/meshboot/sysctls": "net/ipv4/ip_forward=0\n",
    });
    expect(err).toBe("");
    expect(out.endsWith(stays ? "\n1\n" : "0\n")).toBe(true);
    expect(out.includes("in /etc/sysctl.d: net.ipv4.ip_forward=1")).toBe(stays);
  });

  it.each<[string, string, string[], Readonly<Record<string, string>>?]>([
    ["dockerd is stopped", "ACTIVE=none", []],
    ["dockerd runs on", "", ["iptables"]],
    ["it has networks with IPv6", "has_ipv6_networks() { :; }", ["iptables", "ip6tables"]],
    ["it has its rules in nft", "iptables() { [ $2 != -S ]; }; ip6tables() { [ $2 != -S ]; }", []],
    ["forwarding was on before", "", [], { "/var/lib/meshboot/sysctls": "" }],
    [
      "forwarding was on before and closed, and dockerd is stopped",
      "ACTIVE=none",
      ["iptables"],
      { "/var/lib/meshboot/sysctls": "", "/var/lib/meshboot/forward4": "-P FORWARD DROP\n" },
    ],
    ["it is closed already", "iptables() { echo '-P FORWARD DROP'; }", []],
    ["it is to stay open", "", [], { "/etc/docker/daemon.json": '{"ip-forward-no-drop":true}' }],
  ])("closes forwarding that stays on after down, as dockerd would have: %s", (_, more, closed, files) => {
    const text = `ACTIVE=docker; dockerd() { :; }; systemctl() { :; }; has_ipv6_networks() { return 1; }
nft() { :; }; drop_accepts() { :; }; iptables() { :; }; ip6tables() { :; }
${more}
run() { echo "$*" >>"$TMP/ran"; }; : >"$TMP/ran"; rules_down >"$TMP/said"; cat "$TMP/ran"`;
    const all = {
      "/var/lib/meshboot/rules": "a",
      "/var/lib/meshboot/sysctls": "net/ipv4/ip_forward=0\nnet/ipv6/conf/all/forwarding=0\n",
      ...files,
    };
    const out = closed.map((tool) => `${tool} -w -P FORWARD DROP\n`).join("");
    expect(firewall(shell, text, all)).toEqual({ out, err: "", status: 0 });
  });

  it("remembers Docker's bridges while dockerd runs, by name and by what is open on them", () => {
    const id = "0123456789abcdef0123456789abcdef";
    const text = `docker() { case $2 in ls) echo "1 2" ;; *) printf '%s\\n' '${id}|||' '${id}|docker0|nat|' '${id}|shop0||routed' '${id}|bad name||' ;; esac; }
timeout() { shift; "$@"; }; systemctl() { echo $NOW; }
NOW=activating; remember_bridges; ls "$STATE"; NOW=active; remember_bridges; cat "$STATE/bridges"; named_bridges; opened_bridges`;
    expect(firewall(shell, text).out).toMatch(
      /^interface\nmeshboot: .*writes .*bridges\nbr-0123456789ab nat nat\ndocker0 nat nat\nshop0 nat routed\n, "shop0"meta nfproto ipv6 fib daddr oifname "shop0" accept\n$/,
    );
  });

  it("knows the bridges of the user's own that are called as Docker's are", () => {
    const text = `for name in br-lan br-dad br-0123456789ab br-0123456789ax br-shop docker0 eth0; do mkdir -p "$R/sys/class/net/$name"; done
own_bridges; rm -r "$R/sys"; own_bridges`;
    const { out, err } = firewall(shell, text, { "/var/lib/meshboot/bridges": "br-shop nat nat\n" });
    expect({ out, err }).toEqual({ out: '"br-0123456789ax", "br-dad", "br-lan"\n\n', err: "" });
  });

  it.each([
    ["runs on", "ACTIVE=docker", ""],
    ["runs, and is removed with its package", "ACTIVE=docker; PURGE=docker", "taken\n"],
    ["was stopped, and starts anew", "", "taken\n"],
  ])("takes Docker's IPv6 rules away on down where dockerd %s", (_, text, out) => {
    const script = `drop_docker_rules6() { echo taken >"$TMP/dropped"; }; nft() { return 1; }; ${text}
tables_down >"$TMP/said"; read_file "$TMP/dropped"`;
    const files = {
      "/var/lib/meshboot/tables": "",
      "/var/lib/meshboot/forward6": "-P FORWARD ACCEPT\n",
    };
    expect(firewall(shell, script, files)).toEqual({ out, err: "", status: 0 });
  });

  it.each([
    ["iptables is off in daemon.json", { "/etc/docker/daemon.json": '{"iptables":false}' }],
    ["iptables is off on the command line", { "/proc/42/cmdline": "dockerd\0--iptables=false\0" }],
    ["its backend is nftables", { "/docker-bridges": "" }],
  ])("misses no rules of Docker's where %s", (_, files) => {
    const text = 'iptables() { return 1; }; nft() { [ -e "$R/docker-bridges" ]; }; docker_gap';
    const all = { "/run/docker.pid": "42", ...files };
    expect(firewall(shell, text, { "/run/docker.pid": "42" }).out).toContain("systemctl restart docker");
    expect(firewall(shell, text, all).out).toBe("");
  });
});
