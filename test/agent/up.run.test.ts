import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host, STUBS } from "./host.ts";
import { leaseText, withLine } from "./leases.ts";
import { AGENT, SHELLS, shellOfTheDay, withDirectory } from "./shells.ts";

const MESH = "10.147.17.0/24,172.28.0.0/16,fc9c:56c2:e300::/40";
/** Some hundred processes a run: seconds on a machine that does other things too. */
const PATIENCE = { timeout: 300_000 };

/** Calls that change something, as the stubs write them down. */
const CHANGING =
  /^(?:systemctl (?!show|is-)|nft (?!-s list|-a -t list|list)|ip6?tables .*-[IDNX] |ip .*-batch|zerotier-cli (?:join|leave)|apt-get)/m;

describe.each(shellOfTheDay(import.meta.filename))("up in $name", PATIENCE, (shell) => {
  it("enrols and applies, then touches nothing, and down puts everything back", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const before = host.files();
      const first = host.run(shell, "up");
      expect(first.err).toBe("");
      expect(first.status).toBe(0);

      expect(host.read("/var/lib/meshboot/lease")).toContain("SLOT=233\n");
      expect(host.read("/var/lib/meshboot/lease")).not.toContain("TOKEN");
      expect(host.files()["/var/lib/meshboot/token"]).toBe("600 mbn_AAAAAAAAAAAAAAAAAAAAAA\n");
      expect(host.read("/etc/meshboot/key")).toBeUndefined();
      expect(host.seen("proof").split("\n").slice(0, 4)).toEqual([
        "meshboot-enroll-v1",
        "mesh.example.com",
        "4e8d87c868",
        "web1",
      ]);
      expect(host.seen("requests")).toContain(
        '"localPrefixes":["203.0.113.5/32","203.0.113.1/32","203.0.113.0/24"]',
      );
      const limits = "/var/lib/zerotier-one/networks.d/8056c2e21c000001.local.conf";
      expect(host.read(limits)).toContain(`allowManaged=${MESH}\n`);
      expect(host.read("/proc/sys/net/ipv4/ip_forward")).toBe("1\n");
      expect(host.read("/proc/sys/net/ipv6/conf/eth0/accept_ra")).toBe("2\n");
      expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
      expect(host.read("/run/systemd/generator/docker.service.d/50-meshboot.conf")).toContain(
        "ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS $MESHBOOT_OPTIONS\n",
      );
      expect(host.dockerdCommand()).toContain("--bip=172.28.233.1/25\0");

      host.world({ calls: "" });
      const settled = host.files();
      const second = host.run(shell, "up");
      expect(second.status).toBe(0);
      expect(second.out).not.toContain("writes");
      expect(host.files()).toEqual(settled);
      expect(host.seen("calls")).not.toMatch(CHANGING);

      const status = host.run(shell, "status --json");
      expect(JSON.parse(status.out)).toMatchObject({
        node: "4e8d87c868",
        zerotier: "OK",
        dockerOptionsInForce: true,
        routes: 238,
        routesExpected: 238,
        rules: true,
        failedStep: "",
      });

      expect(host.run(shell, "down").status).toBe(0);
      const { "/etc/meshboot/key": _, ...kept } = before;
      expect(host.files()).toEqual(kept);
      expect(host.seen("mesh-routes")).toBe("");
      expect(host.seen("iptables") + host.seen("ip6tables") + host.seen("nft")).toBe("");
      expect(host.read("/proc/sys/net/ipv4/ip_forward")).toBe("0\n");
      expect(host.read("/proc/sys/net/ipv6/conf/eth0/accept_ra")).toBe("1\n");
      expect(host.dockerdCommand()).not.toContain("bip");
    });
  });
});

