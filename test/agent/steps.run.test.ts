import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaseText, withLine } from "./leases.ts";
import { runWithAgent, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const HUGE = { zerotier: "10.0.0.0/10", docker: "172.16.0.0/12", nodePrefix: 28 };

/** Runs agent functions beside the files given; gives exit code and what they print, without the directory's path. */
function step(
  shell: Shell,
  text: string,
  files: Readonly<Record<string, string>> = {},
): { status: number | null; out: string; err: string } {
  return withDirectory((root) => {
    for (const [path, content] of Object.entries({ "/lease": leaseText(), ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const { status, out, err } = runWithAgent(shell, text, { MESHBOOT_ROOT: root });
    return { status, out: out.replaceAll(root, ""), err: err.replaceAll(root, "") };
  });
}

const settings = (lines: string) => ({ "/etc/meshboot/meshboot.conf": lines });

describe.each(shellOfTheDay(import.meta.filename))("steps in $name", PATIENCE, (shell) => {
  it.each([
    ["http://[fd00::1]:8787", "http://[fd00::1]:8787 [fd00::1]:8787"],
    ["https://[fd00::1]:443/", "https://[fd00::1]:443 [fd00::1]"],
    ["http://[fd00::80]", "http://[fd00::80] [fd00::80]"],
    ["http://mesh.example.com:80", "http://mesh.example.com:80 mesh.example.com"],
    ["http://mesh.example.com:443", "http://mesh.example.com:443 mesh.example.com:443"],
  ])("takes the Worker's URL %s", (url, taken) => {
    const { out, err } = step(shell, 'read_settings; echo "$URL $HOST"', settings(`URL=${url}\n`));
    expect({ out, err }).toEqual({ out: `${taken}\n`, err: "" });
  });

  it.each([
    ["URL=https://a b", "URL=https://a b is not known"],
    ["URL=https://x/`id`", "URL=https://x/`id` is not known"],
    ["DOCKER=docker", "DOCKER=docker is not known to this version: present distro official"],
    ["MTU=1279", "MTU=1279 is not known to this version: auto, or 1280 to 10000"],
    ["MTU=10001", "MTU=10001 is not known"],
    ["MTU=off", "MTU=off is not known"],
    ["COMPOSE=on off", "COMPOSE=on off is not known"],
    ["NAME=-web", "NAME=-web is not known"],
    ["URLS=https://x", "does not know the setting URLS"],
    [`mbk_${"s".repeat(22)}`, "line 1: is not KEY=value"],
    [`KEY=mbk_${"s".repeat(22)}`, "does not know the setting KEY"],
    [`NAME=mbk_${"s".repeat(22)}`, "NAME=... is not known to this version: one DNS label"],
    [`NAME="mbn_${"s".repeat(43)}"`, "NAME=... is not known"],
    [`DOCKER=mba_${"s".repeat(43)}`, "DOCKER=... is not known"],
  ])("refuses the setting %j by name, and shows no secret", (line, message) => {
    const { status, err } = step(shell, "read_settings", settings(`${line}\n`));
    expect(status).toBe(3);
    expect(err).toContain(message);
    expect(err).not.toMatch(/mb[akn]_/);
  });

  it.each([
    ["SLOT", "1e1", "SLOT=1e1"],
    ["POOL_NODE_PREFIX", "-99999999", "POOL_NODE_PREFIX=-99999999"],
    ["ZEROTIER_IPV4", "10.147.17.9/24", "ZEROTIER_IPV4=10.147.17.9/24 is not the address of slot 233"],
    ["POOL_ZEROTIER", "10.147.17.0/-9999999", "POOL_ZEROTIER=10.147.17.0/-9999999 is no range"],
    ["TOKEN", "mbn_'secret", "TOKEN has a character"],
  ])("names the %s of a lease that is not sound", (key, value, reason) => {
    const { out } = step(shell, 'use_lease "$R/lease" || echo "$REASON"', {
      "/lease": withLine(leaseText(), key, value),
    });
    expect(out).toContain(reason);
    expect(out).not.toContain("secret");
  });

  it("refuses a pool with more slots than a server can have routes", () => {
    const check = 'use_lease "$R/lease"; check_pool_size; echo "$SLOTS"';
    const huge = step(shell, check, { "/lease": leaseText({ settings: HUGE, slot: 7 }) });
    expect(huge.status).toBe(3);
    expect(huge.err).toContain("65535 subnets");
    expect(huge.err).toContain("a smaller NODE_PREFIX than 28");
    const most = { ...HUGE, docker: "172.16.0.0/14" };
    expect(step(shell, check, { "/lease": leaseText({ settings: most, slot: 7 }) }).out).toBe("16383\n");
  });

  it.each([
    ["enabled", "inactive", "", "", true],
    ["disabled", "inactive", "", "", false],
    ["masked", "inactive", "", "", false],
    ["enabled", "inactive", "172.17.0.1/16\n", "", false],
    ["enabled", "failed", "172.17.0.1/16\n", "", true],
    ["disabled", "inactive", "", "/var/lib/meshboot/masked", true],
    ["enabled", "inactive", "172.17.0.1/16\n", "/run/meshboot/restarting", true],
  ])(
    "docker.service %s, %s, asked before: %j, interrupted: %j",
    (enabled, active, before, interrupted, starts) => {
      const text = `DOCKER_ENABLED=${enabled} DOCKER_STATE=${active}; true_or_false is_docker_to_start`;
      const files = {
        "/var/lib/meshboot/docker0": before,
        ...(interrupted === "" ? {} : { [interrupted]: "" }),
      };
      expect(step(shell, text, files).out.trim()).toBe(String(starts));
    },
  );

  it.each([
    ["split", "", "", "172.17.0.1/16\n", "172.17.0.1/16\n"],
    ["split", "", "172.30.0.0/16\n172.31.0.0/16\n", "", "172.30.0.1/16\n"],
    ["bridge", "untouched\n", "", "", "none\n"],
    ["split", "none\n", "", "172.28.233.1/25\n", "none\n"],
    ["split", "172.17.0.1/16\n", "", "172.28.233.1/25\n", "172.17.0.1/16\n"],
    ["compose", "", "", "172.17.0.1/16\n", "untouched\n"],
    ["compose", "172.17.0.1/16\n", "", "172.28.233.1/25\n", "172.17.0.1/16\n"],
  ])(
    "LAYOUT=%s, known %j, pools %j, docker0 at %j: remembers %j",
    (layout, known, pools, address, remembered) => {
      const text = `LAYOUT=${layout}; ip() { [ -z "${address.trim()}" ] || echo '6: docker0    inet ${address.trim()} scope global'; }
remember_docker0 >/dev/null; cat "$STATE/docker0"`;
      const files = { "/var/lib/meshboot/docker0": known, "/var/lib/meshboot/pools": pools };
      expect(step(shell, text, files).out).toBe(remembered);
    },
  );

  it("names a docker that does not end, and what to look at", () => {
    const { status, err } = step(shell, "timeout() { return 124; }; patiently 60 docker ps -q");
    expect(status).toBe(124);
    expect(err).toContain("docker ps does not end: see systemctl status docker");
  });

  it.each([
    ["image:1", "image:1", ""],
    ["image:1", "image:2", "systemctl restart --no-block meshboot-ipv6nat.service\n"],
    ["", "image:2", ""],
  ])("with the container of ipv6nat from %j and IPV6NAT_IMAGE=%s runs %j", (runs, image, calls) => {
    const text = `timeout() { shift; "$@"; }; docker() { case $1 in inspect) [ -n "${runs}" ] && echo ${runs} ;; esac; }
systemctl() { case $* in *restart*) echo "systemctl $*" ;; esac; }; is_running() { :; }
IPV6NAT_IMAGE=${image}; write_ipv6nat_unit >/dev/null; start_ipv6nat`;
    expect(step(shell, text)).toEqual({ status: 0, out: calls, err: "" });
  });

  it("restores a user's file again when a down was killed and is run again", () => {
    const text = `echo ours | put_file /etc/theirs 644 >/dev/null
cat "$R/etc/theirs"; drop_files . >/dev/null; drop_files . >/dev/null; cat "$R/etc/theirs"`;
    expect(step(shell, text, { "/etc/theirs": "theirs\n" }).out).toBe("ours\ntheirs\n");
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["a kernel without IPv6", {}],
    ["a host that keeps it off", { "all/disable_ipv6": "1\n", "default/disable_ipv6": "1\n" }],
    ["a host that keeps it off new interfaces", { "all/disable_ipv6": "0\n", "default/disable_ipv6": "1\n" }],
  ])("writes neither IPv6 sysctls nor dockerd options for %s, and says so once", (_, conf) => {
    const files = Object.entries(conf).map(([key, value]) => [`/proc/sys/net/ipv6/conf/${key}`, value]);
    const text = `ip() { :; }; dockerd() { echo 'Docker version 20.10.24, build 1'; }
use_lease "$R/lease"; LAYOUT=split IPV6NAT=auto USERLAND_PROXY=on
mkdir -p "$RUN"; look_for_ipv6; look_for_ipv6; sysctl_lines; docker_options`;
    const { out, err } = step(shell, text, Object.fromEntries(files));
    expect(out).toContain("ip_forward=1");
    expect(out).not.toMatch(/ipv6|ip6tables|::/);
    expect(err.match(/IPv6 is off on this host/g)).toHaveLength(1);
    const lease = { ...Object.fromEntries(files), "/var/lib/meshboot/lease": leaseText() };
    expect(step(shell, 'use_saved_lease; echo "$IPV6"', lease)).toEqual({ status: 0, out: "off\n", err: "" });
  });

  it("knows interfaces that live on router advertisements, also with two routers, and where one may still speak up", () => {
    const text = `ip() { case $* in '-6 '*default) printf '%s\\n' 'default proto ra metric 1024 pref medium' \
' nexthop via fe80::1 dev eth0 weight 1' ' nexthop via fe80::2 dev eth1 weight 1' 'default via fe80::9 dev eth2 proto static' ;;
'-4 '*default) echo 'default nhid 12 via 192.0.2.1 dev eth4 onlink' ;;
*dynamic) echo '2: eth3    inet6 2001:db8::2/64 scope global dynamic' ;; esac; }
advertised_interfaces`;
    const forwarding = (value: string) => ({ "/proc/sys/net/ipv6/conf/all/forwarding": `${value}\n` });
    const advertised = (value: string) => step(shell, text, forwarding(value)).out.trim().split("\n");
    expect(advertised("1")).toEqual(["eth0", "eth1", "eth3"]);
    expect(advertised("0")).toEqual(["eth0", "eth1", "eth4", "eth3"]);
  });

  it("looks also at gateway and resolver before it is in the mesh, and at Docker networks without a bridge", () => {
    const overlap = `TMP=$R; ALLOW_OVERLAP=off LAYOUT=split; has_lease() { :; }; look_at_network() { :; }
is_running() { :; }; timeout() { shift; "$@"; }
docker() { case "$1 $2" in 'network ls') echo 0123 ;; *) echo "$LAN macvlan lan" ;; esac; }
use_lease "$R/lease"; check_overlap; echo none`;
    const ip = (lan: string, gateway: string) =>
      `LAN=${lan}; ip() { case $* in *route*) echo 'default via ${gateway} dev eth0 onlink' ;; esac; }\n`;
    const free = step(shell, ip("192.0.2.0/24", "192.0.2.1") + overlap);
    expect(free.out).toBe("none\n");
    const macvlan = step(shell, ip("10.147.17.128/25", "192.0.2.1") + overlap);
    expect(macvlan.err).toContain("10.147.17.128/25 (the Docker network lan) overlaps the mesh");
    const gateway = step(shell, ip("192.0.2.0/24", "172.28.0.1") + overlap);
    expect(gateway.err).toContain("172.28.0.1/32 (gateway) overlaps the mesh");
    const resolver = step(shell, ip("192.0.2.0/24", "192.0.2.1") + overlap, {
      "/etc/resolv.conf": "nameserver 172.28.9.53\n",
    });
    expect(resolver.err).toContain("172.28.9.53/32 (resolver) overlaps the mesh");
  });
});
