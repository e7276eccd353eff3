import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { AGENT as agent } from "../../scripts/agent.ts";
import { AGENT, runShell, SHELLS } from "./shells.ts";

const source = agent.program;

describe("the agent's script", () => {
  it("is plain ASCII and runs nothing before its last line", () => {
    expect(source).toMatch(/^[\t\n\x20-\x7e]*$/);
    expect(source.trimEnd().split("\n").at(-1)).toMatch(/ \|\| main "\$@"$/);
  });

  it("never evaluates text", () => {
    expect(source).not.toMatch(/\beval\b/);
  });
});

describe.each(SHELLS)("its text", (shell) => {
  it(`is valid for ${shell.name}`, () => {
    const [program, ...args] = shell.command;
    const parsed = spawnSync(program, [...args, "-n", AGENT], { encoding: "utf8" });
    expect({ status: parsed.status, stderr: parsed.stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe.each(SHELLS)("the command line in $name", (shell) => {
  const run = (args: string) => runShell(shell, `exec ${shell.command.join(" ")} '${AGENT}' ${args}`);

  it("explains itself", () => {
    const help = run("--help");
    expect(help.status).toBe(0);
    for (const word of [
      "--dry-run ",
      "status [--json]",
      "--purge[=zerotier,docker]",
      "upgrade ",
      "examples",
      "exit codes",
    ]) {
      expect(help.out).toContain(word);
    }
    expect(run("--version").out).toMatch(/^meshboot \d+\.\d+\.\d+\n$/);
  });

  it.each(["", "upp", "up --force", "down --purge=web", "down --purge=", "status --xml"])(
    "refuses %j with exit code 2",
    (args) => {
      expect(run(args).status).toBe(2);
    },
  );

  it("says what is wrong with the verb, and where to look", () => {
    expect(run("statsu").err).toBe(
      "meshboot: usage: statsu: there is no such verb, or none with these arguments; see meshboot --help\n",
    );
    expect(run("").err).toMatch(
      /^usage: [\s\S]*\nmeshboot: usage: a verb is missing, such as status or up\n$/,
    );
  });
});
