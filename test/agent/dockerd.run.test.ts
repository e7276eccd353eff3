// The step dockerd on a server that already runs: its daemon.json, its options, its containers.
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEBIAN_DOCKER, Host, STUBS } from "./host.ts";
import { AGENT, SHELLS, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const GENERATOR = "/etc/systemd/system-generators/meshboot-docker";
const ENV = "/etc/meshboot/dockerd.env";
const restarts = (host: Host) => host.seen("calls").match(/restart docker.service/g)?.length ?? 0;

/** What the last heartbeat said. */
function reported(host: Host): unknown {
  const bodies = host
    .seen("requests")
    .split("\n")
    .filter((line) => line.startsWith('{"state"'));
  return JSON.parse(bodies.at(-1) ?? "null");
}

/** Runs up on a server whose Docker is as it should not be; checks that all but dockerd is done. */
function refusedByDocker(change: (host: Host) => void, times = 1): string {
  const [shell] = SHELLS;
  if (shell === undefined) throw new Error("no shell to run the agent in");
  return withDirectory((directory) => {
    const host = new Host(directory);
    change(host);
    let last = host.run(shell, "up");
    for (let time = 1; time < times; time += 1) {
      // zerotier-one restarts: the interface is a new one, without routes.
      host.world({ "mesh-routes": "" });
      last = host.run(shell, "up");
    }
    const { status, err } = last;
    expect(status, err).toBe(3);
    expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
    expect(host.seen("nft")).toContain("table inet meshboot");
    expect(host.read(GENERATOR)).toBeUndefined();
    expect(host.read(ENV)).toBeUndefined();
    expect(restarts(host)).toBe(0);
    expect(reported(host)).toMatchObject({ state: "failed", step: "docker" });
    return err;
  });
}

describe.each(SHELLS.slice(0, 1))("dockerd in $name", PATIENCE, (shell) => {
  it.each<[string, string, string]>([
    ["another value", '{"bip": "172.17.0.1/16"}', 'sets bip to "172.17.0.1/16" instead of "172.28.233.1/25"'],
    [
      "two, one of them for old versions only",
      '{\n "experimental": false,\n "ipv6" : false }',
      "sets ipv6 to false instead of true, experimental to false instead of true",
    ],
    [
      "pools of its own",
      '{"default-address-pools":[{"base":"10.0.0.0/8","size":24}]}',
      'sets default-address-pools to [{"base":"10.0.0.0/8","size":24}] instead of [{"base":"fc9c:56c2:e34e:8d87:c868:8000::/81","size":96},{"base":"172.28.233.128/25","size":28}',
    ],
    ["no bridge", '{"bridge": "none"}', 'sets bridge to "none", which excludes bip'],
    [
      "an IPv6 address for docker0, beside which no container starts on it",
      '{"bip6": "fd00:1::1/64"}',
      'sets bip6 to "fd00:1::1/64", which excludes fixed-cidr-v6',
    ],
    [
      "gateways that lie outside ours, one of them for the other family",
      '{"default-gateway-v6": "fd00:1::9", "default-gateway": "172.17.0.9"}',
      'sets default-gateway to "172.17.0.9", which excludes bip, default-gateway-v6 to "fd00:1::9", which excludes',
    ],
    ["escapes that hide it", '{"b\\u0069p": "172.17.0.1\\/16"}', 'sets bip to "172.17.0.1/16" instead of'],
    ["an escape that is none", '{"debug": "\\x"}', "is not JSON: dockerd does not start with it either"],
    [
      "a byte order mark, under a Docker that does not take it",
      '\uFEFF{"debug": true}',
      "begins with a byte order mark, with which dockerd 20 does not start",
    ],
    ["a comma too many", '{"debug": true,}', "is not JSON: dockerd does not start with it either"],
  ])("refuses a daemon.json with %s", (_, json, named) => {
    const err = refusedByDocker((host) => host.write("/etc/docker/daemon.json", json));
    expect(err).toContain(`/etc/docker/daemon.json ${named}`);
  });

  it("leaves to daemon.json what it sets to the same, and the rest of it alone", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const json = `{
        "hosts": ["unix:///run/docker.sock"], "data-root": "/srv/docker", "registry-mirrors": ["https://x/\\"bip\\":"],
        "userns-remap": "default", "log-opts": { "bip": "1", "max-size": "10m" },
        "bip": "172.28.233.1/25", "experimental": true, "ip6tables": true
      }`;
      host.write("/etc/docker/daemon.json", json);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(ENV)).toMatch(/^MESHBOOT_OPTIONS="--fixed-cidr=172\.28\.233\.0\/25 --ipv6 /);
      expect(host.read(ENV)).not.toMatch(/--bip|--experimental|--ip6tables/);
      expect(host.read("/etc/docker/daemon.json")).toBe(json);
      host.join(shell);
      expect(restarts(host)).toBe(1);
    });
  });

  it.each([
    ["a byte order mark", Buffer.from('\uFEFF{"bip": "172.28.233.1/25"}')],
    ["UTF-16", Buffer.from('\uFEFF{"bip": "172.28.233.1/25"}', "utf16le")],
    ["escapes", Buffer.from('{"bip": "172.28.233.1\\/2\\u0035"}')],
    [
      "members in another order",
      Buffer.from(
        '{"bip": "172.28.233.1/25", "default-address-pools": [{"size": 96, "base": "fc9c:56c2:e34e:8d87:c868:8000::/81"}, {"size": 28, "base": "172.28.233.128/25"}, {"size": 24, "base": "172.29.0.0/16"}, {"base": "172.30.0.0/16", "size": 24}]}',
      ),
    ],
  ])("reads a daemon.json with %s as dockerd does", (_, json) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "docker-version": "Docker version 28.5.2, build 1\n" });
      host.write("/etc/docker/daemon.json", "");
      writeFileSync(`${host.root}/etc/docker/daemon.json`, json);
      host.world({ docker0: "6: docker0    inet 172.28.233.1/25 scope global docker0\n" });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(ENV)).toMatch(/^MESHBOOT_OPTIONS="--fixed-cidr=172\.28\.233\.0\/25 --ipv6 /);
    });
  });

  const POOL = "--default-address-pool=base=172.28.233.128/25,size=28";
  const pools = (host: Host) => (host.read(ENV) ?? "").split(POOL).length - 1;

  it.each([
    ["20.10.24+dfsg1", 32],
    ["26.1.5+dfsg1", 32],
    ["28.5.2+dfsg4", 1],
  ])("gives Docker %s, by how it takes subnets, the lease's pool %i times", (version, times) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "docker-version": `Docker version ${version}, build 1\n` });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(pools(host)).toBe(times);
      // All of the lease's first, the rest once.
      expect(host.read(ENV)).toMatch(
        /^[^,]*:8000::\/81,size=96( --\S+=172\.28\.233\.128\/25,size=28)+( --\S+=172\.\d+\.0\.0\/16,size=24){2}( --experimental --ip6tables)?"$/m,
      );
      const { dockerOptions } = JSON.parse(host.run(shell, "status --json").out);
      expect(dockerOptions.split(POOL)).toHaveLength(2);
    });
  });

  it("does not restart a dockerd that has that pool once: it finds it there at its next start", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      const once = (text: string | undefined) => (text ?? "").replace(new RegExp(`(${POOL}[ \\0])+`), "$1");
      const cmdline = `/proc/${host.seen("docker-pid").trim()}/cmdline`;
      host.write(ENV, once(host.read(ENV)));
      host.write(cmdline, once(host.read(cmdline)));
      host.world({ containers: "web\n" });
      expect(pools(host)).toBe(1);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(pools(host)).toBe(32);
      expect(restarts(host)).toBe(1);
    });
  });

  it.each<[string, string, string, string | undefined]>([
    ["auto", "28.5.2", "split", "--mtu=2800 --default-network-opt=bridge=com.docker.network.driver.mtu=2800"],
    ["1400", "26.1.5", "split", "--mtu=1400 --default-network-opt=bridge=com.docker.network.driver.mtu=1400"],
    ["auto", "20.10.24", "split", "--mtu=2800"],
    ["auto", "28.5.2", "bridge", "--mtu=2800"],
    ["auto", "28.5.2", "compose", undefined],
    ["1500", "28.5.2", "split", undefined],
  ])("gives by MTU=%s Docker %s in layout %s %s", (mtu, version, layout, options) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(
        "/etc/meshboot/meshboot.conf",
        `URL=https://mesh.example.com\nLAYOUT=${layout}\nMTU=${mtu}\n`,
      );
      host.write("/sys/class/net/ztabcdefgh/mtu", "2800\n");
      host.world({ "docker-version": `Docker version ${version}, build 1\n` });
      const { status, out, err } = host.run(shell, "up");
      expect({ status, err }).toEqual({ status: 0, err: "" });
      const given = /--mtu=\d+( --default-network-opt=[^" ]+)?/.exec(host.read(ENV) ?? "")?.[0];
      expect(given).toBe(options);
      expect(out.includes("gives the MTU to docker0 alone")).toBe(version === "20.10.24");
      expect(host.seen("nft").includes("maxseg size set rt mtu")).toBe(mtu !== "1500");
      expect(host.run(shell, "rules").status).toBe(0);
      expect(host.seen("nft").includes("maxseg size set rt mtu")).toBe(mtu !== "1500");
    });
  });

  it("asks, where containers run, before the mesh's new MTU restarts dockerd; while the interface is away nothing changes", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nMTU=auto\n");
      host.write("/sys/class/net/ztabcdefgh/mtu", "2800\n");
      host.join(shell);
      host.world({ containers: "web\n" });
      host.put("/sys/class/net/ztabcdefgh/mtu", undefined);
      host.write("/proc/sys/net/ipv4/ip_forward", "0\n");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(ENV)).toContain("--mtu=2800");
      host.write("/sys/class/net/ztabcdefgh/mtu", "1400\n");
      host.write("/proc/sys/net/ipv4/ip_forward", "0\n");
      const { status, err } = host.run(shell, "up");
      expect({ status, err }).toMatchObject({
        status: 3,
        err: expect.stringContaining("web) would restart"),
      });
      expect(host.read(ENV)).toContain("--mtu=2800");
    });
  });

  it.each([
    ['{"mtu": 2800}', undefined],
    ['{"mtu": 1400}', "sets mtu to 1400 instead of 2800"],
    ['{"default-network-opts": {"bridge": {"com.docker.network.driver.mtu": "2800"}}}', undefined],
    ['{"default-network-opts": {"bridge": {}}}', "sets default-network-opts to"],
  ])("with MTU=auto and a daemon.json %s: %s", (json, refusal) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nMTU=auto\n");
      host.write("/sys/class/net/ztabcdefgh/mtu", "2800\n");
      host.write("/etc/docker/daemon.json", json);
      host.world({ "docker-version": "Docker version 28.5.2, build 1\n" });
      const { status, err } = host.run(shell, "up");
      expect(status).toBe(refusal === undefined ? 0 : 3);
      expect(err).toContain(refusal ?? "");
      const mine = json.includes("opts") ? "default-network-opt" : "--mtu";
      expect(host.read(ENV)?.includes(mine) ?? false).toBe(false);
    });
  });

  it("does not restart dockerd when daemon.json begins to set what dockerd has already", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ containers: "web\n" });
      host.write("/etc/docker/daemon.json", '{"ipv6": true}');
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(ENV)).not.toContain("--ipv6 ");
      expect(restarts(host)).toBe(1);
    });
  });

  it("says what it means that Docker makes no rules", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/etc/docker/daemon.json", '{"iptables": false}');
      const { status, err } = host.run(shell, "up");
      expect(status).toBe(0);
      expect(err).toContain("daemon.json has iptables off: Docker makes no rules");
      // dockerd 26.1 does not start with it then.
      expect(host.dockerdCommand()).toContain("--bip=");
      expect(host.dockerdCommand()).not.toContain("ip6tables");
    });
  });

  it.each<[string, string, string]>([
    [
      "the manual recipe",
      'DOCKER_OPTS="--dns=1.1.1.1 --fixed-cidr=172.28.7.0/24"',
      "--fixed-cidr=172.28.7.0/24",
    ],
    ["another bridge", "DOCKER_OPTS='-b br0'", "-b br0"],
    ["IPv6 switched off", "DOCKER_OPTS=--ipv6=false", "--ipv6=false"],
    ["an IPv6 address of its own for docker0", "DOCKER_OPTS=--bip6=fd00:1::1/64", "--bip6=fd00:1::1/64"],
    [
      "its own pools",
      "DOCKER_OPTS=--default-address-pool base=10.0.0.0/8,size=24",
      "--default-address-pool base=",
    ],
  ])("refuses dockerd's options of %s, naming them", (_, line, named) => {
    const err = refusedByDocker((host) => host.write("/etc/default/docker", `# --bip=1.2.3.4/8\n${line}\n`));
    expect(err).toContain(`docker.service starts dockerd with ${named}`);
    expect(err).toContain("Environment or EnvironmentFile (/etc/default/docker)");
  });

  it("refuses an option in the unit itself, and takes one that is the same as its own", () => {
    const unit = (option: string) => DEBIAN_DOCKER.replace("$DOCKER_OPTS", `${option} $DOCKER_OPTS`);
    const err = refusedByDocker((host) =>
      host.write("/lib/systemd/system/docker.service", unit("--bip 10.9.0.1/24")),
    );
    expect(err).toContain("starts dockerd with --bip 10.9.0.1/24");
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/lib/systemd/system/docker.service", unit("--bip=172.28.233.1/25 --iptables"));
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });

  it.each<[string, string, string]>([
    ["a snap", "/snap/docker/current", "Docker is here as a snap"],
    ["Podman under Docker's name", "/var/lib/dpkg/info/podman-docker.list", "podman-docker is here"],
  ])("refuses %s", (_, path, named) => {
    expect(refusedByDocker((host) => host.write(path, ""))).toContain(named);
  });

  it("refuses a rootless dockerd where docker.service is disabled", () => {
    const err = refusedByDocker((host) => {
      host.write("/run/user/1000/docker.sock", "");
      host.world({ "docker-enabled": "disabled\n", "docker-pid": "7\n" });
    });
    expect(err).toContain("dockerd runs rootless (/run/user/1000/docker.sock)");
  });
});

