// What the agent sees of other networks of the host, in a namespace with the kernel's own routing tables.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaseText } from "./leases.ts";
import { AGENT, available, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 60_000 };
const isPossible =
  available("ip", ["-V"], "the host's routing tables are not looked at") &&
  spawnSync("unshare", ["-n", "true"], { stdio: "ignore" }).status === 0;
if (!isPossible) console.warn("SKIPPED: no network namespace, the host's routing tables are not looked at");

const HOST = `ip link set lo up
for pair in eth0=wg0 tun0=tailscale0 docker0=ztabcdefgh; do
  ip link add \${pair%=*} type veth peer name \${pair#*=}
  ip link set \${pair%=*} up; ip link set \${pair#*=} up
done
ip addr add 203.0.113.5/24 dev eth0
ip route add default via 203.0.113.1
ip addr add 172.28.233.1/25 dev docker0
ip addr add 10.147.17.233/24 dev ztabcdefgh
ip route add 172.28.7.0/24 via 10.147.17.7 dev ztabcdefgh proto static metric 5100
`;

/** Runs check_overlap on a host whose owner gave the commands. */
function checkOverlap(commands: string): { status: number | null; err: string } {
  return withDirectory((root) => {
    mkdirSync(join(root, "var/lib/meshboot"), { recursive: true });
    mkdirSync(join(root, "run/meshboot"), { recursive: true });
    writeFileSync(join(root, "var/lib/meshboot/lease"), leaseText());
    writeFileSync(join(root, "var/lib/meshboot/interface"), "ztabcdefgh\n");
    const agent = `. "$AGENT"; use_saved_lease; LAYOUT=split; ALLOW_OVERLAP=off; docker_networks() { :; }; look_at_network() { :; }; check_overlap`;
    const { status, stderr } = spawnSync("unshare", ["-n", "dash", "-ec", `${HOST}${commands}\n${agent}`], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], AGENT, MESHBOOT_SOURCE: "1", MESHBOOT_ROOT: root, LC_ALL: "C" },
    });
    return { status, err: stderr };
  });
}

describe.runIf(isPossible)("other networks of the host", PATIENCE, () => {
  it.each([
    ["nothing but the mesh's own", ":"],
    [
      "a VPN that takes everything, in two halves",
      "ip route add 0.0.0.0/1 dev tun0; ip route add 128.0.0.0/1 dev tun0",
    ],
    ["a VPN's default route in a table of its own", "ip route add default dev wg0 table 51820"],
    [
      "Tailscale, with a subnet elsewhere",
      "ip addr add 100.101.102.103/32 dev tailscale0; ip route add 100.64.0.0/10 dev tailscale0; ip route add 192.168.5.0/24 dev tailscale0 table 52; ip route add throw 127.0.0.0/8 table 52",
    ],
    ["a blackhole elsewhere", "ip route add blackhole 10.200.0.0/16"],
  ])("lets %s be", (_, commands) => {
    expect(checkOverlap(commands)).toEqual({ status: 0, err: "" });
  });

  it.each([
    ["an address", "ip addr add 10.147.17.9/24 dev wg0", "10.147.17.0/24 (wg0)"],
    ["a VPN's route", "ip route add 172.16.0.0/12 dev tun0", "172.16.0.0/12 (tun0)"],
    ["one host in it", "ip route add 172.28.9.9 dev wg0", "172.28.9.9/32 (wg0)"],
    [
      "a route in a table that is asked first",
      "ip route add 172.28.0.0/16 dev tailscale0 table 52",
      "172.28.0.0/16 (tailscale0)",
    ],
    ["a blackhole", "ip route add blackhole 172.16.0.0/12", "172.16.0.0/12 (blackhole)"],
    [
      "an unreachable in another table",
      "ip route add unreachable 172.28.4.0/24 table 7",
      "172.28.4.0/24 (unreachable)",
    ],
    [
      "a route over several ways",
      "ip route add 172.28.0.0/16 nexthop via 203.0.113.2 nexthop via 203.0.113.3",
      "172.28.0.0/16 (route)",
    ],
  ])("refuses %s, by name", (_, commands, named) => {
    const { status, err } = checkOverlap(commands);
    expect(status).toBe(3);
    expect(err).toContain(`${named} overlaps the mesh`);
  });
});
