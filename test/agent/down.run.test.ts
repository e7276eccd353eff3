// down asks before it stops containers, and says what it would do without doing it: each of its steps, a later one too.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../scripts/agent.ts";
import { changingCalls, everything, unchanged } from "./changes.ts";
import { Host } from "./host.ts";
import { available, type Run, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

/** A server in the mesh with these containers. */
function inMesh(directory: string, shell: Shell, containers = ""): Host {
  const host = new Host(directory);
  host.join(shell);
  host.world({ containers, calls: "", requests: "" });
  return host;
}

describe.each(shellOfTheDay(import.meta.filename))("down in $name", PATIENCE, (shell) => {
  it("names running containers and changes nothing until somebody agrees", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell, "web\ndb\n");
      const { status, err } = unchanged(directory, () => host.run(shell, "down --release"), host);
      expect(status).toBe(3);
      expect(err).toContain(
        "docker: refused: 2 containers (web, db) would restart with dockerd, which loses",
      );
      expect(err).toContain("meshboot down --restart-docker");
      expect(host.seen("requests")).toBe("");
      expect(host.run(shell, "down --restart-docker")).toMatchObject({ status: 0, err: "" });
      expect(host.dockerdCommand()).not.toContain("--bip");
      expect(host.seen("calls")).toContain("docker start id-web id-db");
      expect(host.read("/var/lib/meshboot/lease")).toBeUndefined();
    });
  });
});

describe.each(SHELLS.slice(0, 1))("down in $name", PATIENCE, (shell) => {
  it("is agreed to for ever by the setting, also where another one is wrong", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell, "web\n");
      host.write("/etc/meshboot/meshboot.conf", "RESTART_DOCKER=on\nLAYOUT=none\n");
      expect(host.run(shell, "down")).toMatchObject({ status: 0, err: "" });
    });
  });

  it("does not ask where dockerd need not restart, nor where it does not run", () => {
    withDirectory((directory) => {
      const stopped = inMesh(join(directory, "stopped"), shell, "web\n");
      stopped.put(`/proc/${stopped.seen("docker-pid").trim()}/cmdline`, undefined);
      expect(stopped.run(shell, "down")).toMatchObject({ status: 0, err: "" });
      const compose = new Host(join(directory, "compose"));
      compose.world({ "docker-version": "Docker version 28.5.2, build 1\n", containers: "web\n" });
      compose.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=compose\n");
      expect(compose.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(compose.run(shell, "down")).toMatchObject({ status: 0, err: "" });
      expect(compose.seen("calls")).not.toContain("restart docker.service");
    });
  });

  it.each([
    ["asks", "runs with the mesh's options", "split", 3, 0],
    ["restarts nothing", "runs without them", "compose", 0, 0],
  ])(
    "%s by the note of a dockerd that has ended since, where the one of now %s",
    (_, __, layout, status, times) => {
      withDirectory((directory) => {
        const host = new Host(directory);
        host.world({ "docker-version": "Docker version 28.5.2, build 1\n" });
        host.write("/etc/meshboot/meshboot.conf", `URL=https://mesh.example.com\nLAYOUT=${layout}\n`);
        host.join(shell);
        host.world({ containers: "web\n", calls: "" });
        host.write("/run/meshboot/restarting", "7\nid-web\n");
        const down = host.run(shell, "down");
        expect(down.status).toBe(status);
        expect(down.err.includes("1 container (web) would restart")).toBe(status === 3);
        expect(host.seen("calls").match(/(?:restart|stop) docker/g)?.length ?? 0).toBe(times);
        expect(host.dockerdCommand()).toBeDefined();
      });
    },
  );

  it("starts what ran before, also when it was killed between its two restarts of dockerd", () => {
    withDirectory((directory) => {
      const host = inMesh(join(directory, "host"), shell, "web\n");
      const killed = join(directory, "killed");
      const place = "  systemctl stop docker.socket docker.service || :\n";
      expect(AGENT.program).toContain(place);
      writeFileSync(
        killed,
        AGENT.program.replace(place, () => "  kill -9 $$\n"),
      );
      expect(host.run(shell, "down --restart-docker", killed).status).toBeNull();
      host.world({ containers: "", calls: "" });
      expect(host.run(shell, "down")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("calls")).toContain("docker start id-web");
    });
  });

  it("does not go on where nobody knows what runs", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell);
      const bin = join(directory, "bin");
      cpSync(join(import.meta.dirname, "stubs"), bin, { recursive: true });
      writeFileSync(join(bin, "docker"), "#!/bin/sh\nexit 1\n");
      const environment = { PATH: `${bin}:${process.env["PATH"]}` };
      const run = () => host.run(shell, "down", undefined, environment);
      const { status, err } = unchanged(directory, run, host);
      expect(status).toBe(3);
      expect(err).toContain("docker ps fails");
    });
  });

  it("keeps all in place when the lease cannot be given back", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell);
      host.world({ answers: "000\n" });
      const before = host.files();
      const { status, err } = host.run(shell, "down --release");
      expect(status).toBe(1);
      expect(err).toContain("Without --release all is undone and the lease kept");
      expect(host.files()).toEqual(before);
      expect(changingCalls(host).filter((call) => !call.startsWith("curl "))).toEqual([]);
    });
  });

  it("says in a dry run what it would do, and changes nothing", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell, "web\n");
      const { status, out, err } = unchanged(
        directory,
        () => host.run(shell, "down --dry-run --release"),
        host,
      );
      expect(status).toBe(3);
      expect(err).toBe(
        "meshboot: dry run: docker: refused: 1 container (web) would restart with dockerd, which loses the mesh's options. When it suits: meshboot down --restart-docker, or RESTART_DOCKER=on in /etc/meshboot/meshboot.conf\n",
      );
      for (const line of [
        "down: stops and disables meshboot.timer and meshboot.service",
        "down: gives the lease back at https://mesh.example.com",
        "docker: restarts dockerd without the mesh's options, in two steps",
        "docker: removes /etc/systemd/system-generators/meshboot-docker",
        "routes: removes 238 routes on ztabcdefgh",
        "rules: removes nft table inet meshboot and the accepts for the mesh in iptables and ip6tables",
        "sysctls: net/ipv4/ip_forward: 0 again",
        "join: leaves network 8056c2e21c000001",
        "files: removes /etc/sysctl.d/90-meshboot.conf",
        "accept-ra: net/ipv6/conf/eth0/accept_ra: 1 again",
        "down: removes /var/lib/meshboot and /run/meshboot",
      ])
        expect(out).toContain(`meshboot: dry run: ${line}\n`);
      const agreed = unchanged(directory, () => host.run(shell, "down --restart-docker --dry-run"), host);
      expect(agreed).toMatchObject({ status: 0, err: "" });
      expect(agreed.out).toBe(out.replace(/.*gives the lease back.*\n/, ""));
    });
  });

  it("is said in a dry run as it is then done", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell, "web\n");
      host.write("/etc/sysctl.d/90-meshboot.conf", "somebody else's\n");
      const said = (out: string) =>
        out
          .split("\n")
          .filter((line) => / (?:removes \/etc|puts|leaves|restarts|net\/|\d+ routes)/.test(line));
      const dry = said(host.run(shell, "down --dry-run --restart-docker").out);
      const done = said(host.run(shell, "down --restart-docker").out);
      expect(dry.length).toBeGreaterThan(10);
      expect(dry.map((line) => line.replace("dry run: ", ""))).toEqual(done);
    });
  });

  it.each(["--dry", "--release=yes", "web"])("%s is wrong usage", (word) => {
    withDirectory((directory) => {
      const host = inMesh(directory, shell);
      const { status, err } = unchanged(directory, () => host.run(shell, `down ${word}`), host);
      expect(status).toBe(2);
      expect(err).toContain(`${word} is not known: meshboot down [--dry-run]`);
    });
  });
});

