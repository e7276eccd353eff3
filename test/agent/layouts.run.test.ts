// How the lease is shared out between docker0 and other networks, and what a Compose project is told.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { DEFAULT_POOL, type LeaseSeed, leaseText } from "./leases.ts";
import { HARMLESS, type Run, runShell, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const SIX = "fc9c:56c2:e34e:8d87:c868";
const OUTER = "--default-address-pool=base=172.17.0.0/16,size=24";

/** Runs functions of the agent as it is shipped on a server with that lease and those settings. */
function onServer(
  shell: Shell,
  text: string,
  { settings = "", seed = {}, docker0 = "" }: { settings?: string; seed?: LeaseSeed; docker0?: string } = {},
): Run {
  return withDirectory((root) => {
    const files = {
      "/agent": AGENT.program,
      "/etc/meshboot/meshboot.conf": `URL=https://mesh.example.com\n${settings}`,
      "/var/lib/meshboot/lease": leaseText(seed),
      "/var/lib/meshboot/interface": "ztabcdefgh\n",
      "/var/lib/meshboot/pools": "172.17.0.0/16\n",
      "/var/lib/meshboot/docker0": docker0,
      "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n",
      "/proc/sys/net/ipv6/conf/default/disable_ipv6": "0\n",
    };
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const script = `${HARMLESS}. '${root}/agent'\nread_settings; use_saved_lease\n${text}`;
    return runShell(shell, script, { MESHBOOT_SOURCE: "1", MESHBOOT_ROOT: root });
  });
}

/** The shell functions that stand for Docker of a version, with these networks, `subnet name` a line. */
function dockerWith(networks: string, composeVersion = "2.26.1"): string {
  return `is_running() { :; }
dockerd() { echo 'Docker version 28.5.2, build 1'; }
docker() { case $* in 'compose version') ${composeVersion.startsWith("1.") ? "false" : ":"} ;; 'network inspect'*) printf '${networks}' ;; esac; }

mkdir "$R/bin"; printf '#!/bin/sh\necho %s\n' ${composeVersion} >"$R/bin/docker-compose"; chmod 755 "$R/bin/docker-compose"; PATH=$R/bin:$PATH
timeout() { shift; "$@"; }
`;
}

describe.each(SHELLS)("layouts in $name", PATIENCE, (shell) => {
  it.each([
    [
      "split",
      `--bip=172.28.233.1/25 --fixed-cidr=172.28.233.0/25 --ipv6 --fixed-cidr-v6=${SIX}::/81 --default-address-pool=base=${SIX}:8000::/81,size=96 --default-address-pool=base=172.28.233.128/25,size=28 ${OUTER}`,
    ],
    [
      "bridge",
      `--bip=172.28.233.1/24 --fixed-cidr=172.28.233.0/24 --ipv6 --fixed-cidr-v6=${SIX}::/80 ${OUTER}`,
    ],
    ["compose", ""],
  ])("%s gives dockerd its options", (layout, options) => {
    const { out, err } = onServer(shell, `${dockerWith("")}docker_options`, {
      settings: `LAYOUT=${layout}\n`,
      docker0: "untouched\n",
    });
    expect(err).toBe("");
    expect(out.trim().replaceAll("\n", " ")).toBe(options);
  });

  it("compose brings docker0 back that another layout had moved, and remembers where that was", () => {
    const text = `${dockerWith("")}ip() { echo '3: docker0    inet 172.28.233.1/25 scope global docker0'; }
docker_options; host_networks`;
    const { out } = onServer(shell, text, { settings: "LAYOUT=compose\n", docker0: "172.31.0.1/16\n" });
    expect(out).toBe("--bip=172.31.0.1/16\n172.31.0.0/16 docker0\n");
  });

  it.each([
    ["split", "172.28.233.112/28", true],
    ["split", "172.28.233.128/28", false],
    ["bridge", "172.28.233.128/28", true],
    ["compose", "172.28.233.0/28", false],
  ])("%s with a network in %s: named and refused %s", (layout, subnet, isRefused) => {
    const text = `${dockerWith("shop_default")}host_networks() { echo '${subnet} docker:shop_default'; }\ncheck_layout`;
    const { err, status } = onServer(shell, text, { settings: `LAYOUT=${layout}\n` });
    expect(status).toBe(isRefused ? 3 : 0);
    if (isRefused)
      expect(err).toMatch(
        new RegExp(`${subnet} .*the Docker network shop_default.*LAYOUT=${layout} gives to docker0`),
      );
  });

  it("keeps later dockerds off the mesh in layout compose, by a route, once, and takes it away again", () => {
    const text = `${dockerWith("")}ip() { case $* in
*show*) echo 'default via 192.0.2.1 dev eth0 proto static metric 5101'; cat "$R/route" 2>/dev/null ;;
*) echo "ip $*"; case $* in *del*) rm "$R/route" ;; *) echo "\${*#*replace }" >"$R/route" ;; esac ;; esac; }
guard_pool; guard_pool; LAYOUT=split; guard_pool; guard_pool; LAYOUT=compose; guard_pool; look_at_docker_major() { major=20; }; guard_pool; guard_pool`;
    const { out, err } = onServer(shell, text, { settings: "LAYOUT=compose\n" });
    expect(err).toBe("");
    expect(out.split("\n").filter((line) => line.startsWith("ip "))).toEqual([
      "ip -4 route replace unreachable 172.28.0.0/16 proto static scope link metric 5101",
      "ip -4 route del unreachable 172.28.0.0/16 metric 5101",
      "ip -4 route replace unreachable 172.28.0.0/16 proto static scope link metric 5101",
      "ip -4 route del unreachable 172.28.0.0/16 metric 5101",
    ]);
  });
});

describe.each(SHELLS)("meshboot compose in $name", PATIENCE, (shell) => {
  const compose = (
    args: string,
    settings: string,
    networks = "172.17.0.0/16 bridge\\n",
    version?: string,
    seed: LeaseSeed = {},
  ) => onServer(shell, `${dockerWith(networks, version)}compose ${args}`, { settings, seed });
  const ipam = (out: string): unknown => load(out);

  it("gives a free piece of the lease in layout compose", () => {
    const { out, err } = compose(
      "",
      "LAYOUT=compose\n",
      `172.17.0.0/16 bridge\\n\\n172.28.233.0/28 shop\\n172.28.233.32/27 x\\n${SIX}:10::/95 y\\n`,
    );
    expect(err).toBe("");
    expect(ipam(out)).toEqual({
      networks: {
        default: {
          enable_ipv6: true,
          ipam: {
            config: [
              { subnet: "172.28.233.64/28", gateway: "172.28.233.65" },
              { subnet: `${SIX}:40::/96`, gateway: `${SIX}:40::1` },
            ],
          },
        },
      },
    });
  });

  it.each([
    ["--size 26", "", "172.28.233.64/26", "40"],
    ["--part 172.28.233.128/25", "", "172.28.233.128/25", "80"],
    ["--size 24", "", undefined, "/24 is not free in 172.28.233.0/24: the Docker network shop is there"],
    [
      "--part 172.28.233.0/29",
      "",
      undefined,
      "172.28.233.0/29 is not free in 172.28.233.0/24: the Docker network shop is there",
    ],
    ["--part 172.28.232.0/28", "", undefined, "is no part of 172.28.233.0/24: those are a /24 to a /29"],
    ["--part 172.28.233.8/28", "", undefined, "is no part of"],
    ["--size 30", "", undefined, "is no part of"],
    ["", `${SIX}::/80 six\\n`, undefined, "the Docker network six is there"],
  ])("%s with %j more: %s, %s", (args, more, subnet, rest) => {
    const { out, err, status } = compose(args, "LAYOUT=compose\n", `172.28.233.0/28 shop\\n${more}`);
    if (subnet === undefined) {
      expect({ status, out }).toEqual({ status: 3, out: "" });
      expect(err).toContain(rest);
    } else {
      expect(out).toContain(`- subnet: ${subnet}\n`);
      expect(out).toContain(`- subnet: ${SIX}:${rest}::/96\n`);
    }
  });

  it("knows large leases: a piece has one IPv6 subnet of its own", () => {
    const seed = { settings: { ...DEFAULT_POOL, docker: "172.16.0.0/12", nodePrefix: 14 }, slot: 1 };
    const { out } = compose("", "LAYOUT=compose\n", "172.20.0.0/28 shop\\n", undefined, seed);
    expect(out).toContain("- subnet: 172.20.0.16/28\n");
    expect(out).toContain(`- subnet: ${SIX}:4::/96\n`);
  });

  it("brings ipv6nat, for which the named services wait, unless one runs", () => {
    const settings = "LAYOUT=compose\nIPV6NAT=container\nIPV6NAT_IMAGE=registry.example.com/ipv6nat:1\n";
    const { out } = compose("web db", settings);
    expect(load(out)).toMatchObject({
      services: {
        ipv6nat: {
          image: "registry.example.com/ipv6nat:1",
          network_mode: "host",
          cap_drop: ["ALL"],
          cap_add: ["NET_ADMIN", "NET_RAW"],
        },
        web: { depends_on: ["ipv6nat"] },
        db: { depends_on: ["ipv6nat"] },
      },
    });
    const running = onServer(shell, `${dockerWith("")}ipv6nat_containers() { echo nat_1; }\ncompose web`, {
      settings,
    }).out;
    expect(load(running)).not.toHaveProperty("services");
    expect(running).toContain("the container nat_1 does it");
  });

  it("gives a project again what it has, and no other one that", () => {
    const project = (name: string, args = "") => {
      const docker = `docker() { case "$*" in
'network ls --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.network=default'*) echo shop_default ;;
'network ls --filter'*) ;;
'network ls'*) echo 0123 4567 ;;
'network inspect -f {{range .Containers}}'*) ;;
'network inspect'*) printf '172.28.233.32/28 shop_default\\n${SIX}:20::/96 shop_default\\n172.28.233.0/28 blog_default\\n' ;;
'ps --filter label=com.docker.compose.project=shop --format {{.Names}}') echo ipv6nat ;;
'ps --format {{.Names}} {{.Image}}') echo ipv6nat robbertkl/ipv6nat ;;
esac; }`;
      const text = `${dockerWith("")}${docker}
mkdir "$R/${name}"; cd "$R/${name}"; compose ${args}`;
      const { out, err } = onServer(shell, text, { settings: "LAYOUT=compose\nIPV6NAT=container\n" });
      if (args.includes("--size")) expect(err).toContain("first docker compose down");
      else expect(err).toBe("");
      const subnet = /subnet: (172\S+)/.exec(out)?.[1];
      return [subnet, out.includes("services:")];
    };
    expect(project("Shop")).toEqual(["172.28.233.32/28", true]);
    expect(project("Shop", "--part 172.28.233.32/28")).toEqual(["172.28.233.32/28", true]);
    expect(project("Shop", "--size 27")).toEqual(["172.28.233.32/27", true]);
    expect(project("news")).toEqual(["172.28.233.16/28", false]);
  });

  /** What a project is told whose network is there already, with these subnets and these containers on it. */
  const told = (layout: string, subnets: string, on = "shop_web_1 ", compose = "2.40.3") => {
    const docker = `docker() { case "$*" in
'compose version') ${compose.startsWith("1.") ? "false" : ":"} ;;
'network ls --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.network=default'*) echo shop_default ;;
'network ls'*) echo 0123 ;;
'network inspect -f {{range .Containers}}'*) echo '${on}' ;;
'network inspect'*) printf '${subnets}' ;;
'ps -a --filter label=com.docker.compose.project=shop --format {{.Names}}' | 'ps --filter label=com.docker.compose.project=shop --format {{.Names}}') echo shop_web_1 ;;
esac; }`;
    const text = `${dockerWith("", compose)}${docker}
mkdir "$R/shop"; cd "$R/shop"; compose`;
    const { out, err, status } = onServer(shell, text, { settings: `LAYOUT=${layout}\n` });
    expect(status).toBe(0);
    expect(load(out)).toHaveProperty("networks");
    return err;
  };
  const DOWN =
    "meshboot: compose: the network shop_default (172.18.0.0/16) was made before, and up -d leaves it as it is, or fails: first docker compose down\n";

  it.each([
    ["compose", "172.18.0.0/16 shop_default\\n", DOWN],
    ["split", "172.18.0.0/16 shop_default\\n", DOWN],
    ["compose", `172.28.233.32/28 shop_default\\n${SIX}:20::/96 shop_default\\n`, ""],
    ["split", `172.28.233.144/28 shop_default\\n${SIX}:8000::/96 shop_default\\n`, ""],
    ["split", "172.28.233.144/28 shop_default\\n", DOWN.replace("172.18.0.0/16", "172.28.233.144/28")],
    [
      "compose",
      "172.28.233.32/28 shop_default\\nfd00::/64 shop_default\\n",
      DOWN.replace("172.18.0.0/16", "172.28.233.32/28, fd00::/64"),
    ],
  ])("in layout %s says of a network with %j that is there: %j", (layout, subnets, warning) => {
    expect(told(layout, subnets)).toBe(warning);
  });

  it("names others on it, which keep the network through down, and Compose's command of old", () => {
    const err = told("compose", "172.18.0.0/16 shop_default\\n", "shop_web_1 backup blog_web_1 ", "1.29.2");
    expect(err).toContain(
      "first docker-compose down. Before that, since these are on it too, and Compose would then not bring the project up again: docker network disconnect shop_default backup; docker network disconnect shop_default blog_web_1\n",
    );
  });

  it("says of another piece than the project has that down comes first", () => {
    const docker = `docker() { case "$*" in
'network ls --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.network=default'*) echo shop_default ;;
'network ls'*) echo 0123 ;;
'network inspect -f {{range .Containers}}'*) ;;
'network inspect'*) printf '172.28.233.32/28 shop_default\\n${SIX}:20::/96 shop_default\\n' ;;
esac; }`;
    const text = `${dockerWith("")}${docker}
mkdir "$R/shop"; cd "$R/shop"; compose --size 27`;
    const { out, err } = onServer(shell, text, { settings: "LAYOUT=compose\n" });
    expect(out).toContain("subnet: 172.28.233.0/27");
    expect(err).toContain("the network shop_default (172.28.233.32/28, ");
  });

  it("is short in layout split, and says in layout bridge why there is nothing", () => {
    expect(load(compose("", "").out)).toEqual({ networks: { default: { enable_ipv6: true } } });
    const { out, status } = compose("", "LAYOUT=bridge\n");
    expect(status).toBe(0);
    expect(out).toMatch(/^(#.*\n)+$/);
    expect(out).toContain("network_mode: bridge");
    expect(compose("--size 28", "").status).toBe(3);
  });

  it.each([
    ["", "1.29.2", true],
    ["", "2.40.3", false],
    ["--old", "2.40.3", true],
    ["--new", "1.29.2", false],
  ])("%s, Compose %s installed: an old file %s", (args, version, isOld) => {
    expect(compose(args, "", undefined, version).out.includes('version: "2.1"')).toBe(isOld);
  });

  it.each(["--part", "--size x", "'a b'", "--part 172.28.1.0"])("%s is wrong usage", (args) => {
    const { err, status } = compose(args, "LAYOUT=compose\n");
    expect(status).toBe(2);
    expect(err).toContain("meshboot compose [--old|--new]");
  });

  it.each(["split", "compose"])(
    "gives in layout %s the MTU, which a Docker before 24 cannot be told",
    (layout) => {
      const network = (mtu: string) => load(compose("", `LAYOUT=${layout}\nMTU=${mtu}\n`).out);
      expect(network("2800")).toMatchObject({
        networks: {
          default: { enable_ipv6: true, driver_opts: { "com.docker.network.driver.mtu": "2800" } },
        },
      });
      expect(network("1500")).not.toHaveProperty("networks.default.driver_opts");
    },
  );

  it("does not guess while dockerd is down", () => {
    const { out, err, status } = onServer(shell, "is_running() { false; }\ncompose --new", {
      settings: "LAYOUT=compose\n",
    });
    expect({ out, status }).toEqual({ out: "", status: 1 });
    expect(err).toContain("systemctl start docker");
  });
});

describe.each(SHELLS)("IPV6NAT=container in $name", PATIENCE, (shell) => {
  const text = (containers: string, image: string) => `${dockerWith("")}
TMP=$R; unit_value() { :; }; is_running() { [ "$1" = docker ]; }
systemctl() { echo "systemctl $*"; }
docker() { case $1 in ps) printf '%s\\n' ${containers} ;; image) ${image} ;; pull) echo 'lookup failed' >&2; false ;; esac; }
ipv6nat_up; cat "$R/etc/systemd/system/meshboot-ipv6nat.service" 2>/dev/null || :`;

  it("is a unit of its own, and a pull that fails is said and fails nothing", () => {
    const { out, err, status } = onServer(shell, text("", "false"), { settings: "IPV6NAT=container\n" });
    expect(status).toBe(0);
    expect(err).toMatch(/no image robbertkl\/ipv6nat:0\.4\.4.*lookup failed.*IPV6NAT_IMAGE/);
    expect(out).toContain("systemctl restart --no-block meshboot-ipv6nat.service");
    expect(out).toContain("--cap-drop ALL --cap-add NET_ADMIN --cap-add NET_RAW ");
    expect(out).not.toContain("privileged ");
  });

  it.each(["auto", "docker", "container"])("%s is refused beside another ipv6nat, which is named", (mode) => {
    const { err, status } = onServer(shell, text("'nat robbertkl/ipv6nat'", ":"), {
      settings: `IPV6NAT=${mode}\n`,
    });
    expect(status).toBe(3);
    expect(err).toContain("the container nat translates IPv6");
  });

  it.each([
    ["the own one", "'meshboot-ipv6nat robbertkl/ipv6nat:0.4.4'", "IPV6NAT=container\n"],
    ["nobody's", "'nat robbertkl/ipv6nat'", "IPV6NAT=off\n"],
    ["the project's", "'ipv6nat robbertkl/ipv6nat'", "LAYOUT=compose\nIPV6NAT=container\n"],
  ])("%s is let be", (_, containers, settings) => {
    expect(onServer(shell, text(containers, ":"), { settings }).status).toBe(0);
  });

  it("heeds ip6tables in daemon.json", () => {
    const { err, status } = onServer(
      shell,
      `mkdir -p "$R/etc/docker"; echo '{"ip6tables": true}' >"$R/etc/docker/daemon.json"\n${dockerWith("")}choose_options`,
      { settings: "IPV6NAT=container\n" },
    );
    expect(status).toBe(3);
    expect(err).toContain("daemon.json sets ip6tables");
  });
});
