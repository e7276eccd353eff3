import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { leaseText } from "./leases.ts";
import { AGENT, available, withDirectory } from "./shells.ts";

const tools = ["nft", "iptables", "ip6tables", "ip"].every((tool) =>
  available(tool, ["--version"], "the rules are not loaded into a kernel"),
);
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: not root, the rules are not loaded into a kernel");
const possible =
  tools && isRoot && spawnSync("unshare", ["-n", "nft", "list", "ruleset"], { stdio: "ignore" }).status === 0;
if (tools && isRoot && !possible)
  console.warn("SKIPPED: no network namespace, the rules are not loaded into a kernel");

/** In a namespace of its own, with the mesh's interface in it: prints what a step leaves behind, one part for each. */
const SCRIPT = `set -eu
ip link set lo up
ip link add ztabcdefgh type veth peer name wire
ip link set ztabcdefgh up && ip link set wire up
ip addr add 10.147.17.233/24 dev ztabcdefgh
show() { nft list ruleset; ip route; echo ---; }
mine() { MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; use_lease "$STATE/lease"; "$@"' mine "$@" >&2; }
show
dash "$AGENT" rules >&2; mine apply_routes; show
dash "$AGENT" rules >&2; mine apply_routes; show
nft flush ruleset; dash "$AGENT" rules >&2; show
UNDO=yes mine unload_rules
MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; use_lease "$STATE/lease"; UNDO=yes; our_routes | routes_batch | ip -batch -; sweep_firewall'
show
`;

it.runIf(possible)(
  "loads its rules and routes once, again after a flush, and takes all of them away",
  { timeout: 60_000 },
  () => {
    withDirectory((root) => {
      for (const directory of ["var/lib/meshboot", "etc/meshboot", "run/meshboot"]) {
        mkdirSync(join(root, directory), { recursive: true });
      }
      symlinkSync("/proc", join(root, "proc"));
      writeFileSync(join(root, "var/lib/meshboot/lease"), leaseText());
      writeFileSync(join(root, "var/lib/meshboot/interface"), "ztabcdefgh\n");
      writeFileSync(join(root, "etc/meshboot/meshboot.conf"), "URL=https://mesh.example.com\n");
      const { stdout, stderr, status } = spawnSync("unshare", ["-n", "sh", "-c", SCRIPT], {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], AGENT, MESHBOOT_ROOT: root, LC_ALL: "C" },
      });
      expect(status, stderr).toBe(0);
      const [before, loaded, again, flushed, after] = stdout.split("---\n");
      expect(loaded).toContain("table inet meshboot");
      expect(loaded?.match(/ metric 5100/g)).toHaveLength(238);
      expect(
        loaded?.match(/iifname "ztabcdefgh" ip daddr 172\.28\.233\.0\/24 counter packets 0 bytes 0 accept/g),
      ).toHaveLength(3);
      expect(again).toBe(loaded);
      expect(flushed).toContain("table inet meshboot");
      expect(after).toBe(before);
    });
  },
);
