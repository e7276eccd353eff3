import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPacker } from "../../../scripts/image/packer.ts";
import { distributions, hasPlugin, sources, templateFor } from "../../../scripts/image/templates.ts";

const PACKER = new URL("../../../packer/", import.meta.url);

let scratch = "";
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "meshboot-packer-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** A program that says this when asked for its version. */
function packerThatSays(said: string): string {
  const file = join(scratch, "packer");
  writeFileSync(file, `#!/bin/sh\n[ "$1" = version ] && echo '${said}'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("the Packer that is there", () => {
  test.each([
    ["Packer v1.6.6", { version: "1.6.6", hasInit: false }],
    ["Packer v1.7.0", { version: "1.7.0", hasInit: true }],
    ["Packer v1.16.0\n\nYour version of Packer is out of date!", { version: "1.16.0", hasInit: true }],
    ["Packer v2.0.0-dev", { version: "2.0.0", hasInit: true }],
  ])("%j", (said, found) => {
    expect(findPacker(packerThatSays(said))).toMatchObject(found);
  });

  test("one that is too old, something else, or none", () => {
    expect(() => findPacker(packerThatSays("Packer v1.6.5"))).toThrow(
      /is 1\.6\.5, and the templates need 1\.6\.6/,
    );
    expect(() => findPacker(packerThatSays("cracklib"))).toThrow(/something else than HashiCorp's Packer/);
    expect(() => findPacker(join(scratch, "none"))).toThrow(/does not run .*Install Packer/);
  });
});

describe("the templates", () => {
  const read = (path: string) => readFileSync(new URL(path, PACKER), "utf8");

  test("there is one for each source, and three distributions", () => {
    expect(sources()).toEqual(["amazon-ebs", "digitalocean", "hcloud", "linode", "null", "qemu", "vultr"]);
    expect(distributions()).toEqual(["debian-12", "debian-13", "ubuntu-24.04"]);
  });

  test("all bake by the same steps", () => {
    const steps = (source: string) =>
      read(`${source}/build.pkr.hcl`).replace(`source.${source}.image`, "source.X.image");
    for (const source of sources()) expect(steps(source), source).toBe(steps("null"));
  });

  test("required_plugins stands in a file of its own, which Packer before 1.7 does not get", () => {
    for (const source of sources()) {
      const folder = templateFor({ program: "packer", version: "1.6.6", hasInit: false }, source, scratch);
      const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
      expect(texts.join(""), source).not.toContain("required_plugins");
      expect(texts.join(""), source).toContain('variable "bake"');
      expect(hasPlugin(source), source).toBe(source !== "null");
    }
    expect(templateFor({ program: "packer", version: "1.16.0", hasInit: true }, "qemu", scratch)).toMatch(
      /packer\/qemu$/,
    );
  });
});

describe("a build", () => {
  const PROGRAM = new URL("../../../scripts/image.ts", import.meta.url).pathname;

  /** `npm run image -- null debian-12`, with this as Packer's build. */
  function build(out: string, packersBuild: string) {
    const file = join(scratch, "building-packer");
    writeFileSync(file, `#!/bin/sh\ncase $1 in version) echo Packer v1.6.6 ;; *) ${packersBuild} ;; esac\n`);
    chmodSync(file, 0o755);
    const child = spawn(process.execPath, [PROGRAM, "null", "debian-12", "--out", out, "--packer", file], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += data));
    return { child, said: () => said };
  }

  test("passes SIGTERM on to Packer and waits for its end", async () => {
    const ended = join(scratch, "ended");
    const { child, said } = build(
      join(scratch, "out"),
      `trap 'sleep 0.2; echo >${ended}; exit 1' TERM; echo builds; while :; do sleep 0.1; done`,
    );
    while (!said().includes("builds")) await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(existsSync(ended)).toBe(true);
    expect(said()).toContain("image: Packer made no image");
  });

  test("refuses a file as --out", async () => {
    const { child, said } = build(join(scratch, "building-packer"), "exit 1");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said()).toMatch(/^image: \S+building-packer is a file, and a folder is to be there/);
  });
});
