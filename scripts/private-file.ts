import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Puts a text into a file that its owner alone may read, whole or not at all. `isNew`: throws when there is one by that name. */
export function writePrivately(file: string, text: string, isNew = false): void {
  const unfinished = `${file}.${randomBytes(6).toString("hex")}`;
  const open = openSync(unfinished, "wx", 0o600);
  try {
    writeFileSync(open, text);
    fsyncSync(open);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(open);
  }
  if (!isNew) {
    renameSync(unfinished, file);
    return;
  }
  try {
    linkSync(unfinished, file);
  } finally {
    rmSync(unfinished);
  }
}
