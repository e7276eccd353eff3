// What the agent sees of other networks of the host, in a namespace with the kernel's own routing tables.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaseText } from "./leases.ts";
import { AGENT, available, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const isPossible =
  available("ip", ["-V"], "the host's routing tables are not looked at") &&
  spawnSync("unshare", ["-n", "true"], { stdio: "ignore" }).status === 0;
if (!isPossible) console.warn("SKIPPED: no network namespace, the host's routing tables are not looked at");

const HOST = `ip link set lo up
for pair in eth0=wg0 tun0=tailscale0 docker0=warp-net; do
  ip link add \${pair%=*} type veth peer name \${pair#*=}
  ip link set \${pair%=*} up; ip link set \${pair#*=} up
done
ip addr add 203.0.113.5/24 dev eth0
ip route add default via 203.0.113.1
bridge() { ip link add $1 type bridge; ip addr add $2 dev $1; ip link set $1 up; }
`;
const IN_MESH = `ip addr add 172.28.233.1/25 dev docker0
ip addr add 10.147.17.233/24 dev warp-net
ip route add 172.28.7.0/24 via 10.147.17.7 dev warp-net proto static metric 5100
`;

/** What check_overlap says of a host whose owner gave the commands. */
interface Seen {
  readonly status: number | null;
  readonly err: string;
  /** The exit code that the run is to end with; empty where it goes well. */
  readonly end: string;
  /** To how many other servers the agent would have a route. */
  readonly routes: number;
}

function checkOverlap(commands: string, isInMesh = false, docker = ""): Seen {
  return withDirectory((root) => {
    mkdirSync(join(root, "var/lib/meshboot"), { recursive: true });
    mkdirSync(join(root, "run/meshboot"), { recursive: true });
    writeFileSync(join(root, "var/lib/meshboot/lease"), leaseText());
    if (isInMesh) writeFileSync(join(root, "var/lib/meshboot/interface"), "warp-net\n");
    const agent = `. "$AGENT"; set_up; use_saved_lease; LAYOUT=split; ALLOW_OVERLAP=off; look_at_network() { :; }
docker_networks() { [ -z "${docker}" ] || echo 'docker ${docker}'; }
check_overlap; routes_batch </dev/null | grep -c replace; [ ! -e "$TMP/end" ] || head -n 1 "$TMP/end"`;
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      ["-n", "dash", "-ec", `${HOST}${isInMesh ? IN_MESH : ""}${commands}\n${agent}`],
      {
        encoding: "utf8",
        env: { PATH: process.env["PATH"], AGENT, MESHBOOT_SOURCE: "1", MESHBOOT_ROOT: root, LC_ALL: "C" },
      },
    );
    const [routes = "", end = ""] = stdout.trim().split("\n");
    return { status, err: stderr, end, routes: Number(routes) };
  });
}

