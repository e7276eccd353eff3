import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText, withLine } from "./leases.ts";
import { runWithAgent, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 60_000 };

/** Runs up on a server that was changed; checks that the refusal changed nothing. */
function refused(shell: Shell, change: (host: Host) => void): { status: number | null; err: string } {
  return withDirectory((directory) => {
    const host = new Host(directory);
    change(host);
    const before = host.files();
    const { status, err } = host.run(shell, "up");
    expect(host.files()).toEqual(before);
    expect(host.seen("calls")).not.toMatch(/apt-get|zerotier-cli join|restart|nft -f/);
    return { status, err };
  });
}

describe.each(SHELLS.slice(0, 1))("up refuses, and changes nothing ($name)", PATIENCE, (shell) => {
  it("a setting that it does not know", () => {
    const { status, err } = refused(shell, (host) =>
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nDOCKER=$(reboot)\n"),
    );
    expect(status).toBe(3);
    expect(err).toContain(
      "meshboot.conf: DOCKER=$(reboot) is not known to this version: present distro official",
    );
  });

  it("a server without a key and without a lease", () => {
    const { status, err } = refused(shell, (host) => host.write("/etc/meshboot/key", ""));
    expect(status).toBe(3);
    expect(err).toContain("neither a lease nor a key in /etc/meshboot/key");
  });

  it.each<[number, string, number]>([
    [401, "unknown-key", 3],
    [403, "key-expired", 3],
    [409, "overlap", 3],
    [503, "controller-unreachable", 1],
    [500, "internal", 1],
  ])("with the Worker's own words when it says %i %s", (code, name, exit) => {
    const { status, err } = refused(shell, (host) =>
      host.world({
        answers: `${code} problem\n`,
        problem: `TYPE=/problems/${name}\nTITLE=No\nSTATUS=${code}\nDETAIL=because of \u001b[31m$(reboot)\n`,
      }),
    );
    expect(status).toBe(exit);
    expect(err).toContain(
      `https://mesh.example.com says ${code} /problems/${name}: because of [31m$(reboot)`,
    );
  });
});

describe.each(SHELLS)("overlap in $name", PATIENCE, (shell) => {
  it("is found in addresses, routes and Docker's networks, and named", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.run(shell, "up");
      host.world({
        routes:
          "default via 203.0.113.1 dev eth0\n172.16.0.0/12 via 203.0.113.2 dev eth0 proto dhcp metric 100\n",
      });
      const route = host.run(shell, "up");
      expect(route.status).toBe(3);
      expect(route.err).toContain("172.16.0.0/12 (eth0) overlaps the mesh");

      const docker =
        "9: br-0123456789ab    inet 172.28.4.1/24 brd 172.28.4.255 scope global br-0123456789ab\n";
      const own =
        "9: br-0123456789ab    inet 172.28.233.129/28 brd 172.28.233.143 scope global br-0123456789ab\n";
      const addresses = host.seen("addresses");
      host.world({ routes: "", addresses: addresses + docker });
      const network = host.run(shell, "up");
      expect(network.status).toBe(3);
      expect(network.err).toContain(
        "172.28.4.0/24 (br-0123456789ab, the Docker network shop_default) overlaps",
      );

      host.world({ addresses: addresses + own });
      expect(host.run(shell, "up").status).toBe(0);

      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nALLOW_OVERLAP=on\n");
      host.world({ addresses: addresses + docker });
      expect(host.run(shell, "up").status).toBe(0);
    });
  });
});