describe.each(SHELLS.slice(0, 1))("a dockerd that is held back in $name", PATIENCE, (shell) => {
  it("keeps no server out of the mesh by what is refused of it, at no attempt", () => {
    const json = '{"bip": "172.17.0.1/16"}';
    for (const hold of [(host: Host) => host.becomeImage(), (host: Host) => host.becomeMasked()]) {
      const err = refusedByDocker((host) => hold(host).write("/etc/docker/daemon.json", json), 2);
      expect(err).toContain("sets bip to");
    }
  });

  it("is up again after down, where it did not start with the mesh's options", () => {
    withDirectory((directory) => {
      const host = new Host(directory).becomeImage();
      host.world({
        "docker-fails": "",
        "docker-journal": "failed to start daemon: no space left on device\n",
      });
      expect(host.run(shell, "up")).toMatchObject({
        status: 1,
        err: expect.stringContaining("dockerd does not start: failed to start daemon: no space left"),
      });
      expect(host.dockerdCommand()).toBeUndefined();
      // Nor is it tried a second time.
      expect(host.seen("calls")).not.toContain("systemctl start docker.service");
      rmSync(join(directory, "world/docker-fails"));
      host.world({ "docker-enabled": "disabled\n" });
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.dockerdCommand()).toBeDefined();
      expect(host.dockerdCommand()).not.toContain("--bip");
      expect(host.seen("docker-enabled")).toBe("enabled\n");
    });
  });

  it("is unmasked by down also where it could not be installed", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const stubs = join(directory, "stubs");
      cpSync(STUBS, stubs, { recursive: true });
      rmSync(join(stubs, "dockerd"));
      writeFileSync(join(stubs, "apt-get"), "#!/bin/sh\ncase $* in *docker.io*) exit 100 ;; esac\n");
      const run = (verb: string) => host.run(shell, verb, AGENT, { PATH: `${stubs}:${process.env["PATH"]}` });
      const links = () => readdirSync(`${host.root}/run/systemd/system`);
      expect(run("up").status).toBe(1);
      expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
      expect(links()).toEqual(["docker.service", "docker.socket"]);
      expect(run("down").status).toBe(0);
      expect(links()).toEqual([]);
    });
  });

  it("is unmasked by the one who masked it", () => {
    withDirectory((directory) => {
      const run = (name: string, prepare: (host: Host) => void) => {
        const host = new Host(join(directory, name));
        host.put("/proc/42/cmdline", undefined);
        host.world({ "docker-enabled": "masked-runtime\n" });
        symlinkSync("/dev/null", `${host.root}/run/systemd/system/docker.service`);
        prepare(host);
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        return host;
      };
      const theirs = run("theirs", () => undefined);
      expect(theirs.seen("calls")).not.toMatch(/unmask|start docker/);
      expect(theirs.read(ENV)).toContain("--bip=");
      const ours = run("ours", (host) => host.write("/var/lib/meshboot/masked", ""));
      expect(ours.seen("calls")).toMatch(/unmask --runtime/);
      expect(ours.dockerdCommand()).toContain("--bip=");
    });
  });
});

