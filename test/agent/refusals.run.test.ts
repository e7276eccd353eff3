import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText, withLine } from "./leases.ts";
import { AGENT, runWithAgent, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

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

describe.each(shellOfTheDay(import.meta.filename))("overlap in $name", PATIENCE, (shell) => {
  it("is found in addresses, routes and Docker's networks, and named", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({
        routes:
          "default via 203.0.113.1 dev eth0\n172.28.0.0/17 via 203.0.113.2 dev eth0 proto dhcp metric 100\n",
      });
      const route = host.run(shell, "up");
      expect(route.status).toBe(3);
      expect(route.err).toContain("172.28.0.0/17 (eth0) overlaps the mesh");

      const docker =
        "9: br-0123456789ab    inet 172.28.4.1/24 brd 172.28.4.255 scope global br-0123456789ab\n";
      const own =
        "9: br-0123456789ab    inet 172.28.233.129/28 brd 172.28.233.143 scope global br-0123456789ab\n";
      const addresses = host.seen("addresses");
      host.world({
        routes: "",
        addresses: addresses + docker,
        "docker-networks": "0123456789ab\n",
        "docker-subnets": "172.28.4.0/24 bridge shop_default\n",
      });
      const network = host.run(shell, "up");
      expect(network.status).toBe(3);
      expect(network.err).toContain("172.28.4.0/24 (the Docker network shop_default) overlaps");

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

  it("of a deleted node that waits for approval keeps its lease in place, fails each time, and ends with the new token", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/var/lib/docker/network/files/local-kv.db", "1");
      for (const _ of ["enrols", "finds nothing to do", "remembers that"]) host.run(shell, "up");
      host.write("/etc/meshboot/key", `mbk_${"a".repeat(22)}\n`);
      host.world({
        answers: "202 lease\n401 gone\n",
        gone: "TYPE=/problems/unauthorized\nDETAIL=no such token\n",
        "mesh-routes": "",
      });
      for (const _ of ["asks", "asks again", "and again"]) {
        host.world({ answers: "202 lease\n401 gone\n" });
        const waiting = host.run(shell, "up");
        expect(waiting.status, waiting.out).toBe(1);
        expect(waiting.err).toContain("4e8d87c868 (web1) waits for approval at the Worker");
        expect(host.seen("mesh-routes").trim().split("\n")).toHaveLength(238);
        expect(host.read("/etc/meshboot/key")).toMatch(/^mbk_a/);
        expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ failedStep: "enrol" });
      }
      host.world({ answers: "200 lease\n", lease: withLine(leaseText(), "TOKEN", "mbn_new") });
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      expect(host.read("/var/lib/meshboot/token")).toBe("mbn_new\n");
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ failedStep: "" });
    });
  });

  it("asks with a key that is there at each run, also where nothing else has changed", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.write("/var/lib/docker/network/files/local-kv.db", "1");
      host.join(shell);
      host.write("/etc/meshboot/key", "mbk_spent\n");
      host.world({ spent: "TYPE=/problems/key-spent\nDETAIL=spent\n" });
      for (const _ of [1, 2, 3, 4]) {
        host.world({ answers: "403 spent\n200 lease\n", requests: "" });
        expect(host.run(shell, "up").err).toContain("key-spent: spent");
        expect(host.seen("requests")).toContain("/v1/enroll");
      }
    });
  });

  it.each([
    ["403 no", "TYPE=/problems/revoked\nDETAIL=taken out\n", "revoked"],
    ["401 no", "TYPE=/problems/unauthorized\nDETAIL=no such token\n", "unauthorized"],
    ["403 no", "<html>a login page</html>\n", "active"],
    ["000", "", "active"],
  ])("when the Worker says %s %j to a report, status says %s", (answers, no, state) => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ answers: `${answers}\n`, no });
      expect(host.run(shell, "up").status).toBe(0);
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ state });
      const { out } = host.run(shell, "status");
      expect(out).toMatch(new RegExp(`^lease +slot 233, ${state}$`, "m"));
      expect(out).toMatch(state === "active" ? /^wrong: last report/m : /^wrong: lease, last report/m);
      host.world({ answers: "200 lease\n" });
      host.run(shell, "heartbeat");
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ state: "active" });
    });
  });

  it("is not called active while the controller does not let the node in, whatever the last report said", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      host.world({ "zerotier-status": "ACCESS_DENIED" });
      expect(JSON.parse(host.run(shell, "status --json").out)).toMatchObject({ state: "denied" });
      expect(host.run(shell, "status").out).toMatch(
        /^lease +slot 233, denied$[\s\S]*^wrong: lease, network/m,
      );
    });
  });

  it("goes on with the saved lease when a new key is refused, and reports what failed", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
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

describe.each(shellOfTheDay(import.meta.filename))("settings in $name", PATIENCE, (shell) => {
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

describe.each(SHELLS.slice(0, 1))("a service, which ignores SIGPIPE, in $name", PATIENCE, (shell) => {
  it("says nothing of broken pipes", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.join(shell);
      const many = Array.from({ length: 9000 }, (_, n) => `100.${64 + (n >> 8)}.${n & 255}.0/24 dev eth0`);
      // Who looks for the first that lies where docker0 is to be does not read the others.
      host.world({ routes: ["172.28.233.0/26 dev web0", ...many, ""].join("\n") });
      const service = join(directory, "service");
      writeFileSync(service, `trap '' PIPE\nexec dash '${AGENT}' "$@"\n`);
      const { status, err } = host.run(shell, "up", service);
      expect(status).toBe(3);
      expect(err).toMatch(/^meshboot: docker: refused: 172\.28\.233\.0\/26 \(web0\) lies in .*\n$/);
    });
  });
});