const UNITS = "/etc/systemd/system";

/** All that a server has of us before and after `up`, as user-data, an image and an upgrade bring it. */
function furnish(host: Host): void {
  for (const path of [
    "/usr/local/sbin/meshboot",
    "/usr/local/sbin/meshboot.previous",
    "/usr/local/sbin/meshboot-fetch",
    `${UNITS}/meshboot.service`,
    `${UNITS}/meshboot.timer`,
    `${UNITS}/ssh.service.d/50-meshboot-image.conf`,
    "/etc/meshboot/agent.sha256",
    "/etc/meshboot/image.json",
  ])
    host.write(path, "meshboot\n");
}

/** Commands that stand for apt's, with these packages here, and what apt would remove along with them. */
function packages(directory: string, here: string, alongside = ""): Readonly<Record<string, string>> {
  const bin = join(directory, "apt");
  cpSync(join(import.meta.dirname, "stubs"), bin, { recursive: true });
  const lines = here.split(" ").map((name) => `ii  ${name}`);
  // dpkg-query fails when one of those it is asked for is unknown, and tells of the others all the same.
  writeFileSync(
    join(bin, "dpkg-query"),
    `#!/bin/sh
for word; do printf '%s\\n' '${lines.join("' '")}' 'un  docker-ce' | grep " $word$"; done
exit 1
`,
  );
  writeFileSync(
    join(bin, "apt-get"),
    `#!/bin/sh
echo "apt-get $*" >>"$WORLD/calls"
case $* in
'-s '*) 
  while [ "$1" != remove ]; do shift; done
  shift
  for word in "$@" ${alongside}; do echo "Remv $word [1.0]"; done
  ;;
esac
`,
  );
  return { PATH: `${bin}:${process.env["PATH"]}` };
}