/** The agent with something happening at a place. */
function interrupted(directory: string, place: string, happens: string): string {
  const program = join(directory, "interrupted");
  const text = readFileSync(AGENT, "utf8");
  expect(text).toContain(place);
  writeFileSync(
    program,
    text.replace(place, () => `${place}\n${happens}`),
  );
  return program;
}

/** What ends a run: the command that does, and the exit code. */
const ENDS: readonly [string, string, number][] = [
  ["a failure", "fail 'no luck'", 1],
  ...["HUP", "INT", "PIPE", "TERM"].map((signal): [string, string, number] => [
    signal,
    `kill -s ${signal} $$`,
    143,
  ]),
];

const CUTS: readonly [string, string, number | null][] = [...ENDS, ["KILL", "kill -s KILL $$", null]];

describe.each(SHELLS.slice(0, 1))("a dockerd that the run has stopped in $name", PATIENCE, (shell) => {
  it.each(ENDS)("runs again with its containers when %s ends up", (_, ends, status) => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nIPV6NAT=off\n");
      host.world({ containers: "web\n" });
      const program = interrupted(directory, "\ndrop_docker_rules6() {", ends);
      expect(host.run(shell, "up --restart-docker", program).status).toBe(status);
      expect(host.seen("calls")).toMatch(
        /stop docker\.service\n(?:.*\n)*systemctl start docker\.service\n(?:.*\n)*docker start id-web\n/,
      );
      expect(host.dockerdCommand()).toBeDefined();
      expect(host.read("/run/meshboot/restarting")).toBeUndefined();
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
    });
  });

  it("has its containers again also where live-restore kept it, and only they were stopped", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      host.world({ containers: "web\n", "live-restore": "true\n" });
      const program = interrupted(
        directory,
        "patiently 300 docker stop $ids >/dev/null || :",
        "kill -s HUP $$",
      );
      expect(host.run(shell, "up --restart-docker", program).status).toBe(143);
      expect(host.seen("calls")).toMatch(/docker stop id-web\n(?:.*\n)*docker start id-web\n/);
      expect(host.seen("docker-pid")).toBe("42\n");
    });
  });

  it.each(ENDS)("runs again with its containers when %s ends down", (_, ends, status) => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      host.join(shell);
      host.world({ containers: "web\n", calls: "" });
      const program = interrupted(directory, "\nroutes_down() {", ends);
      expect(host.run(shell, "down --restart-docker", program).status).toBe(status);
      expect(host.seen("calls")).toMatch(
        /stop docker\.socket docker\.service\n(?:.*\n)*systemctl start docker\.service\n(?:.*\n)*docker start id-web\n/,
      );
      expect(host.dockerdCommand()).not.toContain("--bip");
      expect(host.run(shell, "down")).toMatchObject({ status: 0, err: "" });
      expect(host.dockerdCommand()).toBeDefined();
    });
  });
});

