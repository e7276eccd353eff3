import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shipped } from "../../cloud-init/agent/shipped.ts";
import { readAgent } from "../../scripts/agent.ts";
import { AGENT, available, runShell, SHELLS, withDirectory } from "./shells.ts";

/** Each is a second of work, more on a machine that does other things too. */
const PATIENCE = { timeout: 60_000 };
const source = readAgent();
const hasBash = available("bash", ["--version"], "the shipped form is not compared with the source");

describe("the agent's script", () => {
  it("is plain ASCII and runs nothing before its last line", () => {
    expect(source).toMatch(/^[\t\n\x20-\x7e]*$/);
    expect(source.trimEnd().split("\n").at(-1)).toMatch(/ \|\| main "\$@"$/);
  });

  it("never evaluates text", () => {
    expect(source).not.toMatch(/\beval\b/);
  });
});

describe("the form that travels in user-data", () => {
  const travelling = shipped(source);

  it.runIf(hasBash)("is the same program: bash sees the same functions", PATIENCE, () => {
    withDirectory((directory) => {
      const functions = [source, travelling].map((text, index) => {
        const file = join(directory, `${index}.sh`);
        writeFileSync(file, text);
        const env = { PATH: process.env["PATH"], MESHBOOT_SOURCE: "1" };
        const { stdout } = spawnSync("bash", ["-c", `. ${file}; declare -f`], { encoding: "utf8", env });
        // bash writes functions in its own way, but for what is quoted.
        return stdout.replace(/^[ \t]+/gm, "");
      });
      expect(functions[0]).toContain("load_rules ()");
      expect(functions[1]).toBe(functions[0]);
    });
  });

  it("has no comment and no indentation", () => {
    expect(travelling.split("\n").slice(1).join("\n")).not.toMatch(/^(?:#|[ \t])/m);
  });

  it.each(SHELLS)("is valid for $name", (shell) => {
    withDirectory((directory) => {
      const file = join(directory, "meshboot");
      writeFileSync(file, travelling);
      const [program, ...args] = shell.command;
      const parsed = spawnSync(program, [...args, "-n", file], { encoding: "utf8" });
      expect({ status: parsed.status, stderr: parsed.stderr }).toEqual({ status: 0, stderr: "" });
    });
  });
});

describe.each(SHELLS)("the command line in $name", (shell) => {
  const run = (args: string) => runShell(shell, `exec ${shell.command.join(" ")} '${AGENT}' ${args}`);

  it("explains itself", () => {
    const help = run("--help");
    expect(help.status).toBe(0);
    for (const word of ["up --dry-run ", "status [--json]", "down [--release]", "examples", "exit codes"]) {
      expect(help.out).toContain(word);
    }
    expect(run("--version").out).toMatch(/^meshboot \d+\.\d+\.\d+\n$/);
  });

  it.each(["", "upp", "up --force", "status --xml"])("refuses %j with exit code 2", (args) => {
    expect(run(args).status).toBe(2);
  });
});
