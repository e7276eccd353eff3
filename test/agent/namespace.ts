// The agent in a network namespace of its own: under a root of its own, with the real kernel, nft, iptables and ip.
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { leaseText } from "./leases.ts";
import { AGENT, available } from "./shells.ts";

/** Whether this machine can run it; when it cannot, says loudly which tests do not run. */
export function hasNamespaces(without: string): boolean {
  const tools = ["nft", "iptables", "ip6tables", "ip"];
  if (!tools.every((tool) => available(tool, ["--version"], without))) return false;
  const { status } = spawnSync("unshare", ["-n", "-m", "nft", "list", "ruleset"], { stdio: "ignore" });
  if (status !== 0) console.warn(`SKIPPED: not root, or no network namespace: ${without}`);
  return status === 0;
}

/** A server's root with a lease in it, and whatever else is given by its path; `bin` stands first in PATH. */
export function layRoot(root: string, files: Readonly<Record<string, string>> = {}): void {
  const all = {
    "var/lib/meshboot/lease": leaseText(),
    "var/lib/meshboot/interface": "ztabcdefgh\n",
    "etc/meshboot/meshboot.conf": "URL=https://mesh.example.com\n",
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: path.startsWith("bin/") ? 0o755 : 0o644 });
  }
  mkdirSync(join(root, "run/meshboot"), { recursive: true });
  symlinkSync("/proc", join(root, "proc"));
}

/** Runs shell text there, with the agent's program in $AGENT. All that it leaves running ends with it, and it after five minutes. */
export function inNamespace(
  root: string,
  script: string,
  environment: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  return spawnSync("unshare", ["-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", script], {
    encoding: "utf8",
    timeout: 300_000,
    killSignal: "SIGKILL",
    env: {
      PATH: `${root}/bin:${process.env["PATH"]}`,
      AGENT,
      MESHBOOT_ROOT: root,
      LC_ALL: "C",
      ...environment,
    },
  });
}