describe.each(SHELLS.slice(0, 1))("up in $name", PATIENCE, (shell) => {
  it("prints the whole plan in a dry run, and changes nothing", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const before = host.files();
      const { out, status } = host.run(shell, "up --dry-run");
      expect(status).toBe(0);
      expect(out).toContain("dry run: enrol: asks https://mesh.example.com for a lease as web1");
      expect(host.files()).toEqual(before);
      expect(host.seen("calls")).not.toMatch(CHANGING);
      host.join(shell);
      host.write("/etc/meshboot/dockerd.env", "");
      host.world({ calls: "", "mesh-routes": "" });
      const drifted = host.files();
      const plan = host.run(shell, "up --dry-run").out;
      expect(plan).toContain("dry run: routes: changes 238 routes on ztabcdefgh");
      expect(plan).toContain("dry run: docker: writes /etc/meshboot/dockerd.env");
      expect(host.files()).toEqual(drifted);
      expect(host.seen("calls")).not.toMatch(CHANGING);
    });
  });

  it("does not leave a network that was joined by hand, and brings its settings back", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const limits = "/var/lib/zerotier-one/networks.d/8056c2e21c000001.local.conf";
      host.write("/var/lib/zerotier-one/networks.d/8056c2e21c000001.conf", "x");
      host.write(limits, "allowManaged=1\nallowDNS=1\n");
      const mesh = "7: ztabcdefgh    inet 10.147.17.233/24 scope global ztabcdefgh\n";
      host.world({ addresses: host.seen("addresses") + mesh });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read(limits)).toContain(`allowManaged=${MESH}\n`);
      expect(host.run(shell, "down").status).toBe(0);
      expect(host.read(limits)).toBe("allowManaged=1\nallowDNS=1\n");
      expect(host.seen("calls")).not.toMatch(/zerotier-cli (?:join|leave)/);
    });
  });

  it("repairs what was changed underneath, and tells the Worker once", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      expect(host.seen("requests")).not.toContain("repaired");
      host.world({ "mesh-routes": "", iptables: "", requests: "", answers: "000\n" });
      host.write("/proc/sys/net/ipv4/ip_forward", "0\n");
      host.write("/etc/meshboot/dockerd.env", "");
      // While the Worker is away, it is kept for the next report.
      expect(host.run(shell, "up").status).toBe(0);
      host.world({ requests: "", answers: "200 lease\n" });
      host.join(shell);
      expect(host.seen("requests")).toContain('"repaired":["docker","routes","rules","sysctls"]');
      const status = JSON.parse(host.run(shell, "status --json").out);
      expect(status.lastRepair).toMatch(/^\d{4}-\S+Z docker routes rules sysctls$/);
      host.world({ requests: "" });
      host.join(shell);
      expect(host.seen("requests")).not.toContain("repaired");
      // A new setting is no repair.
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nUSERLAND_PROXY=off\n");
      expect(host.run(shell, "up").out).toContain("starts dockerd with");
      expect(host.seen("requests")).not.toContain("repaired");
    });
  });

  it("keeps accept_ra through down where dockerd forwards IPv6 for networks of the user's", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const accepts = "/proc/sys/net/ipv6/conf/eth0/accept_ra";
      const sysctls = "/etc/sysctl.d/90-meshboot.conf";
      const addresses = host.seen("addresses");
      host.join(shell);
      host.world({ "docker-networks": "0123456789ab\n", "ipv6-networks": "false\ntrue\n" });
      const down = host.run(shell, "down");
      expect(down).toMatchObject({ status: 0, err: "" });
      expect(down.out).toContain(`${sysctls} keeps accept_ra=2`);
      expect([host.read(accepts), host.read(sysctls)]).toEqual(["2\n", "net/ipv6/conf/eth0/accept_ra=2\n"]);
      // Once more into the mesh, and out of it.
      host.world({ addresses });
      host.write("/etc/meshboot/key", `mbk_${"k".repeat(22)}\n`);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.run(shell, "down").status).toBe(0);
      expect([host.read(accepts), host.read(sysctls)]).toEqual(["2\n", "net/ipv6/conf/eth0/accept_ra=2\n"]);
    });
  });

  it("asks nobody about a container of its own when dockerd is to restart", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ containers: "meshboot-ipv6nat\n" });
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.seen("calls")).not.toContain("docker start");
      host.world({ containers: "meshboot-ipv6nat\nweb\n" });
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nLAYOUT=bridge\n");
      const { status, err } = host.run(shell, "up");
      expect(status).toBe(3);
      expect(err).toContain("1 container (web) would restart");
    });
  });

  it("takes no step where nothing has changed, and each one again after whatever has", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const networks = "/var/lib/docker/network/files/local-kv.db";
      host.write(networks, "1");
      host.write("/etc/docker/daemon.json", "{}");
      // The kernel's own iptables is in use, and not the one that nft lists.
      host.write("/proc/net/ip_tables_names", "filter\n");
      host.write("/proc/net/ip6_tables_names", "filter\n");
      const up = () => {
        host.world({ calls: "", requests: "" });
        const { status, err, out } = host.run(shell, "up");
        expect({ status, err }).toEqual({ status: 0, err: "" });
        expect(host.seen("requests")).toContain("heartbeat");
        return out.includes("nothing has changed");
      };
      host.join(shell);
      // The second one finds nothing to do, and that is remembered.
      expect([up(), up(), up()]).toEqual([false, true, true]);
      expect(host.seen("calls").split("\n").length).toBeLessThan(25);
      expect(host.run(shell, "up --restart-docker").out).not.toContain("nothing has changed");
      const changes: Readonly<Record<string, () => void>> = {
        route: () => host.world({ "mesh-routes": host.seen("mesh-routes").replace(/.*\n/, "") }),
        "foreign route": () =>
          host.world({ routes: `${host.seen("routes")}192.0.2.0/24 via 203.0.113.9 dev eth0\n` }),
        address: () =>
          host.world({
            addresses: `${host.seen("addresses")}8: lan    inet 192.0.2.1/24 scope global lan\n`,
          }),
        rules: () => host.world({ nft: "" }),
        accept: () => host.world({ ip6tables: host.seen("ip6tables").replace(/.*\n/, "") }),
        ruleset: () => host.world({ ruleset: "table inet mine {\n}\n" }),
        sysctl: () => host.write("/proc/sys/net/ipv4/ip_forward", "0\n"),
        file: () => host.write("/etc/meshboot/dockerd.env", ""),
        program: () => host.write("/usr/local/sbin/meshboot", "#!/bin/sh\n"),
        setting: () =>
          host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nUSERLAND_PROXY=off\n"),
        "daemon.json": () => host.write("/etc/docker/daemon.json", '{"debug":true}'),
        "a container": () => host.write(networks, "12"),
        "network status": () => host.world({ "zerotier-status": "REQUESTING_CONFIGURATION" }),
        "removed file": () => rmSync(`${host.root}/etc/sysctl.d/90-meshboot.conf`),
      };
      const program = join(directory, "state");
      writeFileSync(program, `MESHBOOT_SOURCE=1\n. '${AGENT}'\nuse_saved_lease; host_state\n`);
      const state = () => host.run(shell, "", program).out;
      let before = state();
      expect(state()).toBe(before);
      for (const [what, change] of Object.entries(changes)) {
        change();
        const after = state();
        expect(after, what).not.toBe(before);
        before = after;
      }
      expect(up()).toBe(false);
    });
  });

  it("does not write a lease that is the same but for its dates", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ lease: withLine(leaseText(), "RENEW_BEFORE", "2027-01-01T00:00:00.000Z") });
      const { out, status } = host.run(shell, "up");
      expect(status).toBe(0);
      expect(out).not.toContain("writes");
    });
  });

  it("has lease and token on the disk before the key goes, and later waits for the disk only for a new lease", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const bin = join(directory, "bin");
      cpSync(STUBS, bin, { recursive: true });
      // Each with what a power cut at that moment would leave.
      const there =
        'ls "$R/etc/meshboot/key" "$R"/var/lib/meshboot/lease* "$R"/var/lib/meshboot/token* 2>/dev/null';
      const said = `{ echo "sync $*"; ${there}; } | sed "s|$R||" | tr '\\n' ' ' >>"$WORLD/synced"`;
      writeFileSync(join(bin, "sync"), `#!/bin/sh\nR=$MESHBOOT_ROOT\n${said}\necho >>"$WORLD/synced"\n`);
      const up = () => {
        host.world({ synced: "" });
        const environment = { PATH: `${bin}:${process.env["PATH"]}` };
        expect(host.run(shell, "up", AGENT, environment)).toMatchObject({ status: 0, err: "" });
        return host.seen("synced").replaceAll("/var/lib/meshboot", "~").split(" \n").slice(0, -1);
      };
      const key = "/etc/meshboot/key";
      host.write("/etc/sysctl.d/90-meshboot.conf", "somebody's\n");
      expect(up()).toEqual([
        `sync ~/lease.meshboot-tmp ${key} ~/lease.meshboot-tmp`,
        `sync ~/token.meshboot-tmp ${key} ~/lease ~/token.meshboot-tmp`,
        `sync ~ ${key} ~/lease ~/token`,
        "sync ~/kept/%etc%sysctl.d%90-meshboot.conf ~/lease ~/token",
      ]);
      host.world({ "mesh-routes": "" });
      expect(up()).toEqual([]);
      host.world({ lease: withLine(leaseText(), "NAME", "web2") });
      expect(up()).toEqual(["sync ~/lease.meshboot-tmp ~/lease ~/lease.meshboot-tmp ~/token"]);
    });
  });

  it("comes up from the saved lease when the Worker is away", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ answers: "000\n", "mesh-routes": "", iptables: "" });
      const { status, err } = host.run(shell, "up");
      expect(status).toBe(0);
      expect(err).toContain("https://mesh.example.com does not answer (curl: (7) Failed to connect)");
      expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
      expect(host.seen("iptables")).toContain("raw PREROUTING -i ztabcdefgh -d 172.28.233.0/24 -j ACCEPT");
    });
  });
});
