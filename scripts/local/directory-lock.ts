import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";

/** The directory is in use by another process. */
export class DirectoryInUse extends Error {}

/**
 * Takes the directory for this process; gives what releases it. Two Workers on one storage would lease from one
 * pool without knowing of each other. A lock whose process is gone does not count. Throws DirectoryInUse,
 * or an error with the remedy when the directory cannot be made.
 */
export function lockDirectory(directory: string): () => void {
  try {
    makeFolder(directory);
  } catch (error) {
    throw new Error(
      `${directory} cannot be made (${error instanceof Error ? error.message : error}); give another --directory`,
    );
  }
  const path = join(directory, "lock");
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new DirectoryInUse(
        `${directory} is in use by process ${holder}; stop that one, or give another --directory`,
      );
    }
    rmSync(path, { force: true });
  }
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
