import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { secretKind } from "../../worker/base/secret.ts";
import { makeFolder } from "../make-folder.ts";

const devState = z.object({
  url: z.string(),
  adminToken: z.string().refine((text) => secretKind(text) === "mba"),
  enrolmentKey: z.string(),
  network: z.string(),
  centralUrl: z.string(),
  centralToken: z.string(),
});

/** What DIR/dev.json holds, for tools and for the next start. */
export type DevState = z.infer<typeof devState>;

/** What an earlier start left in the directory; undefined when there is nothing usable. */
export function readDevState(directory: string): DevState | undefined {
  try {
    const read = devState.safeParse(JSON.parse(readFileSync(join(directory, "dev.json"), "utf8")));
    return read.success ? read.data : undefined;
  } catch {
    // Absent, or cut off by a crash: both mean a first start.
    return undefined;
  }
}

/** Writes DIR/dev.json, whole or not at all; it holds secrets, so only the owner may read it. */
export function writeDevState(directory: string, state: DevState): void {
  makeFolder(directory);
  const path = join(directory, "dev.json");
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
