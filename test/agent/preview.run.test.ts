// A look ahead on a server that runs already: the script of user-data shows the plan, and nothing of it stays.
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { optionsSchema } from "../../cloud-init/options.ts";
import { generate } from "../../cloud-init/user-data.ts";
import { AGENT } from "../../scripts/agent.ts";
import { unchanged } from "./changes.ts";
import { Host } from "./host.ts";
import { type Run, SHELLS, type Shell, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };

interface Server {
  readonly host: Host;
  /** Runs the script of user-data with that argument. */
  script(argument: string, options?: Readonly<Record<string, string>>): Run;
  /** What is in the folder for what does not stay. */
  left(): string[];
}

/** Its Worker gives out the agent, or another text. */
function server(directory: string, shell: Shell, program: string = AGENT.program): Server {
  const place = join(directory, "host");
  const host = new Host(place);
  rmSync(`${host.root}/etc/meshboot`, { recursive: true });
  for (const folder of ["bin", "tmp"]) mkdirSync(join(directory, folder));
  for (const [name, body] of [
    ["id", "echo 0"],
    // meshboot-fetch waits before it tries again.
    ["sleep", "exit 9"],
  ] as const) {
    writeFileSync(join(directory, "bin", name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(directory, "bin", name), 0o755);
  }
  host.world({ [`agent-${AGENT.sha256}`]: program });
  return {
    host,
    left: () => readdirSync(join(directory, "tmp")),
    script: (argument, options = {}) => {
      const { text } = generate({
        form: "script",
        url: "https://mesh.example.com",
        key: `mbk_${"k".repeat(22)}`,
        options: optionsSchema.parse(options),
        allowOverlap: false,
        agent: AGENT,
      });
      const file = join(directory, "script");
      writeFileSync(file, text.replace(/^ {2}cd \/$/m, `  cd ${host.root}`));
      const commands = join(import.meta.dirname, "stubs");
      return host.run(shell, argument, file, {
        PATH: `${join(directory, "bin")}:${commands}:${process.env["PATH"]}`,
        TMPDIR: join(directory, "tmp"),
      });
    },
  };
}

describe.each(SHELLS.slice(0, 1))("the script of user-data with --dry-run in $name", PATIENCE, (shell) => {
  it("shows the plan of a server that has nothing of ours, and leaves nothing", () => {
    withDirectory((directory) => {
      const { host, script, left } = server(directory, shell);
      host.world({ containers: "web\ndb\n", requests: "" });
      const { status, out, err } = unchanged(
        join(directory, "host/root"),
        () => script("--dry-run", { name: "shop" }),
        host,
      );
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(out).toContain("meshboot: dry run: enrol: asks https://mesh.example.com for a lease as shop\n");
      expect(out).toContain(
        "dockerd restarts, and with it 2 containers (web, db): not before somebody agrees",
      );
      expect(host.seen("requests").trim()).toBe(`https://mesh.example.com/agent/${AGENT.sha256}`);
      expect(left()).toEqual([]);
    });
  });

  it("shows on a node what other user-data would change", () => {
    withDirectory((directory) => {
      const { host, script, left } = server(directory, shell);
      host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\n");
      host.write("/etc/meshboot/key", `mbk_${"k".repeat(22)}\n`);
      expect(host.run(shell, "up")).toMatchObject({ status: 0, err: "" });
      const look = () =>
        unchanged(join(directory, "host/root"), () => script("--dry-run", { layout: "bridge" }), host);
      const { status, out, err } = look();
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(out).toContain("dry run: docker: LAYOUT=bridge: starts dockerd with --bip=172.28.233.1/24");
      host.world({ containers: "web\n" });
      expect(look()).toMatchObject({
        status: 3,
        err: expect.stringContaining("1 container (web) would restart"),
      });
      expect(left()).toEqual([]);
    });
  });

  it("runs no other text than the agent that is named, and leaves none", () => {
    withDirectory((directory) => {
      const { host, script, left } = server(directory, shell, `${AGENT.program}\necho owned\n`);
      const run = () => script("--dry-run");
      const { status, out, err } = unchanged(join(directory, "host/root"), run, host);
      expect({ status, out }).toEqual({ status: 9, out: "" });
      expect(err).toContain("what came is another text");
      expect(left()).toEqual([]);
    });
  });

  it("is for a look alone: up does not take settings from elsewhere", () => {
    withDirectory((directory) => {
      const { host } = server(directory, shell);
      const run = () => host.run(shell, "up", undefined, { MESHBOOT_ETC: "/etc/elsewhere" });
      const { status, err } = run();
      expect(status).toBe(3);
      expect(err).toContain("MESHBOOT_ETC is for a dry run");
    });
  });
});
