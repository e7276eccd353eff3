// The default route that a kernel has from router advertisements, when the agent switches forwarding on and back: with a
// true router (radvd) in a namespace beside it, whose word lasts twelve seconds.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AGENT, available, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 180_000 };
const isPossible =
  available("radvd", ["--version"], "no default route is learned from a router") &&
  available("ip", ["-V"], "no default route is learned from a router") &&
  spawnSync("unshare", ["-n", "-m", "true"], { stdio: "ignore" }).status === 0;
if (!isPossible) console.warn("SKIPPED: no default route is learned from a router in a namespace");

const RADVD = `interface isp0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvDefaultLifetime 12;
  prefix 2001:db8:9::/64 { AdvValidLifetime 24; AdvPreferredLifetime 12; };
};
`;

/** eth0 of a host, the other end at its provider; \`show\` names what is looked at, and gives the default route. */
const HOST = `set -eu
mount -t tmpfs none /run && mkdir /run/netns
ip netns add isp
ip link add eth0 type veth peer name isp0 netns isp
ip -n isp addr add 2001:db8:9::1/64 dev isp0 nodad
ip -n isp link set isp0 up
ip link set eth0 up
ip addr add 192.0.2.2/24 dev eth0 && ip route add default via 192.0.2.1
show() { echo "$1: $(ip -6 route show default | cut -d' ' -f 4-7), accept_ra $(cat /proc/sys/net/ipv6/conf/eth0/accept_ra)"; }
router() { ip netns exec isp radvd --nodaemon --logmethod=none --config="$RADVD" --pidfile=/run/radvd.pid & }
heard() { for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do ip -6 route show default | grep -q ra && return; sleep 1; done; }
agent() { MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; make_state; '"$1" >&2; }
trap 'kill $!' EXIT
`;

function run(script: string): string[] {
  return withDirectory((root) => {
    mkdirSync(join(root, "run/meshboot"), { recursive: true });
    symlinkSync("/proc", join(root, "proc"));
    const radvd = join(root, "radvd.conf");
    writeFileSync(radvd, RADVD);
    chmodSync(radvd, 0o644);
    const { stdout, stderr, status } = spawnSync("unshare", ["-n", "-m", "sh", "-c", HOST + script], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], AGENT, MESHBOOT_ROOT: root, RADVD: radvd, LC_ALL: "C" },
    });
    expect(status, stderr).toBe(0);
    return stdout.trimEnd().split("\n");
  });
}

describe.runIf(isPossible)("the IPv6 default route from a router", PATIENCE, () => {
  it("stays when the agent comes and when it goes, past what the router said before", () => {
    const seen = run(`router; heard; show before
agent sysctls_up; show up; sleep 15; show later
agent "sysctls_down; accept_ra_down"; show down; sleep 15; show later`);
    const route = "dev eth0 proto ra";
    expect(seen).toEqual([
      `before: ${route}, accept_ra 1`,
      `up: ${route}, accept_ra 2`,
      `later: ${route}, accept_ra 2`,
      `down: ${route}, accept_ra 1`,
      `later: ${route}, accept_ra 1`,
    ]);
  });

  it("comes also when the router speaks up later", () => {
    expect(run("agent sysctls_up; show up; router; heard; show later")).toEqual([
      "up: , accept_ra 2",
      "later: dev eth0 proto ra, accept_ra 2",
    ]);
  });

  it("would be lost without accept_ra=2", () => {
    const forwards = "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
    expect(run(`router; heard; show before; ${forwards}; show after`)).toEqual([
      "before: dev eth0 proto ra, accept_ra 1",
      "after: , accept_ra 1",
    ]);
  });
});