describe.each(SHELLS.slice(0, 1))("a stopped dockerd in $name", PATIENCE, (shell) => {
  const stop = (host: Host) => host.put(`/proc/${host.seen("docker-pid").trim()}/cmdline`, undefined);

  it("is started also when up was killed just before", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      stop(host);
      const killed = join(directory, "killed");
      writeFileSync(
        killed,
        readFileSync(AGENT, "utf8").replace("\n  if ! run restart_docker;", () => "\n  if ! kill -9 $$;"),
      );
      expect(host.run(shell, "up", killed).status).toBeNull();
      expect(host.dockerdCommand()).toBeUndefined();
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.dockerdCommand()).toContain("--bip=");
      stop(host);
      expect(host.run(shell, "up").out).toContain("is not started");
    });
  });

  it("stays stopped through down, and leaves no docker0 with the mesh's address", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      stop(host);
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.seen("calls")).toContain("ip link del docker0");
      expect(restarts(host)).toBe(1);
      expect(host.read("/proc/sys/net/ipv4/ip_forward")).toBe("0\n");
    });
  });

  it("has forwarding off after down, but not one that runs on", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "docker-version": "Docker version 28.5.2, build 1\n" });
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=compose\n");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.run(shell, "down").out).toContain("dockerd runs on, and its containers need forwarding");
      expect(restarts(host)).toBe(0);
      expect(host.read("/proc/sys/net/ipv4/ip_forward")).toBe("1\n");
      const ipv6 = "/proc/sys/net/ipv6/conf";
      expect(host.read(`${ipv6}/all/forwarding`)).toBe("0\n");
      expect(host.read(`${ipv6}/eth0/accept_ra`)).toBe("1\n");
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))("running containers in $name", PATIENCE, (shell) => {
  it("are named and asked for, and dockerd stays as it is until somebody agrees", () => {
    const running = (host: Host) => host.world({ containers: "web\ndb\na\nb\nc\nd\n" });
    const err = refusedByDocker(running);
    expect(err).toContain("6 containers (web, db, a, b, c, ...) would restart with dockerd");
    expect(err).toContain("meshboot up --restart-docker");
    withDirectory((directory) => {
      const host = new Host(directory);
      running(host);
      host.run(shell, "up");
      expect(host.run(shell, "up --restart-docker")).toMatchObject({ status: 0, err: "" });
      expect(host.dockerdCommand()).toContain("--bip=172.28.233.1/25\0");
      // Once agreed, once restarted: what ran runs again, and the next restart asks again.
      expect(host.seen("calls")).toContain("docker start id-web id-db id-a");
      expect(host.seen("calls")).not.toContain("docker stop");
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(restarts(host)).toBe(1);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nUSERLAND_PROXY=off\n");
      const changed = host.run(shell, "up");
      expect(changed.status).toBe(3);
      expect(host.read(ENV)).not.toContain("userland-proxy");
      host.write(
        "/etc/meshboot/meshboot.conf",
        "URL=https://mesh.example.com\nUSERLAND_PROXY=off\nRESTART_DOCKER=on\n",
      );
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.dockerdCommand()).toContain("--userland-proxy=false");
      expect(restarts(host)).toBe(2);
    });
  });

  it("may restart by an agreement in its own run alone, and by that of before until dockerd has its options", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ containers: "web\n" });
      const settings = host.read("/etc/meshboot/meshboot.conf") ?? "";
      host.write("/etc/meshboot/meshboot.conf", "LAYOUT=none\n");
      expect(host.run(shell, "up --restart-docker").status).toBe(3);
      host.write("/etc/meshboot/meshboot.conf", settings);
      expect(host.run(shell, "up").err).toContain("1 container (web) would restart");
      host.write("/run/meshboot/restart-docker", "40.00 30.00\n");
      host.write("/etc/meshboot/meshboot.conf", "LAYOUT=none\n");
      expect(host.run(shell, "up").status).toBe(3);
      host.write("/etc/meshboot/meshboot.conf", settings);
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.read("/run/meshboot/restart-docker")).toBeUndefined();
      expect(restarts(host)).toBe(1);
    });
  });

  it.each([
    ["less than an hour ago", "100.00 80.00\n", "3699.99 80.00\n", 0],
    ["an hour ago", "100.00 80.00\n", "3700.00 80.00\n", 3],
    ["at a time that is still to come", "101.00 80.00\n", "100.00 80.00\n", 3],
    ["nobody knows when", "", "100.00 80.00\n", 3],
    ["at a time that is none", "1e2 80.00\n", "100.00 80.00\n", 3],
  ])("may restart by an agreement given beforehand, %s by the uptime", (_, given, uptime, status) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ containers: "web\n" });
      host.write("/run/meshboot/restart-docker", given);
      host.write("/proc/uptime", uptime);
      expect(host.run(shell, "up").status).toBe(status);
      expect(restarts(host)).toBe(status === 0 ? 1 : 0);
    });
  });

  it.each([
    ["the dockerd that runs", 0, 0],
    ["one that has ended since", -1, 3],
  ])("may restart by the note of a run that was interrupted, of %s", (_, older, status) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ containers: "web\n", calls: "" });
      host.write("/run/meshboot/restarting", `${Number(host.seen("docker-pid")) + older}\nid-db\n`);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nUSERLAND_PROXY=off\n");
      const up = host.run(shell, "up");
      expect(up.status).toBe(status);
      expect(up.err.includes("1 container (web) would restart")).toBe(status === 3);
      expect(host.seen("calls").includes("docker start id-db")).toBe(status === 0);
      expect(restarts(host)).toBe(status === 0 ? 1 : 0);
      expect(host.read("/run/meshboot/restarting")).toBeUndefined();
    });
  });

  it.each(CUTS)("are asked for after a run of up that %s cut off ahead of the restart", (_, ends, status) => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      const program = interrupted(directory, "\nwrite_docker_files() {", ends);
      expect(host.run(shell, "up --restart-docker", program).status).toBe(status);
      host.world({ containers: "web\n" });
      expect(host.run(shell, "up")).toMatchObject({
        status: 3,
        err: expect.stringContaining("1 container (web) would restart"),
      });
      expect([host.seen("docker-pid"), restarts(host)]).toEqual(["42\n", 0]);
    });
  });

  it.each(CUTS)(
    "are asked for after a run of down that %s cut off ahead of the restart",
    (_, ends, status) => {
      withDirectory((directory) => {
        const host = new Host(join(directory, "host"));
        host.join(shell);
        const place = 'echo "MESHBOOT_OPTIONS=\\"--bip=$before\\"" | put_file /etc/meshboot/dockerd.env 644';
        const program = interrupted(directory, place, ends);
        expect(host.run(shell, "down --restart-docker", program).status).toBe(status);
        host.world({ containers: "web\n", calls: "" });
        expect(host.run(shell, "down")).toMatchObject({
          status: 3,
          err: expect.stringContaining("1 container (web) would restart"),
        });
        expect(host.dockerdCommand()).toContain("--bip=172.28.233.1/25\0");
        expect(host.run(shell, "down --restart-docker")).toMatchObject({ status: 0, err: "" });
        expect(host.seen("calls")).toContain("docker start id-web");
        expect(host.dockerdCommand()).not.toContain("--bip");
      });
    },
  );

  it("are asked for anew, and run, where systemd has not stopped dockerd", () => {
    withDirectory((directory) => {
      const host = new Host(join(directory, "host"));
      host.world({ containers: "web\n", "live-restore": "true\n" });
      const program = interrupted(
        directory,
        "\nstart_docker() { # start|restart",
        '[ "$1" = start ] || return 1',
      );
      expect(host.run(shell, "up --restart-docker", program).status).toBe(1);
      expect(host.seen("calls")).toMatch(/docker stop id-web\n(?:.*\n)*docker start id-web\n/);
      expect(host.run(shell, "up").err).toContain("1 container (web) would restart");
      expect(restarts(host)).toBe(0);
    });
  });

  it("come back, where dockerd did not start and they were stopped for it, with the next up", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ containers: "web\n", "live-restore": "true\n", "docker-fails": "" });
      expect(host.run(shell, "up --restart-docker").status).toBe(1);
      expect(host.seen("calls")).not.toContain("docker start");
      rmSync(join(directory, "world/docker-fails"));
      host.world({ containers: "" });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).toContain("docker start id-web");
    });
  });

  it("are stopped for it where live-restore would keep them, and docker0 with them", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ containers: "web\n", "live-restore": "true\n" });
      expect(host.run(shell, "up").status).toBe(3);
      expect(host.run(shell, "up --restart-docker").status).toBe(0);
      expect(host.seen("calls")).toMatch(
        /docker stop id-web\n(?:.*\n)*systemctl restart docker\.service\n(?:.*\n)*docker start id-web\n/,
      );
    });
  });

  it("are not there on a first boot, which is not asked", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const { out, status } = host.run(shell, "up");
      expect(status).toBe(0);
      expect(out).toContain("starts dockerd with --bip=");
    });
  });
});

