// Whom a server finds to reach, by the real ping between two network namespaces; and how its reports tell it.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Host } from "./host.ts";
import { leaseText } from "./leases.ts";
import { hasNamespaces, inNamespace, layRoot } from "./namespace.ts";
import {
  AGENT,
  available,
  runShell,
  runWithAgent,
  type Shell,
  shellOfTheDay,
  withDirectory,
} from "./shells.ts";

const ANSWERS = { answers: true, rttMs: expect.any(Number), loss: 0, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };

/** A second server, db1 in slot 1, at the other end of a wire that is the mesh; nobody is in slot 2. The routes are as the agent's. */
const WIRED = `set -eu
mount -t tmpfs none /run
ip link set lo up
ip netns add db1
ip link add ztabcdefgh mtu 2800 type veth peer name mesh mtu 2800 netns db1
ip link add docker0 type bridge
ip addr add 10.147.17.233/24 dev ztabcdefgh
ip addr add fc9c:56c2:e34e:8d87:c868::1/40 dev ztabcdefgh nodad
ip addr add 172.28.233.1/25 dev docker0
ip link set docker0 up; ip link set ztabcdefgh up
ip route add 172.28.1.0/24 via 10.147.17.1
ip route add 172.28.2.0/24 via 10.147.17.2
ip -n db1 link set lo up; ip -n db1 link set mesh up
ip -n db1 addr add 10.147.17.1/24 dev mesh
ip -n db1 addr add fc9c:56c2:e339:f51d:fb25::1/40 dev mesh nodad
ip -n db1 addr add 172.28.1.1/32 dev lo
ip -n db1 route add 172.28.233.0/24 via 10.147.17.233
`;

/** busybox has a ping of its own, which its shell would take. */
const PROBE = `export PING=$(PATH="$MESHBOOT_ROOT/bin:/usr/bin:/bin" && command -v ping)
MESHBOOT_SOURCE=1 $SHELL_OF_DAY -c '. "$AGENT"
ping() { "$PING" "$@"; }
set_up; use_saved_lease; eval "\${MEANWHILE:-}"
printf "%s\\n" "$NAMED" >"$RUN/to-probe"
probe'
cat "$MESHBOOT_ROOT/run/meshboot/probes"
`;

const Probes = z.object({
  fault: z.string().nullable(),
  pairs: z.array(z.object({ to: z.string(), ipv4: z.unknown(), ipv6: z.unknown(), path: z.unknown() })),
});

/** What stands in for zerotier-one, in its own words. */
const PEERS = `#!/bin/sh
[ "$1" = peers ] || exit 1
cat <<'END'
200 peers
<ztaddr>   <ver>  <role> <lat> <link>   <lastTX> <lastRX> <path>
39f51dfb25 1.14.1 LEAF       8 DIRECT   2588     2116     203.0.113.2/9993
778cde7190 -      PLANET     8 DIRECT   2588     212116   103.195.103.66/9993
a3b033f4db 1.14.1 LEAF      -1 RELAY
END
`;

const possible = hasNamespaces("no server is probed") && available("ping", ["-V"], "no server is probed");