const WELL: Seen = { status: 0, err: "", end: "", routes: 238 };

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
    [
      "a provider's private network that is wider than the mesh",
      "ip addr add 10.0.0.2/32 dev tun0; ip route add 10.0.0.1 dev tun0; ip route add 10.0.0.0/8 via 10.0.0.1 dev tun0",
    ],
    ["a VPN's route that is wider", "ip route add 172.16.0.0/12 dev tun0"],
    ["a wider blackhole", "ip route add blackhole 172.16.0.0/12"],
    ["what only sends on to the main table", "ip route add throw 172.28.0.0/16 table 52"],
    [
      "next hops elsewhere",
      "ip nexthop add id 12 via 203.0.113.9 dev eth0; ip route replace default nhid 12; ip route add 192.0.2.0/24 nexthop via 203.0.113.2 nexthop via 203.0.113.3",
    ],
  ])("lets %s be, before and in the mesh", (_, commands) => {
    expect(checkOverlap(commands)).toEqual(WELL);
    expect(checkOverlap(commands, true)).toEqual(WELL);
  });

  it.each([
    [
      "Docker's, with a name of its owner's",
      "bridge web0 172.28.233.129/28",
      "172.28.233.128/28 bridge shop",
    ],
    ["Swarm's", "bridge docker_gwbridge 172.28.233.145/28", "172.28.233.144/28 bridge docker_gwbridge"],
    ["the operator's own bridge", "bridge lxdbr0 172.28.233.161/28", ""],
    ["a VPN for clients", "ip addr add 172.28.233.200/29 dev wg0", ""],
    [
      "a way to one of its containers",
      "bridge web0 172.28.233.129/28; ip route add 192.168.9.0/24 via 172.28.233.130",
      "",
    ],
  ])("lets a network inside the own lease be, %s", (_, commands, docker) => {
    expect(checkOverlap(commands, true, docker)).toEqual(WELL);
  });

  const cards = "tun0 is one of the server's own networks, which has to stay";
  it.each([
    ["an address", "ip addr add 10.147.17.9/24 dev tun0", "10.147.17.0/24 (tun0)", cards],
    [
      "a network of its own",
      "ip route add 172.28.0.0/16 via 203.0.113.2 dev eth0 proto dhcp",
      "172.28.0.0/16 (eth0)",
      "eth0 is one of the server's own networks",
    ],
    [
      "a VPN's route",
      "ip tuntap add vpn mode tun; ip link set vpn up; ip route add 172.28.0.0/17 dev vpn",
      "172.28.0.0/17 (vpn)",
      "AllowedIPs",
    ],
    [
      "one host in it",
      "ip route add 172.28.9.9 dev tun0",
      "172.28.9.9/32 (tun0)",
      "ip route del 172.28.9.9/32 dev tun0, and what sets it",
    ],
    [
      "a route in a table that is asked first",
      "ip route add 172.28.0.0/16 dev tun0 table 52",
      "172.28.0.0/16 (tun0, table 52)",
      "ip route del 172.28.0.0/16 dev tun0 table 52, and what sets it",
    ],
    [
      "a wider one there, which wins there",
      "ip route add 172.16.0.0/12 dev tun0 table 52",
      "172.16.0.0/12 (tun0, table 52)",
      "ip route del 172.16.0.0/12 dev tun0 table 52",
    ],
    [
      "a blackhole",
      "ip route add blackhole 172.28.0.0/16",
      "172.28.0.0/16 (blackhole)",
      "ip route del blackhole 172.28.0.0/16, and what sets it",
    ],
    [
      "an unreachable in another table",
      "ip route add unreachable 172.28.4.0/24 table 7",
      "172.28.4.0/24 (unreachable, table 7)",
      "ip route del unreachable 172.28.4.0/24 table 7, and",
    ],
    [
      "a route over several ways",
      "ip route add 172.28.0.0/16 nexthop via 203.0.113.2 nexthop via 203.0.113.3",
      "172.28.0.0/16 (route)",
      "ip route del 172.28.0.0/16, and",
    ],
    [
      "a bridge",
      "bridge virbr0 172.28.4.1/24",
      "172.28.4.0/24 (virbr0)",
      "give the bridge virbr0 other addresses",
    ],
    [
      "a bridge that is wider, whose other end may be anywhere",
      "bridge virbr0 10.0.0.1/8",
      "10.0.0.0/8 (virbr0)",
      "give the bridge virbr0",
    ],
    [
      "an address of its own in a wider network",
      "ip addr add 10.147.17.9/8 dev tun0",
      "10.147.17.9/32 (address of tun0)",
      cards,
    ],
    [
      "a gateway by a next hop of its own",
      "ip nexthop add id 12 via 172.28.0.1 dev eth0 onlink; ip route replace default nhid 12",
      "172.28.0.1/32 (gateway)",
      "the provider gives it; or allow it: ALLOW_OVERLAP=on in ",
    ],
    [
      "one of several gateways",
      "ip route replace default nexthop via 203.0.113.1 dev eth0 nexthop via 172.28.0.1 dev eth0 onlink",
      "172.28.0.1/32 (gateway)",
      "the provider gives it; or allow it: ALLOW_OVERLAP=on in ",
    ],
  ])("refuses before it is in the mesh %s, by name, with its own remedy", (_, commands, named, remedy) => {
    const { status, err } = checkOverlap(commands);
    expect(status).toBe(3);
    expect(err).toContain(`${named} overlaps the mesh`);
    expect(err).toContain(remedy);
    // What a Worker with leases does not take is no remedy on its own.
    expect(err).toContain(
      "a key made with allowOverlap. Other ranges (ZEROTIER_RANGE, DOCKER_POOL) it takes only while it has no lease",
    );
    expect(err.includes("ip route del")).toBe(remedy.includes("ip route del"));
  });

  it("refuses a Docker network, also a wider one, by Docker's name for it", () => {
    const four = checkOverlap("bridge web0 172.28.4.1/24", false, "172.28.4.0/24 bridge shop");
    expect(four.status).toBe(3);
    expect(four.err).toContain("172.28.4.0/24 (the Docker network shop) overlaps the mesh");
    expect(four.err).toContain("docker network rm shop");
    const wide = checkOverlap("bridge web0 172.16.0.1/12", false, "172.16.0.0/12 bridge shop");
    expect(wide.err).toContain("172.16.0.0/12 (the Docker network shop) overlaps the mesh");
  });

  it.each([
    ["what wins by itself", "bridge web0 172.28.4.1/24", 238],
    ["a bridge that ours would cut off", "bridge web0 172.28.16.1/20", 222],
    ["a network card's", "ip addr add 172.28.128.9/17 dev eth0", 127],
    ["nothing of a blackhole", "ip route add blackhole 172.28.0.0/16", 238],
    ["nothing of another table", "ip route add 172.28.0.0/16 dev tun0 table 52", 238],
    ["its own address in a wider network", "ip addr add 172.28.9.9/12 dev tun0", 237],
  ])("in the mesh names what overlaps, spares %s, and goes on", (_, commands, routes) => {
    const { err, ...seen } = checkOverlap(commands, true);
    expect(seen).toEqual({ status: 0, end: "3", routes });
    expect(err).toMatch(/overlaps the mesh .*All else goes on/);
  });
});
