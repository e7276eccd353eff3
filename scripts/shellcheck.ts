/** `npm run shellcheck`: every shell script of the project under shellcheck; says so loudly where the tool is missing. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT } from "./agent.ts";

const tracked = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
});
if (tracked.status !== 0) {
  console.error(`shellcheck: git ls-files failed: ${tracked.stderr.trim()}`);
  process.exit(1);
}

const isShell = (path: string): boolean =>
  /^#!.*\b(sh|bash|dash)\b/.test(readFileSync(path, "utf8").slice(0, 80));
const scripts = tracked.stdout
  .split("\0")
  .filter((path) => !/^cloud-init\/agent\/(?:base|steps|verbs)\//.test(path))
  .filter(
    (path) =>
      path.endsWith(".sh") || path.startsWith(".ci/") || /(^|\/)(postinst|prerm|postrm|preinst)$/.test(path),
  )
  .filter(isShell);

// The files of the agent know each other's names: only the whole can be checked.
const folder = mkdtempSync(join(tmpdir(), "meshboot-shellcheck-"));
const agent = join(folder, "meshboot");
writeFileSync(agent, AGENT.program);
const run = spawnSync("shellcheck", ["--severity=style", agent, ...scripts], { stdio: "inherit" });
rmSync(folder, { recursive: true });
if (run.error !== undefined) {
  console.error("shellcheck: not installed. Remedy: apt-get install shellcheck (or brew install shellcheck)");
  process.exit(1);
}
if (run.status === 0) console.log(`shellcheck: ${scripts.length + 1} scripts are clean`);
process.exit(run.status ?? 1);
