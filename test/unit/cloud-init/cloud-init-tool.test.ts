/** The generated user-data in the hands of the real cloud-init: its schema check, and its merging of parts. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { generate } from "../../../cloud-init/user-data.ts";
import { agent, operatorConfig, requestFor, variants } from "./fixture.ts";

// Each run of the tool starts a Python: half a second, more on a busy machine.
vi.setConfig({ testTimeout: 30_000, maxConcurrency: 2 });

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), "meshboot-schema-"));
afterAll(() => rmSync(directory, { recursive: true }));

const hasTool = spawnSync("cloud-init", ["--version"]).status === 0;
if (!hasTool)
  console.warn("SKIPPED: cloud-init is not installed (apt-get install cloud-init): schema not checked");

/** cloud-init's own Python, which is not always the first one on the PATH. */
function pythonOfTool(): string | undefined {
  const found = spawnSync("sh", ["-c", "command -v cloud-init"], { encoding: "utf8" }).stdout.trim();
  if (!existsSync(found)) return undefined;
  const python = /^#!(\S+)/.exec(readFileSync(found, "utf8"))?.[1];
  return python !== undefined && spawnSync(python, ["-c", "import cloudinit"]).status === 0
    ? python
    : undefined;
}
const python = hasTool ? pythonOfTool() : undefined;
if (python === undefined)
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
  config: z.looseObject({
    write_files: z.array(z.object({ path: z.string(), content: z.string() })),
    runcmd: z.array(z.array(z.string())),
  }),
});

/** What cloud-init makes of user-data of several parts. */
function merged(text: string): z.output<typeof mergedSchema> {
  const script = new URL("merge.py", import.meta.url).pathname;
  const result = spawnSync(python ?? "", [script], { input: text, encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
  return mergedSchema.parse(JSON.parse(result.stdout));
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

describe.skipIf(python === undefined)("the multipart form, merged by cloud-init", () => {
  const { text } = generate(requestFor("multipart", "name"));

  test("keeps both sides' files and commands, the operator's first, ours last", async () => {
    const { types, config } = merged(text);
    expect(types).toEqual(["text/cloud-config", "text/cloud-config"]);
    const paths = config.write_files.map(({ path }) => path);
    expect(paths[0]).toBe("/etc/motd");
    expect(paths).toHaveLength(3 + Object.keys(agent.units).length + 2);
    expect(config.runcmd).toHaveLength(2);
    expect(config.runcmd[0]).toEqual(["touch", "/tmp/before-meshboot"]);
    expect(config["packages"]).toEqual(["htop"]);
    expect(config["timezone"]).toBe("Europe/Berlin");
    expect(await refusalOf("merged.yaml", `#cloud-config\n${JSON.stringify(config)}`)).toBeUndefined();
  });

  test("what fetches the agent arrives unaltered", () => {
    const files = merged(text).config.write_files;
    expect(files.find(({ path }) => path === "/usr/local/sbin/meshboot-fetch")?.content).toBe(agent.fetch);
  });

  test("works with an operator who has none of these lists, has long lines, or our boundary on a line", () => {
    const owns = [
      "#cloud-config\ntimezone: Europe/Berlin\n",
      `#cloud-config\ntimezone: Europe/Berlin # ${"x".repeat(2000)}\n`,
      "#cloud-config\n{timezone: Europe/Berlin, packages: [\n--==meshboot==\n]}\n",
      operatorConfig.replace("ë", "e"),
    ];
    for (const cloudConfig of owns) {
      const { types, config } = merged(generate({ ...requestFor("multipart", "name"), cloudConfig }).text);
      expect(types).toHaveLength(2);
      expect(config["timezone"]).toBe("Europe/Berlin");
      expect(config.runcmd.at(-1)).toEqual(["sh", "-euc", expect.stringContaining("systemctl")]);
    }
  });
});

describe.skipIf(python === undefined)("the other forms, read by cloud-init", () => {
  test("the cloud-config alone is taken as one", () => {
    const { types, config } = merged(generate(requestFor("cloud-config", "default")).text);
    expect(types).toEqual(["text/cloud-config"]);
    expect(config.runcmd).toHaveLength(1);
  });
});
