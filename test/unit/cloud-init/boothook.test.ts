/** The boothook of the multipart form, run as cloud-init does at each boot, with a folder in place of /. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { boothook } from "../../../cloud-init/forms/boothook.ts";
import { agent, request, requestFor } from "./fixture.ts";

const text = boothook(requestFor("multipart", "name"));
const hasShellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
if (!hasShellcheck) console.warn("SKIPPED: shellcheck is not installed, so the boothook is not linted");

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "meshboot-boothook-"));
  mkdirSync(join(root, "bin"));
  tool("systemctl", `echo "systemctl $*" >>${root}/called.log`);
  tool("systemd-run", `echo "systemd-run $*" >>${root}/called.log`);
  tool("id", "echo 0");
});
afterEach(() => rmSync(root, { recursive: true }));

/** A program that stands in for the system's. */
function tool(name: string, body: string): void {
  writeFileSync(join(root, "bin", name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

/** A boot, as far as the boothook goes. */
function boot(): number | null {
  const moved = text
    .replace(/^ {2}cd \/$/m, `  cd ${root}`)
    .replaceAll("/run/meshboot", `${root}/run/meshboot`);
  const env = { PATH: `${root}/bin:${process.env["PATH"]}` };
  return spawnSync("/bin/sh", ["-s"], { input: moved, env }).status;
}

const at = (path: string) => join(root, path);

describe("the boothook", () => {
  test("writes every file with its mode, enables the agent, and starts it when the operator's part is over", () => {
    expect(boot()).toBe(0);
    expect(readFileSync(at("usr/local/sbin/meshboot-fetch"), "utf8")).toBe(agent.fetch);
    expect(statSync(at("usr/local/sbin/meshboot-fetch")).mode & 0o777).toBe(0o755);
    expect(readFileSync(at("etc/meshboot/key"), "utf8")).toBe(`${request.key}\n`);
    expect(statSync(at("etc/meshboot/key")).mode & 0o777).toBe(0o600);
    for (const [name, content] of Object.entries(agent.units))
      expect(readFileSync(at(`etc/systemd/system/${name}`), "utf8")).toBe(content);
    expect(readFileSync(at("run/meshboot/restart-docker"), "utf8")).toMatch(/^\d+\.\d+ /);
    const units = "meshboot.service meshboot.timer";
    expect(readFileSync(at("called.log"), "utf8").trimEnd().split("\n")).toEqual([
      `systemctl enable ${units}`,
      `systemd-run --no-block -p After=cloud-final.service systemctl restart --no-block ${units}`,
    ]);
  });

  test("does nothing at the boots after that: the key that the agent has deleted stays away", () => {
    boot();
    rmSync(at("etc/meshboot"), { recursive: true });
    rmSync(at("called.log"));
    expect(boot()).toBe(0);
    expect(existsSync(at("etc/meshboot"))).toBe(false);
    expect(existsSync(at("called.log"))).toBe(false);
  });

  test("tries again at the next boot when it did not come to its end", () => {
    tool("systemctl", '[ "$1" != enable ]');
    expect(boot()).toBe(1);
    tool("systemctl", `echo "systemctl $*" >>${root}/called.log`);
    expect(boot()).toBe(0);
    expect(readFileSync(at("called.log"), "utf8")).toContain("systemctl enable");
  });
});

test.skipIf(!hasShellcheck)("shellcheck finds nothing", () => {
  const { stdout } = spawnSync("shellcheck", ["--shell=sh", "-"], { input: text, encoding: "utf8" });
  expect(stdout).toBe("");
});
