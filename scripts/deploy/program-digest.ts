import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "./wrangler.ts";

/** SHA-256 over the Worker's program, which wrangler has bundled into the folder, and its configuration: what is deployed, in one word. */
export function digestOfBundle(folder: string, config: object): string {
  // The texts that the program imports are beside it, and their digests are in the names that it imports them by.
  return createHash("sha256")
    .update(readFileSync(join(folder, "main.js")))
    .update(JSON.stringify(config))
    .digest("hex");
}

/** The same of this checkout, with nothing deployed. */
export async function digestHere(root: string, config: object): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "meshboot-bundle-"));
  try {
    await mustRun("Bundling the Worker", ["deploy", "--dry-run", "--outdir", folder], { root });
    return digestOfBundle(folder, config);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