describe.each(SHELLS.slice(0, 1))("an agreement given beforehand in $name", PATIENCE, (shell) => {
  const agree = (host: Host) => host.write("/run/meshboot/restart-docker", "40.00 30.00\n");

  it.each([
    ["counts", "3639.99 80.00\n", 0, 1],
    ["is over, an hour after it was given,", "3640.00 80.00\n", 3, 0],
  ])("%s for a Docker that came after the first run", (_, uptime, status, times) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const stubs = join(directory, "stubs");
      cpSync(STUBS, stubs, { recursive: true });
      rmSync(join(stubs, "dockerd"));
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nDOCKER=present\n");
      agree(host);
      const environment = { PATH: `${stubs}:${process.env["PATH"]}` };
      const up = () => host.run(shell, "up", AGENT, environment);
      expect(up().out).toContain("no dockerd yet");
      host.write("/proc/uptime", uptime);
      up();
      expect(host.read("/run/meshboot/restart-docker") !== undefined).toBe(status === 0);
      host.world({ containers: "web\n" });
      expect(host.run(shell, "up").status).toBe(status);
      expect(restarts(host)).toBe(times);
      expect(host.read("/run/meshboot/restart-docker")).toBeUndefined();
    });
  });

  it("ends with the first run that succeeds, also one that did not need it", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.write("/var/lib/docker/network/files/local-kv.db", "1");
      host.run(shell, "up");
      expect(host.run(shell, "up").out).toContain("nothing has changed");
      agree(host);
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.read("/run/meshboot/restart-docker")).toBeUndefined();
    });
  });
});
