import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The folder of this project. */
export const PROJECT = join(import.meta.dirname, "..", "..");

/** What a Worker is bundled of and started by. */
const PARTS = ["worker", "cloud-init", "scripts", "package.json", "wrangler.jsonc", "tsconfig.json"];

/** In one file, what is there once and what takes its place. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Makes in `folder`, which is not there yet, a copy of what the Worker is made of, with something changed: another release
 * of it, for Servers.deploy. Throws when an edit does not find its text exactly once, as the release would be the same one.
 */
export function copyProject(folder: string, edits: readonly Edit[]): string {
  mkdirSync(folder);
  for (const part of PARTS) cpSync(join(PROJECT, part), join(folder, part), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    const parts = readFileSync(path, "utf8").split(from);
    if (parts.length !== 2) throw new Error(`${file} has ${JSON.stringify(from)} ${parts.length - 1} times`);
    writeFileSync(path, parts.join(to));
  }
  return folder;
}