const removed = (host: Host) =>
  host
    .seen("calls")
    .split("\n")
    .filter((call) => /^apt-get -qy.* remove/.test(call))
    .map((call) => call.replace(/.* remove /, ""));

/** Paths and contents that name us, but for those of the machine. */
function traces(host: Host): string[] {
  return Object.entries(everything(host.root)).flatMap(([path, content]) =>
    /meshboot/i.test(path + content) && !path.startsWith("proc/") ? [path] : [],
  );
}

describe.each(shellOfTheDay(import.meta.filename))("down --purge in $name", PATIENCE, (shell) => {
  it("leaves nothing of ours, and no package away", () => {
    withDirectory((directory) => {
      const host = inMesh(join(directory, "host"), shell, "web\n");
      furnish(host);
      const environment = packages(directory, "docker.io zerotier-one");
      const { status, out, err } = host.run(shell, "down --purge --restart-docker", undefined, environment);
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(traces(host)).toEqual([]);
      expect(removed(host)).toEqual([]);
      expect(out).toContain(
        "down: the lease stays at the Worker: DELETE /v1/nodes/4e8d87c868 there ends it\n",
      );
      expect(out).toMatch(
        /down: what stays here: the packages zerotier-one, Docker, curl.*\/var\/lib\/cloud\n$/,
      );
      expect(host.read("/var/lib/zerotier-one/identity.secret")).toContain("4e8d87c868");
      expect(host.run(shell, "down --purge").status).toBe(0);
    });
  });
});

