/** The generated user-data in the hands of the real cloud-init: its schema check, and its merging of parts. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { boothook } from "../../../cloud-init/forms/boothook.ts";
import { generate } from "../../../cloud-init/user-data.ts";
import { PYTHON, runPython } from "./cloud-init-python.ts";
import { operatorConfig, requestFor, variants } from "./fixture.ts";

// Each run of the tool starts a Python: half a second, more on a busy machine.
vi.setConfig({ testTimeout: 30_000, maxConcurrency: 2 });

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), "meshboot-schema-"));
afterAll(() => rmSync(directory, { recursive: true }));

const hasTool = spawnSync("cloud-init", ["--version"]).status === 0;
if (!hasTool)
  console.warn("SKIPPED: cloud-init is not installed (apt-get install cloud-init): schema not checked");

if (PYTHON === undefined)
  console.warn("SKIPPED: cloud-init's Python code cannot be loaded: merging not checked");

/** Runs `cloud-init schema`; gives what it prints when it refuses. */
async function refusalOf(name: string, text: string): Promise<string | undefined> {
  const file = join(directory, name);
  writeFileSync(file, text);
  try {
    await run("cloud-init", ["schema", "--config-file", file]);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const mergedSchema = z.object({
  types: z.array(z.string()),
  config: z.record(z.string(), z.unknown()),
  boothooks: z.array(z.string()),
});

/** What cloud-init makes of user-data of several parts. */
function merged(text: string): z.output<typeof mergedSchema> {
  return mergedSchema.parse(JSON.parse(runPython(new URL("merge.py", import.meta.url), text)));
}

describe.skipIf(!hasTool)("cloud-init schema", () => {
  test.concurrent.each(Object.keys(variants))("accepts the cloud-config with %s", async (variant) => {
    const { text } = generate(requestFor("cloud-config", variant));
    expect(await refusalOf(`${variant}.yaml`, text)).toBeUndefined();
  });

  test.concurrent.each(Object.keys(variants))("accepts the golden form with %s", async (variant) => {
    const { text } = generate(requestFor("golden", variant));
    expect(await refusalOf(`golden-${variant}.yaml`, text)).toBeUndefined();
  });

  test("refuses what is wrong inside a file entry: the check does check", async () => {
    const { text } = generate(requestFor("cloud-config", "default"));
    expect(await refusalOf("wrong.yaml", text.replace("permissions:", "permission:"))).toMatch(/permission/);
  });
});

describe.skipIf(PYTHON === undefined)("the multipart form, taken apart by cloud-init", () => {
  const parts = ["text/cloud-config", "text/cloud-boothook"];

  test("has the operator's config as it is alone, and our boothook with every letter", async () => {
    const { types, config, boothooks } = merged(generate(requestFor("multipart", "name")).text);
    expect(types).toEqual(parts);
    expect(config).toEqual(merged(operatorConfig).config);
    expect(config["timezone"]).toBe("Europe/Berlin");
    expect(boothooks).toEqual([boothook(requestFor("multipart", "name"))]);
    expect(await refusalOf("merged.yaml", `#cloud-config\n${JSON.stringify(config)}`)).toBeUndefined();
  });

  test.each([
    ["has long lines", `#cloud-config\ntimezone: Europe/Berlin # ${"x".repeat(2000)}\n`],
    [
      "has our boundary on a line",
      "#cloud-config\n{timezone: Europe/Berlin, packages: [\n--==meshboot==\n]}\n",
    ],
    ["writes as Windows does", "\ufeff#cloud-config\r\ntimezone: Europe/Berlin\r\n"],
    ["begins with an empty line, in capitals", "\n#Cloud-Config\ntimezone: Europe/Berlin\n"],
    ["names all modules himself", "#cloud-config\ncloud_init_modules: []\ntimezone: Europe/Berlin\n"],
  ])("works with an operator who %s", (_, cloudConfig) => {
    const { types, config, boothooks } = merged(
      generate({ ...requestFor("multipart", "name"), cloudConfig }).text,
    );
    expect(types).toEqual(parts);
    expect(config["timezone"]).toBe("Europe/Berlin");
    expect(boothooks).toHaveLength(1);
  });
});

describe.skipIf(PYTHON === undefined)("the other forms, read by cloud-init", () => {
  test("the cloud-config alone is taken as one, and leaves `runcmd` to whoever adds one", () => {
    const { types, config } = merged(generate(requestFor("cloud-config", "default")).text);
    expect(types).toEqual(["text/cloud-config"]);
    expect(Object.keys(config)).toEqual(["write_files"]);
  });
});
