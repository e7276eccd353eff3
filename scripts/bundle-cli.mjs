// Makes the operator's command line one file that needs nothing but Node 20, and beside it the licences of what is in it.
// Runs with npm pack; no TypeScript itself, as any Node from 20 on has to run it.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const file = process.argv[2] ?? join(ROOT, "dist/meshboot.mjs");

const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ["scripts/cli/main.ts"],
  outfile: file,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  minify: true,
  metafile: true,
  // CommonJS packages ask for Node's modules by `require`, which a module has not.
  banner: {
    js: "#!/usr/bin/env node\nimport{createRequire as requireOfThisFile}from'node:module';const require=requireOfThisFile(import.meta.url);",
  },
});
chmodSync(file, 0o755);

const folders = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
);
const licences = [...folders].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
  const [text] = readdirSync(join(ROOT, folder)).filter((each) => /^licen[cs]e/i.test(each));
  const terms = text === undefined ? license : readFileSync(join(ROOT, folder, text), "utf8").trim();
  return `${name} ${version}\n\n${terms}\n`;
});
writeFileSync(join(dirname(file), "LICENSES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
