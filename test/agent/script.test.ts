import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { shipped, shortNames } from "../../cloud-init/agent/shipped.ts";
import { AGENT, available, runShell, SHELLS, withDirectory } from "./shells.ts";

const source = readFileSync(AGENT, "utf8");
const hasShellcheck = available("shellcheck", ["--version"], "the agent is not linted");

describe("the agent's script", () => {
  it.runIf(hasShellcheck)("is clean under shellcheck", () => {
    const { stdout } = spawnSync("shellcheck", ["-s", "sh", "--severity=style", AGENT], { encoding: "utf8" });
    expect(stdout).toBe("");
  });

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

  it("has short names only for words that are nothing but functions", () => {
    for (const name of shortNames(source).keys()) {
      const code = source.replace(/^\s*#.*$/gm, "");
      const quoted = code.match(new RegExp(`(?:say|warn|fail|refuse) ['"][^'"$]*\\b${name}\\b`));
      expect(quoted, name).toBeNull();
    }
    expect(travelling).not.toMatch(/^(?!#!)#/m);
  });

  it("is small enough for every provider's user-data", () => {
    expect(gzipSync(travelling, { level: 9 }).length).toBeLessThan(11_200);
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
    for (const word of ["up [--dry-run]", "status [--json]", "down [--release]", "exit codes"]) {
      expect(help.out).toContain(word);
    }
    expect(run("--version").out).toMatch(/^meshboot \d+\.\d+\.\d+\n$/);
  });

  it.each(["", "upp", "up --force", "status --xml"])("refuses %j with exit code 2", (args) => {
    expect(run(args).status).toBe(2);
  });
});
