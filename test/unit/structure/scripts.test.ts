/** What npm runs on a machine that has any Node from 20 on, and perhaps runs no install scripts. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const { allowScripts, scripts } = z
  .object({ allowScripts: z.record(z.string(), z.boolean()), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));

const needNode = (...flags: string[]) =>
  spawnSync(process.execPath, [...flags, join(ROOT, "scripts/need-node.mjs")], { encoding: "utf8" });

// By name alone: without addresses in the lock file npm allows no version by its number.
test("every package that has to run an install script may, and no other", () => {
  const { packages } = z
    .object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")));
  const names = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(names).toContain("node");
  expect(allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, true])));
});

test("a Node that runs no TypeScript is told how to get the one that does, and one that does is told nothing", () => {
  const old = needNode("--no-strip-types");
  expect(old.status).toBe(1);
  expect(old.stderr).toContain(`Node 24 is missing: this is Node ${process.versions.node}`);
  expect(old.stderr).toMatch(/npm rebuild node --ignore-scripts=false\n$/);
  expect(needNode()).toMatchObject({ status: 0, stdout: "", stderr: "" });
});

test("every npm script that runs TypeScript asks for that Node first", () => {
  const runs = Object.entries(scripts).filter(
    ([, line]) => /\.ts\b|\bvitest\b/.test(line) && !/\btsc\b/.test(line),
  );
  expect(runs.map(([name]) => name)).toContain("start");
  for (const [name, line] of runs) expect(line, name).toMatch(/^node scripts\/need-node\.mjs && /);
});
