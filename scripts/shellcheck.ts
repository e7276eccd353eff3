/** `npm run shellcheck`: every shell script of the project under shellcheck; says so loudly where the tool is missing. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

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
  .filter(
    (path) =>
      path.endsWith(".sh") || path.startsWith(".ci/") || /(^|\/)(postinst|prerm|postrm|preinst)$/.test(path),
  )
  .filter(isShell);

const run = spawnSync("shellcheck", ["--severity=style", ...scripts], { stdio: "inherit" });
if (run.error !== undefined) {
  console.error("shellcheck: not installed. Remedy: apt-get install shellcheck (or brew install shellcheck)");
  process.exit(1);
}
if (run.status === 0) console.log(`shellcheck: ${scripts.length} scripts are clean`);
process.exit(run.status ?? 1);
