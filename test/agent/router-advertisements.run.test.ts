// The default route that a kernel has from router advertisements, when the agent switches forwarding on and back: with a
// true router (radvd) in a namespace beside it, whose word lasts twelve seconds, or which speaks when it is asked.
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { AGENT, available } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const isPossible =
  available("radvd", ["--version"], "no default route is learned from a router") &&
  available("nft", ["--version"], "no default route is learned from a router") &&
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

/** Of the router's words those to all are lost: what comes was asked for. As with one that speaks every few minutes. */
const TACITURN = `sed -i 's/Lifetime 12/Lifetime 1800/; s/Lifetime 24/Lifetime 3600/' "$RADVD"
ip netns exec isp nft 'table ip6 t { chain out { type filter hook output priority 0; ip6 daddr ff02::1 icmpv6 type nd-router-advert drop; }; }'
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
router() { ip netns exec isp sh -c 'echo 1 >/proc/sys/net/ipv6/conf/isp0/forwarding'; ip netns exec isp radvd --nodaemon --logmethod=none --config="$RADVD" --pidfile=/run/radvd.pid & }
global() { ip -6 -o addr show dev eth0 scope global | awk '{ print $4 }'; }
heard() { for try in $(seq 60); do ip -6 route show default | grep -q ra && return; sleep 0.25; done; }
left() { ip -6 route show default | sed -n 's/.* expires \\([0-9]*\\)sec.*/\\1/p'; }
# Until the router's word of before has been followed by another, which the kernel heeds, or is over.
renewed() { was=$(left); while now=$(left); [ -n "$now" ] && [ "$now" -le "$was" ]; do was=$now; sleep 0.25; done; }
agent() { MESHBOOT_SOURCE=1 dash -c '. "$AGENT"; set_up; make_state; '"$1" >&2; }
trap 'kill $!' EXIT
`;

async function run(script: string): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "meshboot-agent-"));
  try {
    for (const folder of ["run/meshboot", "etc/sysctl.d", "etc/network/if-up.d"])
      mkdirSync(join(root, folder), { recursive: true });
    symlinkSync("/proc", join(root, "proc"));
    const radvd = join(root, "radvd.conf");
    writeFileSync(radvd, RADVD);
    chmodSync(radvd, 0o644);
    const { stdout } = await promisify(execFile)("unshare", ["-n", "-m", "sh", "-c", HOST + script], {
      env: { PATH: process.env["PATH"], AGENT, MESHBOOT_ROOT: root, RADVD: radvd, LC_ALL: "C" },
    });
    return stdout.trimEnd().split("\n");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

// All at once: most of their time is the routers'.
describe.runIf(isPossible).concurrent("the IPv6 default route from a router", PATIENCE, () => {
  it("stays when the agent comes and when it goes, past what the router said before", async () => {
    const seen = await run(`router; heard; show before
agent sysctls_up; show up; renewed; show later
agent "sysctls_down; accept_ra_down"; show down; renewed; show later`);
    const route = "dev eth0 proto ra";
    expect(seen).toEqual([
      `before: ${route}, accept_ra 1`,
      `up: ${route}, accept_ra 2`,
      `later: ${route}, accept_ra 2`,
      `down: ${route}, accept_ra 1`,
      `later: ${route}, accept_ra 1`,
    ]);
  });

  it("comes also when the router speaks up later", async () => {
    expect(await run("agent sysctls_up; show up; router; heard; show later")).toEqual([
      "up: , accept_ra 2",
      "later: dev eth0 proto ra, accept_ra 2",
    ]);
  });

  it("would be lost without accept_ra=2", async () => {
    const forwards = "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
    expect(await run(`router; heard; show before; ${forwards}; show after`)).toEqual([
      "before: dev eth0 proto ra, accept_ra 1",
      "after: , accept_ra 1",
    ]);
  });

  it("is asked for by up, where it was lost and the next advertisement is minutes away", async () => {
    const script = `router; heard; address=$(global); echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; show lost
agent sysctls_up; heard; show up
[ "$(global)" = "$address" ] && echo "the same address; $(ip token get dev eth0)"
agent sysctls_up`;
    expect(await run(TACITURN + script)).toEqual([
      "lost: , accept_ra 1",
      "up: dev eth0 proto ra, accept_ra 2",
      "the same address; token :: dev eth0",
    ]);
  });

  /** What \`ifdown eth0; ifup eth0\` does where the stanza says \`inet6 dhcp\` or \`accept_ra 1\`, with the hooks behind it. */
  const IFUPDOWN = `mount --bind "$MESHBOOT_ROOT/etc/sysctl.d" /etc/sysctl.d
ifup() { :; }
hook() { IFACE=$1 MODE=start PHASE=post-up sh "$MESHBOOT_ROOT/etc/network/if-up.d/meshboot" 2>&1 || echo "ifup fails: $?"; }
# Its hooks come when the kernel has an address, and has not asked for a router, as it does then, since it did not listen.
settled() { until ip -6 addr show dev eth0 scope link -tentative | grep -q inet6; do sleep 0.1; done; }
again() { ip link set eth0 down; echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra; ip link set eth0 up; settled; hook --all; hook lo; hook eth0; }
`;
  const INSTALL = 'agent "has() { :; }; sysctls_up; ifupdown_up"';

  it("is back after ifupdown has written over accept_ra, without a word from a router that is silent for minutes", async () => {
    const script = `${IFUPDOWN}router; heard; show before; ${INSTALL}
again; heard; show again; [ -n "$(global)" ] && echo "an address"; hook eth0; show twice
${'agent "sysctls_down; accept_ra_down; drop_files /"'}; ls "$MESHBOOT_ROOT/etc/network/if-up.d"`;
    const route = "dev eth0 proto ra";
    expect(await run(TACITURN + script)).toEqual([
      `before: ${route}, accept_ra 1`,
      `again: ${route}, accept_ra 2`,
      "an address",
      `twice: ${route}, accept_ra 2`,
    ]);
  });

  it("would stay away without the hook", async () => {
    const script = `${IFUPDOWN}router; heard; ${INSTALL}
printf 'exit 0' >"$MESHBOOT_ROOT/etc/network/if-up.d/meshboot"; again; heard; show again`;
    expect(await run(TACITURN + script)).toEqual(["again: , accept_ra 1"]);
  });

  it("is nothing to the hook where the agent did not set accept_ra, where it is 0, or the device is gone", async () => {
    const script = `${IFUPDOWN}router; heard; ${INSTALL}
ip link add eth1 type veth peer name wire1; echo 1 >/proc/sys/net/ipv6/conf/eth1/accept_ra
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra
hook eth1; hook eth0; hook eth7; cat /proc/sys/net/ipv6/conf/eth[01]/accept_ra
rm /etc/sysctl.d/90-meshboot.conf; echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra; hook eth0; cat /proc/sys/net/ipv6/conf/eth0/accept_ra`;
    expect(await run(TACITURN + script)).toEqual(["0", "1", "1"]);
  });

  it("leaves a token of the user's own as it is, and with it the address", async () => {
    const script = `${IFUPDOWN}ip token set ::7 dev eth0; router; heard; address=$(global); ${INSTALL}
echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra; hook eth0; [ "$(global)" = "$address" ] && ip token get dev eth0`;
    expect(await run(TACITURN + script)).toEqual(["token ::7 dev eth0"]);
  });
});