describe.runIf(possible).each(shellOfTheDay(import.meta.filename))(
  "probes in $name",
  { timeout: 120_000 },
  (shell) => {
    /** What is found of those, after something was done to the mesh. */
    function probe(named: string, done = "", conf = "", meanwhile = ""): z.output<typeof Probes> {
      let found = "";
      withDirectory((root) => {
        const settings = `URL=https://mesh.example.com\n${conf}`;
        layRoot(root, {
          "etc/meshboot/meshboot.conf": settings,
          "bin/zerotier-cli": PEERS,
          "sys/class/net/ztabcdefgh/mtu": "2800\n",
        });
        const script = `${WIRED}${done}\n${PROBE}`;
        const { stdout, stderr, status } = inNamespace(root, script, {
          NAMED: named,
          SHELL_OF_DAY: pathOf(shell),
          MEANWHILE: meanwhile,
        });
        expect(status, stderr).toBe(0);
        found = stdout;
      });
      const [, uptime, json] = /^(\d+) (.*)\n$/.exec(found) ?? [];
      expect(Number(uptime)).toBeGreaterThan(0);
      return Probes.parse(JSON.parse(`{${json}}`));
    }

    it("find who answers, by both families, whole packets and by which way", () => {
      expect(probe("1:39f51dfb25")).toEqual({
        fault: null,
        pairs: [{ to: "39f51dfb25", ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" }],
      });
    });

    it("find who does not, and by one family alone", () => {
      const closed =
        "ip netns exec db1 nft 'add table ip6 f; add chain ip6 f i { type filter hook input priority 0; }; add rule ip6 f i icmpv6 type echo-request drop'";
      expect(probe("1:39f51dfb25 2:a3b033f4db", closed).pairs).toEqual([
        { to: "39f51dfb25", ipv4: ANSWERS, ipv6: SILENT, path: "direct" },
        { to: "a3b033f4db", ipv4: SILENT, ipv6: SILENT, path: "relayed" },
      ]);
    });

    it("say that whole packets are lost where a small one passes, and which size is not too large where somebody names it", () => {
      const lossy =
        "ip netns exec db1 nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i meta length > 1400 drop'";
      const lost = { ...ANSWERS, mtu: null };
      expect(probe("1:39f51dfb25", lossy).pairs).toMatchObject([{ ipv4: lost, ipv6: lost }]);
      const narrow = "ip route change 172.28.1.0/24 via 10.147.17.1 mtu lock 1400";
      expect(probe("1:39f51dfb25", narrow).pairs).toMatchObject([
        { ipv4: { ...ANSWERS, mtu: 1400 }, ipv6: ANSWERS },
      ]);
    });

    it("go from the containers' own address: who has no way back to it does not answer", () => {
      const noWay = "ip -n db1 route del 172.28.233.0/24";
      expect(probe("1:39f51dfb25", noWay).pairs).toMatchObject([{ ipv4: SILENT, ipv6: ANSWERS }]);
    });

    it("are as large as what containers send", () => {
      expect(probe("1:39f51dfb25", "", "MTU=auto\n").pairs).toMatchObject([
        { ipv4: { ...ANSWERS, mtu: 2800 } },
      ]);
    });

    it("go by the lease as it is now, when the watch began with another slot", () => {
      expect(probe("1:39f51dfb25", "", "", "SUBNET4=172.28.7.0/24 L_SLOT=7").pairs).toMatchObject([
        { ipv4: ANSWERS },
      ]);
    });

    it("say why there are none", () => {
      expect(probe("1:39f51dfb25", "ip addr flush dev docker0")).toEqual({ fault: "no-gateway", pairs: [] });
      const another =
        'printf "#!/bin/sh\\necho inetutils\\n" >"$MESHBOOT_ROOT/bin/ping"; chmod 755 "$MESHBOOT_ROOT/bin/ping"';
      expect(probe("1:39f51dfb25", another)).toEqual({ fault: "no-ping", pairs: [] });
    });

    it("leave out what is no other server of the pool", () => {
      expect(probe("233:4e8d87c868 254:39f51dfb25 1:39f51dfb25").pairs).toHaveLength(1);
    });
  },
);

const pathOf = ({ command }: Shell): string => command.join(" ");

describe.each(shellOfTheDay(import.meta.filename))("probing in $name", (shell) => {
  it("finds nobody new where nobody can be probed: that is told by the hourly report alone", () => {
    const isNew = (probes: string) =>
      withDirectory((root) => {
        layRoot(root, {
          "run/meshboot/probes": `10 ${probes}\n`,
          "run/meshboot/to-probe": "1:39f51dfb25 \n",
        });
        return runWithAgent(shell, "names_newcomer && echo new", { MESHBOOT_ROOT: root }).out;
      });
    expect(isNew('"fault":null,"pairs":[]')).toBe("new\n");
    expect(isNew('"fault":"no-ping","pairs":[]')).toBe("");
  });

  it("follows a report: what is found after a start, or of a newcomer, is told at once, and else just before the next report", () => {
    withDirectory((root) => {
      layRoot(root, { "bin/told": '#!/bin/sh\necho "runs $*"\n' });
      // The Worker names somebody before the second look, again before the fourth, and one more before the sixth.
      const text = `. "$AGENT"
looks=0
sleep() {
  echo "pause $1"
  [ "$1" = 60 ] || return 0
  looks=$((looks + 1))
  case $looks in 2 | 4) echo 1:39f51dfb25 >"$RUN/to-probe" ;; 6) echo 1:39f51dfb25 2:a3b033f4db >"$RUN/to-probe" ;; 7) exit 0 ;; esac
}
probe() { rm "$RUN/to-probe"; echo "10 \\"to\\":\\"39f51dfb25\\"" >"$RUN/probes"; echo probes; }
keep_probing`;
      const { out, err, status } = runShell(
        shell,
        `exec ${shell.command.join(" ")} -c '${text}' '${root}/bin/told'`,
        { MESHBOOT_ROOT: root, MESHBOOT_SOURCE: "1", AGENT },
      );
      expect(status, err).toBe(0);
      expect(out.trimEnd().split("\n")).toEqual([
        ...["pause 60", "pause 60", "pause 0", "probes", "runs heartbeat"],
        ...["pause 60", "pause 60", "pause 3300", "probes"],
        ...["pause 60", "pause 60", "pause 0", "probes", "runs heartbeat", "pause 60"],
      ]);
    });
  });
});

describe.each(shellOfTheDay(import.meta.filename))("reports in $name", { timeout: 300_000 }, (shell) => {
  const FOUND = `"fault":null,"pairs":[{"to":"39f51dfb25","ipv4":null,"ipv6":null,"path":null}]`;

  function inMesh(directory: string, conf = ""): Host {
    const host = new Host(directory);
    host.write("/etc/meshboot/meshboot.conf", `URL=https://mesh.example.com\n${conf}`);
    host.world({
      lease: `${leaseText()}PEERS=1:39f51dfb25:db1\nPROBE=1:39f51dfb25 0:39f51dfb25 1;reboot:39f51dfb25 3:../39f51df 2:a3b033f4db\n`,
    });
    host.join(shell);
    host.world({ requests: "" });
    return host;
  }

  /** What the last report says of probes. */
  const told = (host: Host): unknown => {
    const body = /^\{"state".*$/m.exec(host.seen("requests"))?.[0] ?? "{}";
    return z.object({ probes: z.unknown().optional() }).parse(JSON.parse(body)).probes;
  };

  it("tell what was found and how long ago, and nothing before a first probe", () => {
    withDirectory((directory) => {
      const host = inMesh(directory);
      host.run(shell, "heartbeat");
      expect(told(host)).toEqual({ pairs: [] });
      host.write("/run/meshboot/probes", `10 ${FOUND}\n`);
      host.write("/proc/uptime", "130.45 80.00\n");
      host.world({ requests: "" });
      host.run(shell, "heartbeat");
      expect(told(host)).toEqual({ secondsAgo: 120, ...JSON.parse(`{${FOUND}}`) });
    });
  });

  it("tell nothing that is older than a day: the Worker takes no such report", () => {
    withDirectory((directory) => {
      const host = inMesh(directory);
      host.write("/run/meshboot/probes", `10 ${FOUND}\n`);
      host.write("/proc/uptime", "86410.00 80.00\n");
      host.run(shell, "heartbeat");
      expect(told(host)).toEqual({ pairs: [] });
    });
  });

  it("keep whom the Worker names, as far as these are slots and nodes; that is no change of the lease", () => {
    withDirectory((directory) => {
      const host = inMesh(directory);
      expect(host.read("/run/meshboot/to-probe")).toBe("1:39f51dfb25 2:a3b033f4db \n");
      expect(host.read("/var/lib/meshboot/lease")).not.toContain("PROBE");
    });
  });

  it("say nothing of it with PROBES=off", () => {
    withDirectory((directory) => {
      const host = inMesh(directory, "PROBES=off\n");
      host.write("/run/meshboot/probes", `10 ${FOUND}\n`);
      host.run(shell, "heartbeat");
      expect(told(host)).toBeUndefined();
    });
  });
});
