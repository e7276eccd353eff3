// kill -9 before each step of `up`, and before each command that changes something, in `up` and in `down`: run again, the
// end is that of an undisturbed run.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { AGENT, SHELLS, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 1_800_000 };
const source = readFileSync(AGENT, "utf8");

/** The lines of `up` that are calls and nothing else: its steps, and whatever else it does in order. */
const upBody = /^up\(\) \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? "";
const steps = upBody.split("\n").filter((line) => /^ {2}(?!fi$)[a-z_]+$/.test(line));

/** Commands through which the agent changes a server, each with the arguments of a call that does. */
const CHANGING: Readonly<Record<string, string>> = {
  mv: "*",
  cp: "*",
  touch: "*",
  rm: "*/root/*",
  nft: "-f*|delete*",
  iptables: "*-[IDNX]*",
  ip6tables: "*-[IDNX]*",
  "ip6tables-restore": "*",
  ip: "*-batch*",
  systemctl: "restart*|start*|stop*|enable*|disable*|daemon-reload*|reset-failed*|*unmask*|*mask*",
  "zerotier-cli": "join*|leave*",
  docker: "start*|stop*",
  curl: "*/v1/*",
};

/**
 * The agent as a program that is killed, with all that it has started, before its nth change; with 0 it is not, and
 * `changes` in the world is their number.
 */
function killedBefore(directory: string, change: number): string {
  const commands = join(directory, `commands-${change}`);
  mkdirSync(commands, { recursive: true });
  for (const [name, calls] of Object.entries(CHANGING)) {
    const file = join(commands, name);
    writeFileSync(
      file,
      `#!/bin/sh
PATH=\${PATH#${commands}:}
case "$*" in
${calls})
  echo x >>"$WORLD/changes"
  [ "$(wc -l <"$WORLD/changes")" -ne ${change} ] || kill -9 0
  ;;
esac
exec ${name} "$@"
`,
    );
    chmodSync(file, 0o755);
  }
  const program = join(directory, `killed-${change}`);
  writeFileSync(program, `PATH=${commands}:$PATH exec setsid -w dash '${AGENT}' "$@"\n`);
  return program;
}

/** All that the agent leaves on a server. */
function state(host: Host): Record<string, unknown> {
  const sorted = (name: string) => host.seen(name).split("\n").sort();
  return {
    files: host.files(),
    routes: host.seen("mesh-routes"),
    nft: host.seen("nft"),
    iptables: sorted("iptables"),
    ip6tables: sorted("ip6tables"),
    forwarding: host.read("/proc/sys/net/ipv4/ip_forward"),
    advertisements: host.read("/proc/sys/net/ipv6/conf/eth0/accept_ra"),
    dockerd: host.dockerdCommand()?.replaceAll("\0", " "),
    interrupted: ["restarting", "reload", "masked"].filter((name) => host.read(`/run/meshboot/${name}`)),
  };
}

const starts = (host: Host) => host.seen("calls").match(/^systemctl restart docker.service/gm)?.length ?? 0;

describe.each(SHELLS.slice(0, 1))("kill -9 in $name", PATIENCE, (shell) => {
  it("before any step of up, run again, ends as an undisturbed up", () => {
    expect(steps.map((line) => line.trim())).toEqual(
      expect.arrayContaining(["enrol", "join_network", "load_rules", "configure_docker", "report"]),
    );
    withDirectory((directory) => {
      const undisturbed = new Host(join(directory, "undisturbed"));
      expect(undisturbed.run(shell, "up").status).toBe(0);
      for (const [number, step] of steps.entries()) {
        const host = new Host(join(directory, String(number)));
        const program = join(directory, `${number}.sh`);
        const lines = upBody.split("\n");
        const at = steps.slice(0, number + 1).reduce((from, line) => lines.indexOf(line, from + 1), -1);
        lines.splice(at, 0, "  kill -9 $$");
        writeFileSync(
          program,
          source.replace(upBody, () => lines.join("\n")),
        );
        expect(host.run(shell, "up", program).status, step).toBeNull();
        expect(host.run(shell, "up"), step).toMatchObject({ status: 0, err: "" });
        expect(state(host), step).toEqual(state(undisturbed));
        expect(starts(host), step).toBe(1);
      }
    });
  });

  it("before any change that up makes, run again, ends as an undisturbed up", () => {
    withDirectory((directory) => {
      const make = (name: string) => {
        const host = new Host(join(directory, name));
        host.world({ containers: "web\n", changes: "" });
        return host;
      };
      const agreed = "up --restart-docker";
      const undisturbed = make("undisturbed");
      expect(undisturbed.run(shell, agreed, killedBefore(directory, 0)).status).toBe(0);
      const changes = undisturbed.seen("changes").length / 2;
      expect(changes).toBeGreaterThan(20);
      for (let change = 1; change <= changes; change += 1) {
        const host = make(String(change));
        host.run(shell, agreed, killedBefore(directory, change));
        const before = host.seen("calls").trim().split("\n").at(-1);
        const label = `change ${change}, after ${before}`;
        expect(host.run(shell, "up"), label).toMatchObject({ status: 0, err: "" });
        expect(state(host), label).toEqual(state(undisturbed));
        expect(starts(host), label).toBe(1);
        expect(host.seen("calls"), label).toContain("docker start id-web");
      }
    });
  });

  it("before any change that down makes, run again, ends as an undisturbed down", () => {
    withDirectory((directory) => {
      const up = new Host(join(directory, "up"));
      up.world({ changes: "" });
      expect(up.run(shell, "up").status).toBe(0);
      up.world({ containers: "web\n" });
      const copy = (name: string) => {
        const host = new Host(join(directory, name));
        rmSync(join(directory, name), { recursive: true });
        cpSync(join(directory, "up"), join(directory, name), { recursive: true });
        return host;
      };
      const undisturbed = copy("undisturbed");
      expect(undisturbed.run(shell, "down", killedBefore(directory, 0)).status).toBe(0);
      const changes = undisturbed.seen("changes").length / 2;
      expect(changes).toBeGreaterThan(20);
      for (let change = 1; change <= changes; change += 1) {
        const host = copy(String(change));
        host.run(shell, "down", killedBefore(directory, change));
        const label = `change ${change}, after ${host.seen("calls").trim().split("\n").at(-1)}`;
        expect(host.run(shell, "down"), label).toMatchObject({ status: 0, err: "" });
        expect(state(host), label).toEqual(state(undisturbed));
      }
    });
  });
});
