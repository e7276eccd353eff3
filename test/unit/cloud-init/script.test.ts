import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generate } from "../../../cloud-init/user-data.ts";
import { agent, request, requestFor } from "./fixture.ts";

const { text } = generate(requestFor("script", "name"));

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "meshboot-script-"));
  mkdirSync(join(root, "bin"));
  tool("systemctl", `echo "$*" >>${root}/systemctl.log`);
  tool("id", "echo 0");
});
afterEach(() => rmSync(root, { recursive: true }));

/** A program that stands in for the system's. */
function tool(name: string, body: string): void {
  writeFileSync(join(root, "bin", name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

/** Runs the script, given on standard input as by `curl … | sh`, with `root` in place of /. */
function run(script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const moved = script.replace(/^ {2}cd \/$/m, `  cd ${root}`);
  const env = { PATH: `${root}/bin:${process.env["PATH"]}` };
  return spawnSync("/bin/sh", ["-s", "--", ...args], { input: moved, encoding: "utf8", env });
}

describe("the script", () => {
  test("writes every file with its mode and content, leaves nothing else, and starts the agent", () => {
    const result = run(text);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const file = (path: string) => readFileSync(join(root, path), "utf8");
    const mode = (path: string) => statSync(join(root, path)).mode & 0o777;
    expect(file("usr/local/sbin/meshboot-fetch")).toBe(agent.fetch);
    expect(mode("usr/local/sbin/meshboot-fetch")).toBe(0o755);
    expect(file("etc/meshboot/agent.sha256")).toBe(`${agent.sha256}\n`);
    expect(file("etc/meshboot/key")).toBe(`${request.key}\n`);
    expect(mode("etc/meshboot/key")).toBe(0o600);
    expect(file("etc/meshboot/meshboot.conf")).toContain("NAME=web1\n");
    expect(mode("etc/meshboot/meshboot.conf")).toBe(0o600);
    expect(file("etc/systemd/system/meshboot.timer")).toBe(agent.units["meshboot.timer"]);
    expect(mode("etc/systemd/system/meshboot.timer")).toBe(0o644);
    expect(readdirSync(join(root, "etc/systemd/system")).sort()).toEqual(Object.keys(agent.units).sort());
    expect(readdirSync(join(root, "usr/local/sbin"))).toEqual(["meshboot-fetch"]);
    expect(file("systemctl.log").trimEnd().split("\n")).toEqual([
      "enable meshboot.service meshboot.timer",
      "restart --no-block meshboot.service meshboot.timer",
    ]);
  });

  test("keeps the units' quotes, dollars and back-quotes", () => {
    run(text);
    const [first, second] = readFileSync(join(root, "etc/systemd/system/meshboot.service"), "utf8").split(
      "\n",
    );
    expect([first, second]).toEqual(agent.units["meshboot.service"].split("\n").slice(0, 2));
  });

  test("takes the word that containers may restart, for once, and no other", () => {
    const agreed = join(root, "run/meshboot/restart-docker");
    expect(run(text).status).toBe(0);
    expect(existsSync(agreed)).toBe(false);
    expect(run(text, "--restart-docker")).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(agreed, "utf8")).toMatch(/^\d+\.\d+ /);
    const other = run(text, "--restart");
    expect(other.status).toBe(2);
    expect(other.stderr).toContain("unknown argument --restart; --dry-run and --restart-docker are known");
  });

  test("refuses to run as another user than root, and changes nothing", () => {
    tool("id", "echo 1000");
    const result = run(text);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/must run as root/);
    expect(readdirSync(root)).toEqual(["bin"]);
  });

  test("fails when a step fails", () => {
    tool("systemctl", '[ "$1" != enable ]');
    expect(run(text).status).toBe(1);
  });

  test("does nothing when only a part of it arrives", () => {
    for (let end = 1; end < text.length - 'main "$@"\n'.length; end += 97) run(text.slice(0, end));
    expect(readdirSync(root)).toEqual(["bin"]);
  });
});

const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
if (!hasShellcheck) console.warn("SKIPPED: shellcheck is not installed, so the script is not linted");

test.skipIf(!hasShellcheck)("shellcheck finds nothing", () => {
  expect(execFileSync("shellcheck", ["--shell=sh", "-"], { input: text, encoding: "utf8" })).toBe("");
});
