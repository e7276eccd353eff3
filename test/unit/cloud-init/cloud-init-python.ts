import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** cloud-init's own Python, which is not always the first one on the PATH; undefined where there is none. */
function findPython(): string | undefined {
  const found = spawnSync("sh", ["-c", "command -v cloud-init"], { encoding: "utf8" }).stdout.trim();
  if (!existsSync(found)) return undefined;
  const python = /^#!(\S+)/.exec(readFileSync(found, "utf8"))?.[1];
  return python !== undefined && spawnSync(python, ["-c", "import cloudinit"]).status === 0
    ? python
    : undefined;
}

/** See findPython; looked for once. */
export const PYTHON = findPython();

/** Runs a Python program beside the tests with cloud-init's own code at hand; gives what it prints. */
export function runPython(program: URL, input: string): string {
  const result = spawnSync(PYTHON ?? "", [program.pathname], {
    input,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout;
}
