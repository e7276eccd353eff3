import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { bakeScript } from "../../../cloud-init/bake-script.ts";
import { optionsSchema } from "../../../cloud-init/options.ts";
import { agent } from "./fixture.ts";

const make = (options = {}) =>
  bakeScript({ options: optionsSchema.parse(options), agent, tools: "doctor() { :; }\n" });

describe("the bake script", () => {
  test("brings agent, units and tools, and no address, key or name", () => {
    const text = make({ layout: "bridge", compose: true });
    expect(text).toContain("LAYOUT=bridge\nCOMPOSE=on\nEND_OF_FILE");
    expect(text).toContain("unpack 0600 /var/lib/meshboot/tools");
    expect(text).toContain("unpack 0755 /usr/local/sbin/meshboot");
    expect(text).not.toMatch(/URL=|mbk_|NAME=/);
  });

  test("ends with the baking, whose failure is its own", () => {
    const calls = make().split("main() {")[1]?.trim().split("\n") ?? [];
    expect(calls.at(-4)).toBe("  /usr/local/sbin/meshboot bake");
    expect(spawnSync("dash", ["-n"], { input: make() }).status).toBe(0);
  });

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
