// What goes at run time and is put back at once.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT as agent } from "../../scripts/agent.ts";
import { Host } from "./host.ts";
import { leaseText } from "./leases.ts";
import { AGENT, runShell, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

function inMesh(shell: Shell, directory: string, conf = ""): Host {
  const host = new Host(directory);
  host.write("/etc/meshboot/meshboot.conf", `URL=https://mesh.example.com\n${conf}`);
  host.world({ lease: `${leaseText()}PEERS=1:39f51dfb25:db1 2:a3b033f4db:app1\n` });
  host.join(shell);
  host.world({ calls: "" });
  return host;
}

describe.each(shellOfTheDay(import.meta.filename))("keep in $name", PATIENCE, (shell) => {
  it("puts back routes and rules, says so, and is told as a repair", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const routes = host.seen("mesh-routes");
      host.world({ "mesh-routes": "", nft: "", iptables: "" });
      const { status, out, err } = host.run(shell, "keep");
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(host.seen("mesh-routes")).toBe(routes);
      expect(host.seen("nft")).toContain("table inet meshboot");
      expect(host.seen("iptables")).toContain("-i ztabcdefgh -d 172.28.233.0/24 -j ACCEPT");
      expect(out).toContain("meshboot: routes: changes 238 routes on ztabcdefgh\n");
      expect(host.read("/run/meshboot/changed")).toBe("rules\nrules\nroutes\n");
    });
  });

  it("changes nothing where nothing has gone, and never asks the Worker", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      // Docker's bridges are asked for once, since dockerd started after the rules.
      host.world({ bridges: "bridge docker0 172.28.233.0/25\n" });
      host.run(shell, "keep");
      host.world({ calls: "" });
      const before = host.files();
      expect(host.run(shell, "keep")).toMatchObject({ status: 0, out: "", err: "" });
      expect(host.files()).toEqual(before);
      expect(host.seen("calls")).not.toMatch(
        /^(curl|iptables -w -t \w+ -[ID]|docker|systemctl (start|restart|enable)) ?/m,
      );
    });
  });

  it.each([
    ["a command", "false", ""],
    ["a fault that is said", "fail 'no ink'", "meshboot: rules: failed: no ink\n"],
    ["a refusal", "refuse 'no ink'", "meshboot: rules: refused: no ink\n"],
  ])("puts back what it can where a step fails by %s, and ends with its name", (_, command, said) => {
    withDirectory((directory) => {
      const host = inMesh(shell, join(directory, "host"));
      const program = join(directory, "meshboot");
      writeFileSync(
        program,
        agent.program.replace("\nrules_keep() {\n", (head) => `${head}  ${command}\n`),
      );
      const routes = host.seen("mesh-routes");
      host.world({ "mesh-routes": "" });
      const { status, err } = host.run(shell, "keep", program);
      expect({ status, err }).toEqual({
        status: 1,
        err: `${said}meshboot: keep: failed: not put back: rules\n`,
      });
      expect(host.seen("mesh-routes")).toBe(routes);
    });
  });

  it("puts no routes over what the last up has spared", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.write("/var/lib/meshboot/spared", "172.28.7.0/24 \n");
      host.world({ "mesh-routes": "" });
      expect(host.run(shell, "keep")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("mesh-routes")).toContain("172.28.6.0/24 ");
      expect(host.seen("mesh-routes")).not.toContain("172.28.7.0/24 ");
    });
  });

  it("waits for the address that the routes need", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({ addresses: host.seen("addresses").replace(/.*10\.147\.17.*\n/, ""), "mesh-routes": "" });
      expect(host.run(shell, "keep")).toMatchObject({ status: 0, err: "" });
      expect(host.seen("mesh-routes")).toBe("");
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))("watch in $name", PATIENCE, (shell) => {
  const sourced = (host: Host, text: string) =>
    runShell(shell, `MESHBOOT_SOURCE=1 . '${AGENT}'\nTMP=$(mktemp -d); ${text}`, {
      MESHBOOT_ROOT: host.root,
    });

  it("heeds what concerns the mesh, and lets containers come and go", () => {
    withDirectory((directory) => {
      const heeded = [
        "Deleted 3: ztabcdefgh    inet 10.147.17.233/24 brd 10.147.17.255 scope global ztabcdefgh",
        "3: ztabcdefgh    inet 10.147.17.233/24 brd 10.147.17.255 scope global ztabcdefgh",
        "Deleted unreachable 172.28.0.0/16 proto static scope link metric 5101",
        "Deleted 172.28.2.0/24 via 10.147.17.2 dev ztabcdefgh proto static metric 5100",
        "default via 203.0.113.1 dev eth1",
        "default via 203.0.113.1 dev br-wan",
        "9: br-lan    inet 192.168.9.1/24 brd 192.168.9.255 scope global br-lan",
        "10.147.17.0/24 dev ztabcdefgh proto kernel scope link src 10.147.17.233",
        "# new generation 5 by process 3515 (iptables-restor)",
      ];
      const ignored = [
        "172.28.2.0/24 via 10.147.17.2 dev ztabcdefgh proto static metric 5100",
        "Deleted 172.18.0.0/16 dev br-0123456789ab proto kernel scope link src 172.18.0.1 linkdown",
        "9: br-0123456789ab    inet 172.18.0.1/16 brd 172.18.255.255 scope global br-0123456789ab",
        "Deleted 6: docker0    inet 172.28.233.1/25 scope global docker0",
        "10.147.17.0/24 dev wg0 proto static",
        "local 10.147.17.233 dev ztabcdefgh table local proto kernel scope host src 10.147.17.233",
        "add rule ip filter FORWARD counter packets 0 bytes 0 accept",
        "",
      ];
      const ask = [...heeded, ...ignored].map((line) => `! is_ours_to_keep '${line}' || echo '${line}'`);
      expect(
        sourced(new Host(directory), `DEV=ztabcdefgh L_POOL_ZEROTIER=10.147.17.0/24\n${ask.join("\n")}`).out,
      ).toBe(`${heeded.join("\n")}\n`);
    });
  });

  /** The loop itself. `.` in what the monitors say ends a wait for more, which stands for the real one's seconds. */
  const watching = (host: Host, said: string, more = ":") =>
    sourced(
      host,
      `said() { printf '%s\\n' ${said} >&7; }
keep_in_touch() { :; }; keep_probing() { :; }; tell_changes() { said; }
timeout() { echo "waits $1" >&2; while read -r line && [ "$line" != . ]; do echo "$line"; done; }
meshboot() { echo "$*" >&2; }
${more}
watch`,
    );
  const ENDED = "failed: ip monitor or nft monitor has ended";

  it("ends when a monitor has, also while it waits for more, and first puts back what went", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/run/meshboot/watching", undefined);
      const { status, err } = watching(host, "'default via a' x gone . 'default via b' . gone");
      expect({ status, err }).toEqual({
        status: 1,
        err: `keep\nwaits 1\nkeep\nmeshboot: meshboot: ${ENDED}\n`,
      });
    });
  });

  it("puts back what went before it was started", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      expect(watching(host, "gone").err).toBe(`keep\nmeshboot: meshboot: ${ENDED}\n`);
    });
  });

  it("is not kept busy by who changes something without end", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/run/meshboot/watching", undefined);
      const said = `${"'default via a' . ".repeat(12)} gone`;
      const waits = (more: string) =>
        watching(host, said, more)
          .err.match(/(?<=waits )\d+/g)
          ?.map(Number);
      const once = Array.from({ length: 10 }, () => 1);
      expect(waits(":")).toEqual([...once, 30, 30]);
      host.put("/run/meshboot/watching", undefined);
      // A minute from one change to the next.
      const rare = 'is_ours_to_keep() { echo "$(($(uptime_seconds) + 60)).00" >"$R/proc/uptime"; }';
      expect(waits(rare)).toEqual([...once, 1, 1]);
    });
  });

  it("puts back within ten seconds, and within thirty what goes without end", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/run/meshboot/watching", undefined);
      const { err } = watching(host, `${"'default via a' x . ".repeat(12)} gone`);
      const pauses = Array.from(err.matchAll(/waits (\d+)\nkeep\n/g), ([, seconds]) => Number(seconds));
      expect(pauses).toHaveLength(12);
      expect(Math.max(...pauses.slice(0, 10))).toBeLessThanOrEqual(10);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(30);
    });
  });

  /** `keep` fails until it has been called that often. */
  const failing = (times: number) => `
runs=0
meshboot() {
  runs=$((runs + 1))
  if [ $runs -le ${times} ]; then echo 'no ink' >&2; return 1; fi
  echo 'changes 1 routes' >&2
}`;

  it("tries again what failed, after growing pauses, until it succeeds, and says it once", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/run/meshboot/watching", undefined);
      const { status, err } = watching(
        host,
        "x",
        `${failing(9)}\ncat() { command cat "$@"; [ $runs -lt 10 ] || echo gone >&7; }
sleep() { echo "pause $1" >&2; }`,
      );
      const pauses = [1, 2, 4, 8, 16, 32, 60, 60, 60];
      expect(status).toBe(1);
      expect(err.split("\n")).toEqual([
        "no ink",
        ...pauses.map((pause) => `pause ${pause}`),
        "changes 1 routes",
        `meshboot: meshboot: ${ENDED}`,
        "",
      ]);
    });
  });

  it("heeds changes before it tries again, and tries no more when those have succeeded", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/run/meshboot/watching", undefined);
      // The pause has no end, but for what `try 1` says.
      const { err } = watching(host, "'default via a' . 'try 1' gone", `${failing(1)}\nsleep() { exit; }`);
      expect(err).toBe(`no ink\nwaits 1\nchanges 1 routes\nmeshboot: meshboot: ${ENDED}\n`);
    });
  });

  it("is started anew for an interface of another name", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({
        "zerotier-interface": "warp-net",
        addresses: host.seen("addresses").replaceAll("ztabcdefgh", "warp-net"),
      });
      const restarts = () => host.seen("calls").match(/restart --no-block meshboot-watch/g)?.length ?? 0;
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.read("/var/lib/meshboot/interface")).toBe("warp-net\n");
      expect(restarts()).toBe(1);
      host.join(shell);
      expect(restarts()).toBe(1);
    });
  });

  it.each(["dockerd starts", "dockerd does not start"])("starts when up ends, where %s", (how) => {
    withDirectory((directory) => {
      const host = new Host(directory).becomeMasked();
      if (how === "dockerd does not start") host.world({ "docker-fails": "" });
      expect(host.run(shell, "up").status).toBe(how === "dockerd starts" ? 0 : 1);
      const [, behind = ""] = host.seen("calls").split("systemctl restart docker.service\n");
      expect(behind).toMatch(/systemctl restart --no-block meshboot-watch\.service\n(.*\n)?$/);
    });
  });

  it("has systemd read its unit anew once, be it enabled before or not", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const unit = "/etc/systemd/system/meshboot-watch.service";
      const said = () => {
        host.put(unit, "[Unit]\n");
        host.put("/run/meshboot/watching", "another agent\n");
        host.world({ calls: "" });
        expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
        return host.seen("calls").match(/daemon-reload|(enable|restart --no-block) meshboot-watch/g);
      };
      expect(said()).toEqual(["enable meshboot-watch", "restart --no-block meshboot-watch"]);
      mkdirSync(`${host.root}/etc/systemd/system/zerotier-one.service.wants`);
      symlinkSync(unit, `${host.root}/etc/systemd/system/zerotier-one.service.wants/meshboot-watch.service`);
      expect(said()).toEqual(["daemon-reload", "restart --no-block meshboot-watch"]);
    });
  });
});
