import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DirectoryInUse, lockDirectory } from "../../../scripts/local/directory-lock.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "meshboot-lock-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

test("a directory belongs to one process until that one lets it go", () => {
  const unlock = lockDirectory(directory);
  expect(() => lockDirectory(directory)).toThrow(DirectoryInUse);
  expect(() => lockDirectory(directory)).toThrow(`in use by process ${process.pid}; stop that one`);
  unlock();
  lockDirectory(directory)();
});

test("a directory that cannot be made is named at once, with the remedy", () => {
  const impossible = "/proc/meshboot/state";
  expect(() => lockDirectory(impossible)).toThrow(
    /^\/proc\/meshboot\/state cannot be made \(E[A-Z]+: .*\); give another --directory$/,
  );
});

test("what a process left behind that is gone, or that holds no process id, does not count", () => {
  // The highest process id of Linux is 2^22 (proc(5), pid_max).
  for (const left of ["4194305\n", "", "not a number\n"]) {
    writeFileSync(join(directory, "lock"), left);
    lockDirectory(directory)();
  }
});
