// What doctor finds reaches the Worker, and when it is asked.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { heartbeatSchema } from "../../worker/schema/heartbeat.ts";
import { Host } from "./host.ts";
import { AGENT, SHELLS, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const NODE = "4e8d87c868";
const Body = heartbeatSchema.extend({ facts: z.unknown() });

/** A server that is in the mesh. */
function inMesh(shell: Shell, directory: string, files: Readonly<Record<string, string>> = {}): Host {
  const host = new Host(directory);
  for (const [path, content] of Object.entries(files)) host.write(path, content);
  host.world({ node: `{"node":"${NODE}","state":"active"}` });
  host.join(shell);
  host.write(
    "/proc/net/udp",
    "  sl  local_address rem_address   st\n    0: 00000000:2709 00000000:0000 07 00000000:00000000\n",
  );
  host.world({ requests: "", headers: `HTTP/2 200\r\ndate: ${new Date().toUTCString()}\r\n` });
  return host;
}

/** The heartbeats that the Worker got, as its schema takes them. */
function heartbeats(host: Host): z.output<typeof Body>[] {
  return host
    .seen("requests")
    .split("\n")
    .filter((line) => line.startsWith('{"state"'))
    .map((line) => Body.parse(JSON.parse(line)));
}

/** How many looks of the doctor were reported. */
const looks = (host: Host) => heartbeats(host).filter(({ findings }) => findings !== undefined).length;

describe.each(shellOfTheDay(import.meta.filename))("doctor --report in $name", PATIENCE, (shell) => {
  it("tells the Worker what is not well, the worst first, and changes no file", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({ postrouting4: "", "zerotier-info": `${NODE} 1.14.1 TUNNELED` });
      const before = host.files();
      const { status, out } = host.run(shell, "doctor --report");
      expect(status).toBe(3);
      expect(out).toMatch(
        /^meshboot: doctor: reported to https:\/\/mesh\.example\.com: faults \d+, warnings \d+\n$/,
      );
      expect(host.files()).toEqual(before);
      const [{ state, findings = [] } = { state: "none" }, ...others] = heartbeats(host);
      expect([state, others]).toEqual(["ok", []]);
      expect(findings.find(({ link }) => link === "nat44")).toMatchObject({
        level: "fault",
        saw: expect.stringContaining("no MASQUERADE for 172.28.233.0/25"),
        remedy: "systemctl restart docker",
      });
      const levels = findings.map(({ level }) => ["fault", "warning", "note"].indexOf(level));
      expect(levels).toEqual(levels.toSorted());
      expect(new Set(levels).size).toBeGreaterThan(1);
    });
  });

  it("says without findings that all is well", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.run(shell, "doctor --report");
      const [beat] = heartbeats(host);
      expect(beat?.findings?.filter(({ level }) => level !== "note")).toEqual([]);
    });
  });

  it("keeps texts short, and a password in a URL to itself", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const texts = () => {
        host.world({ requests: "" });
        host.run(shell, "doctor --report");
        return (heartbeats(host)[0]?.findings ?? []).flatMap(({ saw, expected, remedy }) => [
          saw,
          expected,
          remedy,
        ]);
      };
      host.write("/run/meshboot/failed", "docker\n");
      host.write("/run/meshboot/log", `${"long ".repeat(200)}\n`);
      expect(Math.max(...texts().map((text) => text.length))).toBe(300);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\nMTU=http://me:hunter2@x\n");
      expect(texts().join(" ")).toContain("MTU=http://***@x");
    });
  });

  it("refuses where there is no lease, and says when the Worker does not take it", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      const none = host.run(shell, "doctor --report");
      expect([none.status, none.err]).toEqual([
        3,
        expect.stringContaining("there is no lease with its token"),
      ]);
    });
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({ answers: "000 7\n" });
      const away = host.run(shell, "doctor --report");
      expect([away.status, away.err]).toEqual([1, expect.stringContaining("does not answer")]);
    });
  });
});

// The service runs the agent's file, which is dash's on a server.
describe.each(SHELLS.filter(({ name }) => name === "dash"))(
  "the service asks the doctor",
  PATIENCE,
  (shell) => {
    const up = (host: Host) => host.run(shell, "up --retry", AGENT).status;

    it("not at a first boot, then within the hour, and then once a day", () => {
      withDirectory((directory) => {
        const host = new Host(directory);
        host.world({ node: `{"node":"${NODE}","state":"active"}` });
        const counts = Array.from({ length: 27 }, () => [up(host), looks(host)]);
        expect(counts.map(([status]) => status)).toEqual(counts.map(() => 0));
        expect(counts.map(([, count]) => count)).toEqual([0, ...Array.from({ length: 24 }, () => 1), 2, 2]);
      });
    });

    it("when something was put right, and each hour until no fault is left", () => {
      withDirectory((directory) => {
        const host = inMesh(shell, directory);
        up(host);
        expect(looks(host)).toBe(0);
        host.write("/proc/sys/net/ipv4/ip_forward", "0\n");
        up(host);
        expect(looks(host)).toBe(1);
        // Another step than before: what was put right is told apart by step and second.
        host.world({ postrouting4: "", "mesh-routes": host.seen("mesh-routes").replace(/.*\n/, "") });
        up(host);
        up(host);
        expect(looks(host)).toBe(3);
        host.world({ postrouting4: "-A POSTROUTING -s 172.28.233.0/25 ! -o docker0 -j MASQUERADE\n" });
        up(host);
        up(host);
        expect(looks(host)).toBe(4);
      });
    });

    it("once for a failure that goes on, and again when it is over", () => {
      withDirectory((directory) => {
        const host = inMesh(shell, directory);
        const conf = host.read("/etc/meshboot/meshboot.conf") ?? "";
        host.write("/etc/meshboot/meshboot.conf", `${conf}LAYOUT=splitt\n`);
        // Mended after 1,000 pauses of five seconds: after at least two attempts, and two looks if each had one.
        host.write("/etc/meshboot/sound.conf", conf);
        host.world({
          "on-sleep": `[ "$(grep -c '^sleep 5' "$WORLD/calls")" -lt 1500 ] || cp "$MESHBOOT_ROOT/etc/meshboot/sound.conf" "$MESHBOOT_ROOT/etc/meshboot/meshboot.conf"\n`,
          calls: "",
        });
        expect(up(host)).toBe(0);
        const reported = heartbeats(host).filter(({ findings }) => findings !== undefined);
        expect(heartbeats(host).filter(({ state }) => state === "failed").length).toBeGreaterThan(2);
        expect(reported.map(({ state, step }) => [state, step])).toEqual([
          ["failed", "settings"],
          ["ok", undefined],
        ]);
      });
    });
  },
);