describe.each(SHELLS.slice(0, 1))("down --purge in $name", PATIENCE, (shell) => {
  it.each([
    ["zerotier", ["zerotier-one"]],
    ["docker", ["docker.io docker-compose"]],
    ["zerotier,docker", ["docker.io docker-compose", "zerotier-one"]],
  ])("=%s removes the packages of these that are there", (named, expected) => {
    withDirectory((directory) => {
      const place = join(directory, "host");
      const host = inMesh(place, shell);
      furnish(host);
      const environment = packages(directory, "docker.io docker-compose zerotier-one containerd curl");
      const run = (more: string) => host.run(shell, `down --purge=${named} ${more}`, undefined, environment);
      const dry = unchanged(place, () => run("--dry-run"), host);
      expect(dry).toMatchObject({ status: 0, err: "" });
      for (const list of expected) expect(dry.out).toContain(`removes the packages ${list}\n`);
      expect(dry.out).toContain("dry run: down: removes /usr/local/sbin/meshboot\n");
      host.world({ calls: "" });
      expect(run("--release")).toMatchObject({ status: 0, err: "" });
      expect(removed(host)).toEqual(expected);
      expect(traces(host)).toEqual([]);
    });
  });

  it.each<[string, string, string, (host: Host) => void]>([
    ["docker", "", "1 container (web) would stop for good", (host) => host.world({ containers: "web\n" })],
    [
      "zerotier",
      "",
      "zerotier-one is in networks that are not ours: 1234567812345678.",
      (host) => host.write("/var/lib/zerotier-one/networks.d/1234567812345678.conf", "x"),
    ],
    [
      "zerotier",
      "",
      "zerotier-one is in networks that are not ours: 8056c2e21c000001.",
      (host) => host.write("/var/lib/meshboot/joined", ""),
    ],
    ["docker", "kubelet", "apt-get would remove kubelet along with docker.io", () => undefined],
  ])(
    "=%s is refused, before anything is undone, with what it would take along: %s %s",
    (named, alongside, why, prepare) => {
      withDirectory((directory) => {
        const place = join(directory, "host");
        const host = inMesh(place, shell);
        prepare(host);
        const environment = packages(directory, "docker.io zerotier-one", alongside);
        const run = () => host.run(shell, `down --restart-docker --purge=${named}`, undefined, environment);
        const { status, err } = unchanged(place, run, host);
        expect(status).toBe(3);
        expect(err).toContain(`refused: ${why}`);
        expect(err).toContain("Nothing was undone");
      });
    },
  );

  it("keeps accept_ra where dockerd forwards IPv6, under a name that is not ours", () => {
    withDirectory((directory) => {
      const host = inMesh(join(directory, "host"), shell);
      host.world({ "docker-networks": "0123456789ab\n", "ipv6-networks": "true\n" });
      expect(host.run(shell, "down --purge --dry-run").out).toContain(
        "is called /etc/sysctl.d/90-accept-ra.conf",
      );
      expect(host.run(shell, "down --purge")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/etc/sysctl.d/90-accept-ra.conf")).toBe("net/ipv6/conf/eth0/accept_ra=2\n");
      expect(traces(host)).toEqual([]);
    });
  });
});

/** What makes a server one on which this step's `down` changes something; one in the mesh is enough for the others. */
const AT_WORK: Readonly<Record<string, (host: Host) => void>> = {
  ipv6nat: (host) => {
    host.write("/etc/systemd/system/meshboot-ipv6nat.service", "[Service]\n");
    list(host, "/etc/systemd/system/meshboot-ipv6nat.service");
  },
  controller: (host) => {
    const path = "/etc/systemd/system/meshboot-controller-work.service";
    host.write(path, "[Service]\n");
    list(host, path);
    host.write("/var/lib/meshboot-controller/turn", "1\n");
  },
  docker_restart: (host) => host.write("/run/meshboot/restarting", "42\nid-web\n"),
  accept_ra: (host) => host.write("/proc/sys/net/ipv6/conf/all/forwarding", "0\n"),
  local_conf: (host) => {
    const path = "/var/lib/zerotier-one/local.conf";
    host.write(path, (host.read(path) ?? "").replace('"settings":{', '"settings":{"primaryPort":9994,'));
  },
  network_services: (host) => {
    host.write("/etc/NetworkManager/conf.d/zz-meshboot.conf", "[keyfile]\n");
    list(host, "/etc/NetworkManager/conf.d/zz-meshboot.conf");
  },
  zerotier: (host) => host.write("/var/lib/meshboot/joined", ""),
  tables: (host) => {
    host.write("/var/lib/meshboot/forward6", "-P FORWARD ACCEPT\n");
    host.world({ "docker-pid": "0\n" });
  },
  firewalld: (host) => {
    const rule = '  <rule ipv="ipv4" table="filter" chain="FORWARD" priority="0">-j ACCEPT</rule>\n';
    host.write("/var/lib/meshboot/direct", rule);
    host.write("/etc/firewalld/direct.xml", `<direct>\n${rule}</direct>\n`);
  },
  hosts: (host) => {
    host.write("/var/lib/meshboot/hosts", "VERSION=5db36edb-1\n7:39f51dfb25:db1\n");
    host.write("/etc/hosts", "127.0.0.1 localhost\n10.147.17.7 db1 # meshboot.hosts\n");
  },
  chains: (host) =>
    host.world({
      ruleset: `table inet mine { # handle 1
	chain f { # handle 1
		type filter hook forward priority filter; policy drop;
		iifname "ztabcdefgh" accept comment "meshboot" # handle 5
	}
}
`,
    }),
};

function list(host: Host, path: string): void {
  host.write("/var/lib/meshboot/files", `${host.read("/var/lib/meshboot/files")}${path}\n`);
}

const STEPS = (/^STEPS='([^']+)'/m.exec(AGENT.program)?.[1] ?? "").split(/\s+/);
const DOWN = STEPS.filter((step) => AGENT.program.includes(`\n${step}_down() {`));
const hasPython = available("python3", ["-c", ""], "what was changed in local.conf is not tested");

describe.each(SHELLS.slice(0, 1))("a dry run of the down in $name", PATIENCE, (shell) => {
  it("is there for every step that takes something away", () => {
    expect(DOWN.length).toBeGreaterThan(14);
    expect(Object.keys(AT_WORK).filter((step) => !DOWN.includes(step))).toEqual([]);
  });

  it.each(DOWN.filter((step) => step !== "local_conf" || hasPython))(
    "of %s changes nothing where the step does, and says something",
    (step) => {
      withDirectory((directory) => {
        const place = join(directory, "host");
        const host = inMesh(place, shell);
        AT_WORK[step]?.(host);
        const alone = (dry: string): Run => {
          const program = join(directory, "program");
          const set = `TMP=$(mktemp -d); trap 'rm -rf "$TMP"' EXIT; use_lease "$STATE/lease"; DRY='${dry}'`;
          const text = AGENT.program.replace(/\$\{MESHBOOT_SOURCE:-\}/, "yes");
          writeFileSync(program, `${text}\n${set}; take ${step} down\n`);
          return host.run(shell, "", program);
        };
        const dry = unchanged(place, () => alone("dry run: "), host);
        expect(dry).toMatchObject({ status: 0, err: "" });
        expect(dry.out).toMatch(/^meshboot: dry run: /);
        const before = everything(place);
        host.world({ calls: "" });
        alone("");
        const after = everything(place);
        const didSomething =
          changingCalls(host).length > 0 || JSON.stringify(after) !== JSON.stringify(before);
        expect(
          didSomething,
          `down of ${step} finds nothing to do here: put what it takes away into AT_WORK`,
        ).toBe(true);
      });
    },
  );
});
