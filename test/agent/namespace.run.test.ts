import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { leaseText } from "./leases.ts";
import { AGENT, available, SHELLS, withDirectory } from "./shells.ts";

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
dash "$AGENT" rules >&2; mine routes_up; show
dash "$AGENT" rules >&2; mine routes_up; show
nft flush ruleset; dash "$AGENT" rules >&2; show
UNDO=yes mine rules_down
MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; use_lease "$STATE/lease"; UNDO=yes; our_routes | routes_batch | ip -batch -; tables_down'
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

// busybox's `ip` takes a filter that it does not know for none: a flush by such a filter would take every route.
it.runIf(possible).each(SHELLS)(
  "leaves every route but its own in $name, whatever its ip knows",
  ({ command }) => {
    withDirectory((root) => {
      writeFileSync(join(root, "lease"), leaseText());
      const host = `set -eu
ip link add eth0 type veth peer name wire
ip link set eth0 up && ip link set wire up
ip addr add 203.0.113.5/24 dev eth0
ip route add default via 203.0.113.1 dev eth0 proto static
ip route add 192.0.2.0/24 via 203.0.113.9 dev eth0 proto static metric 5101
ip route add unreachable 198.51.100.0/24 proto static
exec ${command.join(" ")} -c "$SCRIPT"`;
      const SCRIPT = `. "$AGENT"
use_lease "$R/lease"
look_at_docker_major() { major=26; }
before=$(ip route)
LAYOUT=compose; guard_pool >&2; ip route; echo ---
LAYOUT=split; guard_pool; [ "$(ip route)" = "$before" ] && echo as before`;
      const { stdout, stderr } = spawnSync("unshare", ["-n", "sh", "-c", host], {
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          AGENT,
          SCRIPT,
          MESHBOOT_SOURCE: "1",
          MESHBOOT_ROOT: root,
          LC_ALL: "C",
        },
      });
      const [guarded, after] = stdout.split("---\n");
      expect(guarded, stderr).toMatch(/^unreachable 172\.28\.0\.0\/16 .*metric 5101/m);
      expect(after).toBe("as before\n");
    });
  },
);
