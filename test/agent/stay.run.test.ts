// A node that is in the mesh stays in it: what is refused to it, or cannot be done, takes its routes and rules from nobody.
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText, withLine } from "./leases.ts";
import { SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const DOCKER_NETWORKS = "/var/lib/docker/network/files/local-kv.db";

/** A server in the mesh that has just booted: what a kernel forgets is gone. */
function rebooted(shell: Shell, directory: string): Host {
  const host = new Host(directory);
  host.join(shell);
  rmSync(join(host.root, "run/meshboot"), { recursive: true });
  host.world({ "mesh-routes": "", nft: "", iptables: "", ip6tables: "", requests: "" });
  host.write("/proc/sys/net/ipv4/ip_forward", "0\n");
  return host;
}

/** Gives the host a bridge, virbr0, whose network lies in the mesh's range. */
function addBridge(host: Host): void {
  host.world({
    addresses: `${host.seen("addresses")}9: virbr0    inet 172.28.16.1/20 scope global virbr0\n`,
    links: "9: virbr0: <UP>\n    link/ether 02:00:00:00:00:09\n    bridge forward_delay 1500\n",
  });
}

/** What the last heartbeat said. */
function reported(host: Host): unknown {
  const bodies = host.seen("requests").split("\n");
  return JSON.parse(bodies.findLast((line) => line.startsWith('{"state"')) ?? "{}");
}

const routes = (host: Host) => host.seen("mesh-routes").trim().split("\n").length;

describe.each(SHELLS.slice(0, 1))(
  "after a boot, in $name, a node is in the mesh in spite of",
  PATIENCE,
  (shell) => {
    it.each<[string, string, string, (host: Host) => void]>([
      [
        "a Compose project that was made in the mesh's ranges",
        "overlap",
        "172.28.4.0/24 (the Docker network shop_default) overlaps the mesh",
        (host) =>
          host.world({
            addresses: `${host.seen("addresses")}9: web0    inet 172.28.4.1/24 brd 172.28.4.255 scope global web0\n`,
            "docker-networks": "0123456789ab\n",
            "docker-subnets": "172.28.4.0/24 bridge shop_default\n",
          }),
      ],
      [
        "a setting that it does not know",
        "settings",
        "LAYOUT=splitt is not known",
        (host) => host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=splitt\n"),
      ],
      [
        "a release that it does not know",
        "system",
        "debian 15 duke is not supported",
        (host) => host.write("/etc/os-release", 'ID=debian\nVERSION_ID="15"\nVERSION_CODENAME=duke\n'),
      ],
      [
        "a key for another mesh",
        "enrol",
        "the Worker leases in network 8056c2e21c000002, and this server is in 8056c2e21c000001",
        (host) => {
          host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`);
          host.world({ lease: leaseText({ network: "8056c2e21c000002" }) });
        },
      ],
    ])("%s", (_, step, why, change) => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        change(host);
        const { status, err } = host.run(shell, "up");
        expect(err).toContain(why);
        expect([status, routes(host)]).toEqual([3, 238]);
        expect(host.seen("nft")).toContain("chain pre");
        expect(host.read("/proc/sys/net/ipv4/ip_forward")).toBe("1\n");
        expect(host.dockerdCommand()).toContain("--bip=172.28.233.1/25\0");
        expect(reported(host)).toMatchObject({ state: "failed", step, log: expect.stringContaining(why) });
        expect(host.read("/var/lib/meshboot/lease")).toContain("NETWORK=8056c2e21c000001\n");
        expect(host.run(shell, "status").out).toContain(`last up     stopped at ${step}`);
      });
    });

    it.each<[string, string, (host: Host) => void]>([
      ["a key file that holds no key", "holds no key", (host) => host.write("/etc/meshboot/key", "hello\n")],
      [
        "a machine id that is gone",
        "machine-id is empty",
        (host) => {
          host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`);
          host.write("/etc/machine-id", "");
        },
      ],
      [
        "a lease that is not sound",
        "no sound lease",
        (host) => {
          host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`);
          host.world({ lease: "NETWORK=x\n" });
        },
      ],
      [
        "a lease of another node",
        "a lease for 1111111111, not for 4e8d87c868",
        (host) => {
          host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`);
          host.world({ lease: leaseText({ node: "1111111111" }) });
        },
      ],
    ])("%s, with the lease that it has", (_, why, change) => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        change(host);
        const { status, err } = host.run(shell, "up");
        expect(err).toContain(why);
        expect(err).toContain("The saved lease stays");
        expect([status, routes(host)]).toEqual([0, 238]);
        expect(host.read("/etc/meshboot/key")).toBeDefined();
      });
    });

    it("a network that would lose to the mesh's routes, which spare it; doctor names it and its remedy", () => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        addBridge(host);
        const { status, err } = host.run(shell, "up");
        expect(status).toBe(3);
        expect(err).toMatch(/172\.28\.16\.0\/20 \(virbr0\) .*All else is in place/);
        expect(host.seen("mesh-routes")).not.toMatch(/^172\.28\.(1[6-9]|2\d|3[01])\.0\//m);
        expect(routes(host)).toBe(238 - 16);
        host.world({ "mesh-routes": "" });
        expect(host.run(shell, "keep").status).toBe(0);
        expect(routes(host)).toBe(238 - 16);
        const { checks } = JSON.parse(host.run(shell, "doctor --json").out);
        expect(checks).toContainEqual(
          expect.objectContaining({
            link: "overlap",
            level: "fault",
            saw: expect.stringContaining("172.28.16.0/20 (virbr0) overlaps"),
            remedy: expect.stringContaining("give the bridge virbr0 other addresses"),
          }),
        );
        expect(checks).toContainEqual(expect.objectContaining({ link: "routes", level: "ok" }));
      });
    });

    it("a network that the mesh's routes spare, also from before the first `up` of a boot on", () => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        addBridge(host);
        expect(host.run(shell, "up").status).toBe(3);
        const afterBoot = () => {
          rmSync(join(host.root, "run/meshboot"), { recursive: true });
          host.world({ "mesh-routes": "" });
          expect(host.run(shell, "keep")).toMatchObject({ status: 0, err: "" });
        };
        afterBoot();
        expect(host.seen("mesh-routes")).not.toMatch(/^172\.28\.(1[6-9]|2\d|3[01])\.0\//m);
        expect(routes(host)).toBe(238 - 16);
        host.world({ addresses: host.seen("addresses").replace(/.*virbr0\n/, "") });
        expect(host.run(shell, "up").status).toBe(0);
        afterBoot();
        expect(routes(host)).toBe(238);
      });
    });

    it.each(["compose", "split"])("settings that nobody can read, at run time too (LAYOUT=%s)", (layout) => {
      withDirectory((directory) => {
        const host = new Host(directory);
        host.world({ "docker-version": "Docker version 26.1.5, build 1\n" });
        host.write("/etc/meshboot/meshboot.conf", `URL=https://mesh.example.com\nLAYOUT=${layout}\n`);
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        const guards = host.seen("calls").match(/route (replace unreachable|del unreachable) .*/g) ?? [];
        expect(guards.length > 0).toBe(layout === "compose");
        host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=splitt\n");
        host.world({ "mesh-routes": "", nft: "", iptables: "", calls: "" });
        expect(host.run(shell, "keep")).toMatchObject({ status: 0, err: "" });
        expect(routes(host)).toBe(238);
        expect(host.seen("nft")).toContain("chain pre");
        expect(host.seen("calls")).not.toContain("unreachable");
      });
    });

    it("that, and takes what the Worker says of its lease and of others meanwhile", () => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        host.write("/etc/os-release", 'ID=debian\nVERSION_ID="15"\nVERSION_CODENAME=duke\n');
        const renamed = withLine(leaseText(), "NAME", "shop1");
        host.world({ lease: `${renamed}PEERS=1:39f51dfb25:db1\n` });
        expect(host.run(shell, "up").status).toBe(3);
        expect(host.read("/var/lib/meshboot/peers")).toBe("1:39f51dfb25:db1\n");
        expect(host.read("/var/lib/meshboot/lease")).toContain("NAME=shop1\n");
      });
    });

    it("a /proc/sys that is read-only: the step has failed, the rest is in place, and it is looked at again", () => {
      withDirectory((directory) => {
        const host = rebooted(shell, directory);
        const key = join(host.root, "proc/sys/net/ipv4/ip_forward");
        rmSync(key);
        // Not even root writes to it.
        symlinkSync("/proc/sys/kernel/ostype", key);
        for (const _ of ["first", "second", "third"]) {
          host.world({ requests: "" });
          const { status, err, out } = host.run(shell, "up");
          expect(out).not.toContain("nothing has changed");
          expect(err).toContain(
            "net/ipv4/ip_forward cannot be set to 1, and without it no container is reached",
          );
          expect([status, routes(host)]).toEqual([1, 238]);
          expect(reported(host)).toMatchObject({ state: "failed", step: "sysctls" });
        }
      });
    });
  },
);

