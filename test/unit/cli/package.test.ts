/** What `npm pack` gives, installed where nothing else is. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { version } from "../../../package.json";
import { type LocalMesh, startLocalMesh } from "../../../scripts/local/local-mesh.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const packed = z.array(
  z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) }),
);

let folder: string;
let mesh: LocalMesh;
let files: string[];
let size: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "meshboot-package-"));
  const json = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const [archive] = packed.parse(JSON.parse(json.slice(json.indexOf("[\n"))));
  if (archive === undefined) throw new Error(json);
  files = archive.files.map(({ path }) => path);
  size = archive.size;
  mkdirSync(join(folder, "app"));
  writeFileSync(join(folder, "app/package.json"), '{"name":"app","private":true}');
  // No registry: whatever had to be fetched would fail.
  const install = ["install", "--offline", "--no-audit", "--no-fund", join(folder, archive.filename)];
  execFileSync("npm", install, { cwd: join(folder, "app"), encoding: "utf8" });
  mesh = await startLocalMesh(
    { host: "127.0.0.1", port: 0, directory: join(folder, "mesh"), central: undefined },
    () => {},
  );
});
afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true });
});

/** The oldest Node that there is: one from 20 on has to do. */
const NODES = ["/usr/bin/node", "/usr/local/bin/node", process.execPath].filter((node) => existsSync(node));
const oldest = NODES.map((node) => ({
  node,
  version: execFileSync(node, ["--version"], { encoding: "utf8" }).trim(),
})).sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }))[0];

it("has one program, no install script, and no package that it would need", () => {
  expect(files.sort()).toEqual([
    "LICENSE",
    "README.md",
    "dist/LICENSES.txt",
    "dist/meshboot.mjs",
    "package.json",
    "scripts/meshboot.mjs",
  ]);
  expect(size).toBeLessThan(600_000);
  const manifest = z
    .looseObject({ scripts: z.record(z.string(), z.string()), dependencies: z.unknown().optional() })
    .parse(JSON.parse(readFileSync(join(folder, "app/node_modules/meshboot/package.json"), "utf8")));
  expect(manifest.dependencies).toBeUndefined();
  for (const script of ["preinstall", "install", "postinstall", "prepare"])
    expect(manifest.scripts).not.toHaveProperty(script);
});

it(`runs with Node ${oldest?.version} alone`, () => {
  const meshboot = (...words: string[]) =>
    spawnSync(oldest?.node ?? "", [join(folder, "app/node_modules/.bin/meshboot"), ...words], {
      encoding: "utf8",
      cwd: folder,
      env: { HOME: folder, MESHBOOT_URL: mesh.state.url, MESHBOOT_TOKEN: mesh.state.adminToken },
    });
  expect(Number(/^v(\d+)/.exec(oldest?.version ?? "")?.[1])).toBeGreaterThanOrEqual(20);
  expect(statSync(join(folder, "app/node_modules/.bin/meshboot")).mode & 0o111).not.toBe(0);
  expect(meshboot("--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  expect(meshboot("--help")).toMatchObject({ status: 0, stderr: "" });
  expect(meshboot("servers")).toMatchObject({ status: 0, stderr: expect.stringContaining("No server yet.") });
  expect(JSON.parse(meshboot("servers", "-o", "json").stdout)).toEqual({ items: [], next: null });
});

it("has the licence of each package that is in the program", () => {
  const licences = readFileSync(join(folder, "app/node_modules/meshboot/dist/LICENSES.txt"), "utf8");
  for (const name of ["commander", "@clack/prompts", "undici", "zod", "hono"])
    expect(licences).toMatch(new RegExp(`^${name.replace("/", "\\/")} \\d`, "m"));
  expect(licences.match(/Copyright/g)?.length).toBeGreaterThan(5);
});

it("runs in a clone without being made, and says so where Node does not run its sources", () => {
  const inClone = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, join(ROOT, "scripts/meshboot.mjs"), "--version"], {
      encoding: "utf8",
    });
  expect(inClone()).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  const old = inClone("--no-strip-types");
  expect(old).toMatchObject({ status: 1, stdout: "" });
  expect(old.stderr).toContain("Node 24 is missing");
});
