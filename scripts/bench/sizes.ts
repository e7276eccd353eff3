import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Bytes of the Worker as `wrangler deploy` would upload it (all modules, no source maps), compressed with gzip. */
export function bundleGzipBytes(): number {
  const folder = mkdtempSync(join(tmpdir(), "meshboot-bundle-"));
  try {
    const wrangler = join(ROOT, "node_modules/.bin/wrangler");
    const run = spawnSync(wrangler, ["deploy", "--dry-run", "--outdir", folder], {
      cwd: ROOT,
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(`wrangler deploy --dry-run failed: ${run.stderr}`);
    return readdirSync(folder)
      .filter((name) => !name.endsWith(".map") && name !== "README.md")
      .map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length)
      .reduce((sum, bytes) => sum + bytes, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