describe.each(SHELLS.slice(0, 1))("enrolment in $name", PATIENCE, (shell) => {
  const skew = "TYPE=/problems/clock-skew\nTITLE=Clock\nSTATUS=422\nDETAIL=off\n";

  it("signs again with the Worker's time when its own clock is off", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ answers: "422 skew\n200 lease\n", skew });
      const { status, out } = host.run(shell, "up");
      expect(status).toBe(0);
      expect(out).toMatch(/this clock is -?\d+ s off/);
      const there = Date.parse("Tue, 24 Nov 2026 07:00:00 GMT") / 1000;
      expect(Math.abs(Number(host.seen("proof").split("\n")[5]) - there)).toBeLessThan(60);
    });
  });

  it("keeps Retry-After for the next attempt, and reports no failure without a token", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ answers: "503 skew\n", skew });
      expect(host.run(shell, "up").status).toBe(1);
      expect(host.read("/run/meshboot/after")).toBe("7\n");
      expect(host.seen("requests")).not.toContain("heartbeat");
    });
  });

  it("keeps the key and fails, to be asked again, while approval is pending", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ answers: "202 lease\n" });
      const { status, err } = host.run(shell, "up");
      expect(status).toBe(1);
      expect(err).toContain("4e8d87c868 (web1) waits for approval");
      expect(host.read("/etc/meshboot/key")).toMatch(/^mbk_/);
    });
  });

  it("goes on with the saved lease when a new key is refused, and reports what failed", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.run(shell, "up");
      host.write("/etc/meshboot/key", "mbk_spent\n");
      host.world({ answers: "403 spent\n200 lease\n", spent: "TYPE=/problems/key-spent\nDETAIL=spent\n" });
      const kept = host.run(shell, "up");
      expect(kept.status).toBe(0);
      expect(kept.err).toContain("The saved lease stays");

      host.world({ requests: "", "zerotier-status": "ACCESS_DENIED" });
      const failed = host.run(shell, "up");
      expect(failed.status).toBe(1);
      expect(failed.err).toContain("status ACCESS_DENIED: is 4e8d87c868 authorized");
      expect(host.seen("requests")).toContain("/v1/nodes/4e8d87c868/heartbeat");
      const body = host
        .seen("requests")
        .split("\n")
        .find((line) => line.startsWith('{"state"'));
      expect(JSON.parse(body ?? "")).toMatchObject({ state: "failed", step: "address" });
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ failedStep: "address" });
    });
  });

  it("touches no dockerd before the mesh is there", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "zerotier-status": "ACCESS_DENIED" });
      const failed = host.run(shell, "up");
      expect(failed).toMatchObject({ status: 1, err: expect.stringContaining("status ACCESS_DENIED") });
      expect(failed.out).toContain("still waits for 10.147.17.233/24, status ACCESS_DENIED");
      expect(host.dockerdCommand()).not.toContain("--bip=");
    });
  });

  it("takes for the mesh's interface no other word of a list that has none", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ "zerotier-status": "PORT_ERROR", "zerotier-interface": "" });
      const failed = host.run(shell, "up");
      expect(failed).toMatchObject({ status: 1, err: expect.stringContaining("status none") });
      expect(host.read("/var/lib/meshboot/interface")).toBeUndefined();
    });
  });

  it("takes no lease of another node, and none that is not sound", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      for (const lease of [
        leaseText({ node: "1111111111" }),
        withLine(leaseText(), "POOL_DOCKER", "0.0.0.0/0"),
      ]) {
        host.world({ lease });
        expect(host.run(shell, "up").status).toBe(1);
        expect(host.read("/var/lib/meshboot/lease")).toBeUndefined();
        expect(host.read("/etc/meshboot/key")).toMatch(/^mbk_/);
      }
    });
  });
});

describe.each(SHELLS)("settings in $name", PATIENCE, (shell) => {
  it("are taken by pattern", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write(
        "/etc/meshboot/meshboot.conf",
        "# mine\nURL=https://mesh.example.com:443/\nNAME=web-1\nDOCKER=present\nLAYOUT=split\nIPV6NAT=off\nUSERLAND_PROXY=off\nCOMPOSE=on\n\n",
      );
      const print = 'echo "$URL $HOST $NAME $DOCKER $IPV6NAT $USERLAND_PROXY $COMPOSE $ALLOW_OVERLAP"';
      const { out, err } = runWithAgent(shell, `read_settings; ${print}`, { MESHBOOT_ROOT: host.root });
      expect(err).toBe("");
      expect(out.trim()).toBe("https://mesh.example.com:443 mesh.example.com web-1 present off off on off");
    });
  });
});
