import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bakeScript } from "../../../cloud-init/bake-script.ts";
import { optionsSchema } from "../../../cloud-init/options.ts";
import { agent } from "./fixture.ts";

const make = (options = {}) => bakeScript({ options: optionsSchema.parse(options), isInUse: false, agent });

describe("the bake script", () => {
  test("brings the agent whole and its units, and no address, key or name", () => {
    const text = make({ layout: "bridge", compose: true });
    expect(text).toContain("LAYOUT=bridge\nCOMPOSE=on\nEND_OF_FILE");
    expect(text).toContain(`put 0755 usr/local/sbin/meshboot <<'END_OF_FILE'\n${agent.program}END_OF_FILE\n`);
    expect(text).toContain(`put 0644 etc/meshboot/agent.sha256 <<'END_OF_FILE'\n${agent.sha256}\n`);
    expect(text).toContain("put 0755 usr/local/sbin/meshboot-fetch");
    expect(text).not.toMatch(/^URL=|mbk_|^NAME=/m);
  });

  test("ends with the baking, whose failure is its own", () => {
    const calls = make().split("main() {")[1]?.trim().split("\n") ?? [];
    expect(calls.at(-4)).toBe("  /usr/local/sbin/meshboot bake --yes");
    expect(spawnSync("dash", ["-n"], { input: make() }).status).toBe(0);
  });

  test.each(["/var/lib/meshboot/lease", "/etc/meshboot/key"])(
    "writes over nothing of a server with %s",
    (path) => {
      const root = mkdtempSync(join(tmpdir(), "meshboot-bake-"));
      try {
        for (const folder of ["bin", "etc/meshboot", "var/lib/meshboot"])
          mkdirSync(join(root, folder), { recursive: true });
        for (const name of ["id", "systemctl"])
          writeFileSync(join(root, "bin", name), "#!/bin/sh\necho 0\n", { mode: 0o755 });
        writeFileSync(join(root, path), "something\n");
        writeFileSync(join(root, "etc/meshboot/meshboot.conf"), "URL=https://mesh.example.com\n");
        const moved = make()
          .replace(/^ {2}cd \/$/m, `  cd ${root}`)
          .replace(/(^|[\s>])\/(etc|usr|var)\//gm, `$1${root}/$2/`);
        const env = { PATH: `${root}/bin:${process.env["PATH"]}` };
        const run = spawnSync("dash", ["-s"], { input: moved, encoding: "utf8", env });
        expect(run).toMatchObject({ status: 3, stdout: "" });
        expect(run.stderr).toContain("refused: this server is a node");
        expect(readFileSync(join(root, "etc/meshboot/meshboot.conf"), "utf8")).toBe(
          "URL=https://mesh.example.com\n",
        );
        expect(readdirSync(root).sort()).toEqual(["bin", "etc", "var"]);
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );

  test("does nothing by half a download", () => {
    const text = make();
    const half = text.slice(0, text.lastIndexOf("\nmain"));
    expect(spawnSync("dash", [], { input: half, encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });
});