describe.each(SHELLS.slice(0, 1))("a run that warned, in $name", PATIENCE, (shell) => {
  it.each<[string, (host: Host) => void]>([
    [
      "of a sysctl that cannot be set",
      (host) => {
        const key = join(host.root, "proc/sys/net/ipv6/conf/all/proxy_ndp");
        mkdirSync(join(key, ".."), { recursive: true });
        symlinkSync("/proc/sys/kernel/ostype", key);
      },
    ],
    [
      "of a local.conf that cannot be merged",
      (host) => host.write("/var/lib/zerotier-one/local.conf", "// mine\n"),
    ],
    [
      "of a key that is refused",
      (host) => {
        host.write("/etc/meshboot/key", `mbk_${"n".repeat(22)}\n`);
        host.world({ answers: "403 spent\n", spent: "TYPE=/problems/key-spent\nDETAIL=spent\n" });
      },
    ],
  ])("%s, is not remembered as one that found nothing to do", (_, change) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(DOCKER_NETWORKS, "1");
      for (const _ of ["enrols", "finds nothing to do", "remembers that"])
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      change(host);
      for (const _ of ["sees it", "tries again", "and again"]) {
        const { status, out, err } = host.run(shell, "up");
        expect(status).toBe(0);
        expect(out).not.toContain("nothing has changed");
        expect(err).toMatch(/cannot be set|cannot be merged|The saved lease stays/);
      }
    });
  });

  it("of what its owner has set, is: that counts until it is set otherwise", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(DOCKER_NETWORKS, "1");
      host.write("/etc/docker/daemon.json", '{"iptables": false}');
      host.join(shell);
      expect(host.run(shell, "up").err).toContain("daemon.json has iptables off");
      host.join(shell);
      expect(host.run(shell, "up").out).toContain("nothing has changed");
    });
  });
});
