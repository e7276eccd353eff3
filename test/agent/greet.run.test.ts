// Whom a server speaks to after zerotier-one has started, and whom it remembers for the next start.
import { describe, expect, it } from "vitest";
import { Host } from "./host.ts";
import { leaseText } from "./leases.ts";
import { AGENT, runShell, type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const NEIGHBOURS = "/var/lib/meshboot/neighbours";
/** Of the node a3b033f4db. */
const SIX = "fc9c:56c2:e3a3:b033:f4db";

/** What stands in for the kernel and for time, as functions; what they tell goes to stderr. */
interface World {
  /** What `ip neigh` says. */
  readonly neighbours?: string;
  /** Whether the interface has its address. */
  readonly isAddressed?: string;
  /** Whether a greeting of $1 is answered, as a command; it is told in any case. */
  readonly ping?: string;
  /** There is no ping, but curl, which ends with this exit code. */
  readonly curl?: number;
  /** What a pause of $1 seconds does, beside being told. */
  readonly sleep: string;
  /** Gateways of managed routes. */
  readonly gateways?: readonly string[];
}

/** A server in the mesh to which the Worker has named the nodes of slots 1 and 2. */
function inMesh(shell: Shell, directory: string, remembered?: string): Host {
  const host = new Host(directory);
  host.write("/etc/meshboot/meshboot.conf", "URL=https://mesh.example.com\n");
  host.world({ lease: `${leaseText()}PEERS=1:39f51dfb25:db1 2:a3b033f4db:app1\n` });
  host.join(shell);
  if (remembered !== undefined) host.write(NEIGHBOURS, remembered);
  return host;
}

/** What is told until it ends. */
function greet(shell: Shell, host: Host, world: World, verb = "greet"): string[] {
  const { neighbours = ":", isAddressed = ":", ping = "false", curl, sleep, gateways = [] } = world;
  const text = `MESHBOOT_SOURCE=1 . '${AGENT}'
TMP=$(mktemp -d)
rounds=0
ip() {
  case "$*" in
  '-o -4 addr show dev ztabcdefgh') if ${isAddressed}; then echo '7: ztabcdefgh    inet 10.147.17.233/24 scope global ztabcdefgh'; fi ;;
  '-4 route show dev ztabcdefgh proto static')
    echo '172.28.99.0/24 via 10.147.17.99 metric 5100'
    ${gateways.map((gateway) => `echo '172.28.7.0/24 via ${gateway} metric 5000'`).join("\n")} ;;
  'neigh show dev ztabcdefgh') ${neighbours} ;;
  *flush*) echo "ip $*" >>"$TMP/pings" ;;
  esac
}
${curl === undefined ? "" : 'has() { [ "$1" != ping ] && command -v "$1" >/dev/null; }'}
curl() { for last; do :; done; echo "curl $last" >>"$TMP/pings"; return ${curl ?? 0}; }
ping() { for last; do :; done; echo "ping $last" >>"$TMP/pings"; set -- "$last"; ${ping}; }
sleep() {
  [ ! -e "$TMP/pings" ] || { sort "$TMP/pings" >&2; rm "$TMP/pings"; }
  echo "pause $1" >&2; rounds=$((rounds + 1)); ${sleep}
}
use_saved_lease
${verb}`;
  const { status, err } = runShell(shell, text, { MESHBOOT_ROOT: host.root });
  expect(status, err).toBe(0);
  return err.trimEnd().split("\n");
}

describe.each(shellOfTheDay(import.meta.filename))("greetings in $name", { timeout: 300_000 }, (shell) => {
  it("go to those that the Worker named and that ZeroTier has routes to, until each has answered", () => {
    withDirectory((directory) => {
      // Nobody answers; at the first pause one of three does, and at the second all have.
      const neighbours = `
    echo '10.147.17.1 FAILED'
    [ $rounds = 0 ] || echo '10.147.17.2 lladdr 02:00:00:00:00:03 STALE'
    [ $rounds -lt 2 ] || echo '10.147.17.7 lladdr 02:00:00:00:00:01 STALE'
    [ $rounds -lt 2 ] || echo '10.147.17.1 lladdr 02:00:00:00:00:02 REACHABLE'`;
      const told = greet(shell, inMesh(shell, directory), {
        neighbours,
        gateways: ["10.147.17.7"],
        sleep: ":",
      });
      expect(told).toEqual([
        ...["ping 10.147.17.1", "ping 10.147.17.2", "ping 10.147.17.7", "pause 1"],
        ...["ping 10.147.17.1", "ping 10.147.17.2", "ping 10.147.17.7", "pause 2"],
        ...["ping 10.147.17.1", "ping 10.147.17.7", "pause 4"],
      ]);
    });
  });

  it("begin, and grow rare, only when the interface has its address, which may come late", () => {
    withDirectory((directory) => {
      const told = greet(shell, inMesh(shell, directory), {
        isAddressed: "[ $rounds -ge 6 ]",
        sleep: "[ $rounds -lt 9 ] || exit 0",
      });
      const pings = ["ping 10.147.17.1", "ping 10.147.17.2"];
      expect(told).toEqual([
        ...[1, 2, 4, 4, 4, 4].map((pause) => `pause ${pause}`),
        ...[8, 16, 32].flatMap((pause) => [...pings, `pause ${pause}`]),
      ]);
    });
  });

  /** All that the Worker named are in touch. */
  const named = "printf '10.147.17.%s lladdr 02:00:00:00:00:03 STALE\\n' 1 2";

  it("go to all that the server was in touch with before, by either family", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const neighbours = `${named}
    echo '10.147.17.201 lladdr 02:00:00:00:00:04 REACHABLE'
    echo '10.147.17.202 FAILED'
    echo '192.0.2.1 lladdr 02:00:00:00:00:05 REACHABLE'
    echo '${SIX}::1:2 lladdr 02:00:00:00:00:06 router STALE'
    echo '${SIX}:8000::3 lladdr 02:00:00:00:00:06 DELAY'
    echo 'fc9c:56c2:e400::1 lladdr 02:00:00:00:00:07 STALE'
    echo 'fe80::1 lladdr 02:00:00:00:00:07 STALE'`;
      const told = greet(shell, host, { neighbours, sleep: "[ $rounds -lt 2 ] || exit 0" }, "keep_in_touch");
      expect(told).toEqual(["pause 60", "pause 60"]);
      const remembered = ["10.147.17.1", "10.147.17.2", "10.147.17.201", `${SIX}::1`];
      expect(host.read(NEIGHBOURS)).toBe(remembered.map((address) => `${address} 0\n`).join(""));

      // By IPv6 ZeroTier names the kernel a neighbour at once; only one that answers is there.
      const started = `${named}; echo '${SIX}::1 lladdr 02:00:00:00:00:06 STALE'`;
      const pings = ["ping 10.147.17.201", `ping ${SIX}::1`];
      const all = ["ping 10.147.17.1", "ping 10.147.17.2", ...pings];
      const again = greet(shell, host, {
        neighbours: `${started}; [ $rounds = 0 ] || echo '10.147.17.201 lladdr 02:00:00:00:00:04 STALE'`,
        ping: "[ $rounds = 1 ]",
        sleep: ":",
      });
      expect(again).toEqual([...all, "pause 1", ...pings, "pause 2", `ping ${SIX}::1`, "pause 4"]);
    });
  });

  it("forget who has not answered in a week of them, and count by the hour", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory, `10.147.17.201 167\n10.147.17.202 3\n${SIX}::1 167\n`);
      const told = greet(shell, host, {
        neighbours: `${named}; echo '${SIX}::1 lladdr 02:00:00:00:00:06 STALE'`,
        sleep: `case $rounds in 1) echo '3599.99 1.00' ;; 2) echo '3600.00 1.00' ;; 3) exit 0 ;; esac >"$R/proc/uptime"`,
      });
      const all = ["ping 10.147.17.201", "ping 10.147.17.202", `ping ${SIX}::1`];
      expect(told).toEqual([
        ...[...all, "pause 1", ...all, "pause 2"],
        `ip -6 neigh flush to ${SIX}::1/80 dev ztabcdefgh nud stale`,
        ...["ping 10.147.17.202", "pause 4"],
      ]);
      expect(host.read(NEIGHBOURS)).toBe("10.147.17.1 0\n10.147.17.2 0\n10.147.17.202 4\n");
    });
  });

  it.each([
    ["a refusal is an answer by IPv6", 7, ["curl http://10.147.17.201:9/"]],
    ["silence is none", 28, ["curl http://10.147.17.201:9/", `curl http://[${SIX}::1]:9/`]],
  ])("are curl's where there is no ping: %s", (_, curl, again) => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory, `10.147.17.201 0\n${SIX}::1 0\n`);
      const told = greet(shell, host, {
        neighbours: `${named}; echo '${SIX}::1 lladdr 02:00:00:00:00:06 STALE'`,
        curl,
        sleep: "[ $rounds -lt 3 ] || exit 0",
      });
      const first = ["curl http://10.147.17.201:9/", `curl http://[${SIX}::1]:9/`];
      expect(told).toEqual([...first, "pause 1", ...first, "pause 2", ...again, "pause 4"]);
    });
  });

  it("remember 256 neighbours, the newest ones, and write them only where they have changed", () => {
    withDirectory((directory) => {
      const older = Array.from({ length: 256 }, (_, at) => `10.147.18.${at} 0\n`);
      const host = inMesh(shell, directory, older.join(""));
      const written = `ls -i "$R${NEIGHBOURS}" >>"$TMP/pings"`;
      const told = greet(
        shell,
        host,
        { neighbours: named, sleep: `${written}; [ $rounds -lt 3 ] || exit 0` },
        "keep_in_touch",
      );
      expect(host.read(NEIGHBOURS)).toBe(
        ["10.147.17.1 0\n", "10.147.17.2 0\n", ...older.slice(0, 254)].join(""),
      );
      const inodes = told.filter((line) => line.endsWith(NEIGHBOURS));
      expect(inodes).toHaveLength(2);
      expect(new Set(inodes).size).toBe(1);
    });
  });

  it("go to all nevertheless where nothing can be written", () => {
    withDirectory((directory) => {
      const told = greet(shell, inMesh(shell, directory), {
        neighbours: "echo '10.147.17.201 lladdr 02:00:00:00:00:04 STALE'",
        sleep: "exit 0; }; put_file() { return 1",
      });
      expect(told).toEqual(["ping 10.147.17.1", "ping 10.147.17.2", "pause 1"]);
    });
  });
});
