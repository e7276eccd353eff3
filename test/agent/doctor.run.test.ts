import { rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Host } from "./host.ts";
import { leaseText } from "./leases.ts";
import { type Shell, shellOfTheDay, withDirectory } from "./shells.ts";

const PATIENCE = { timeout: 300_000 };
const NODE = "4e8d87c868";
const PEERS = "1:39f51dfb25:db1 2:a3b033f4db:app1";
const REFUSAL = "TYPE=/problems/object-unreachable\nDETAIL=the allocator does not answer\n";
const CONF = "URL=https://mesh.example.com\n";

const Report = z.object({
  node: z.string(),
  checks: z.array(z.object({ link: z.string(), level: z.string(), saw: z.string(), remedy: z.string() })),
  worst: z.string(),
});

const dated = (): string => `HTTP/2 200\r\ndate: ${new Date().toUTCString()}\r\n`;

/** A server that is in the mesh, whose Worker has just answered well. */
function inMesh(shell: Shell, directory: string, files: Readonly<Record<string, string>> = {}): Host {
  const host = new Host(directory);
  for (const [path, content] of Object.entries(files)) host.write(path, content);
  host.world({ lease: `${leaseText()}PEERS=${PEERS}\n`, node: `{"node":"${NODE}","state":"active"}` });
  host.join(shell);
  host.world({ answers: "200 node\n", calls: "", headers: dated(), refusal: REFUSAL });
  host.write(
    "/proc/net/udp",
    "  sl  local_address rem_address   st\n    0: 00000000:2709 00000000:0000 07 00000000:00000000\n",
  );
  host.write("/sys/class/net/ztabcdefgh/mtu", "2800\n");
  host.write("/sys/class/net/docker0/mtu", "1500\n");
  return host;
}

function doctor(shell: Shell, host: Host) {
  const { status, out, err } = host.run(shell, "doctor --json");
  const report = Report.parse(JSON.parse(out));
  const bad = report.checks.filter(({ level }) => level === "fault" || level === "warning");
  return { status, err, report, bad };
}

/** What is other than on a sound server, and the first thing that the doctor says then. */
interface Row {
  readonly what: string;
  readonly world?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly finds: readonly [link: string, level: "fault" | "warning", saw: string, remedy: string];
}

const KEY = { "/etc/meshboot/key": `mbk_${"k".repeat(22)}\n` };
const network = (status: string, more = {}) => ({ "zerotier-status": status, ...more });
const zerotier = (info: string) => ({ "zerotier-info": info });

/** What cannot be made in a server that boots. */
const rows: readonly Row[] = [
  {
    what: "no translation of IPv4",
    world: { postrouting4: "" },
    finds: ["nat44", "fault", "no MASQUERADE for 172.28.233.0/25", "systemctl restart docker"],
  },
  {
    what: "a bad certificate",
    world: { answers: "000 60\n" },
    finds: ["worker", "warning", "TLS: curl: (60)", "wrong clock"],
  },
  {
    what: "a bad certificate, with a key to use",
    world: { answers: "000 60\n" },
    files: KEY,
    finds: ["worker", "fault", "TLS: curl: (60)", "wrong clock"],
  },
  {
    what: "a proxy that breaks off",
    world: { answers: "000 52\n" },
    finds: ["worker", "warning", "HTTP: curl: (52)", "URL in"],
  },
  {
    what: "an allocator out of reach",
    world: { answers: "503 refusal\n" },
    finds: ["worker", "warning", "503 /problems/object-unreachable: the allocator", "/healthz"],
  },
  {
    what: "another ZeroTier identity",
    world: zerotier("0123456789 1.14.1 ONLINE"),
    finds: ["zerotier", "fault", "the identity is 0123456789", "identity.* back"],
  },
  {
    what: "ZeroTier relayed over TCP",
    world: zerotier(`${NODE} 1.14.1 TUNNELED`),
    finds: ["zerotier", "warning", "TUNNELED", "UDP 9993 in and out"],
  },
  {
    what: "ZeroTier without roots and without peers",
    world: zerotier(`${NODE} 1.14.1 OFFLINE`),
    finds: ["zerotier", "warning", "OFFLINE", "let UDP 9993 in and out"],
  },
  {
    what: "ZeroTier's roots away, while nodes are connected",
    world: {
      ...zerotier(`${NODE} 1.14.1 OFFLINE`),
      "zerotier-peers":
        "200 peers\n39f51dfb25 1.14.1 LEAF      12 DIRECT   1200     1100     198.51.100.7/9993\n",
    },
    finds: [
      "zerotier",
      "warning",
      "roots do not answer, other nodes do",
      "what is connected stays connected",
    ],
  },
  {
    what: "a configuration that zerotier-one could not write",
    files: { "/var/lib/zerotier-one/networks.d/8056c2e21c000001.conf": "\n" },
    finds: ["network", "fault", "8056c2e21c000001.conf is empty", "meshboot up"],
  },
  {
    what: "nobody who puts back what goes",
    world: { "unit-meshboot-watch": "failed\n" },
    finds: ["watch", "warning", "meshboot-watch.service does not run", "enable --now meshboot-watch"],
  },
  {
    what: "nothing on ZeroTier's port",
    files: { "/proc/net/udp": "" },
    finds: ["zerotier", "warning", "nothing listens on UDP 9993", "restart zerotier-one"],
  },
  {
    what: "a network that was deleted",
    world: network("NOT_FOUND"),
    finds: ["network", "fault", "NOT_FOUND", "ZEROTIER_NETWORK"],
  },
  {
    what: "no tun device",
    world: network("PORT_ERROR"),
    finds: ["network", "fault", "PORT_ERROR", "modprobe tun"],
  },
  {
    what: "an old zerotier-one",
    world: network("CLIENT_TOO_OLD"),
    finds: ["network", "fault", "CLIENT_TOO_OLD", "update zerotier-one"],
  },
  {
    what: "a controller out of reach, the address in place",
    world: network("REQUESTING_CONFIGURATION"),
    finds: ["network", "warning", "REQUESTING_CONFIGURATION", "let UDP 9993 out"],
  },
  {
    what: "a controller out of reach, and no address yet",
    world: network("REQUESTING_CONFIGURATION", { addresses: "" }),
    finds: ["network", "fault", "REQUESTING_CONFIGURATION", "let UDP 9993 out"],
  },
  {
    what: "a firewall that lets nothing out to private addresses",
    world: { forbidden: "10.*" },
    finds: [
      "firewall",
      "fault",
      "OUTPUT drops what this server itself sends to 10.147.17.0/24;",
      "ufw prepend allow out",
    ],
  },
  {
    what: "one that lets no IPv6 of the mesh out",
    world: { forbidden: "fc*" },
    finds: ["firewall", "fault", "itself sends to fc9c:56c2:e300::/40;", "ip6tables -S OUTPUT"],
  },
  {
    what: "Compose asked for and not there",
    files: { "/etc/meshboot/meshboot.conf": `${CONF}COMPOSE=on\n` },
    finds: ["compose", "fault", "not installed", "meshboot up"],
  },
  {
    what: "an up that failed",
    files: { "/run/meshboot/failed": "dockerd\n" },
    finds: ["agent", "warning", "the last up stopped at dockerd", "do what it says, then meshboot up"],
  },
];

describe.each(shellOfTheDay(import.meta.filename))("doctor in $name", PATIENCE, (shell) => {
  it("finds a sound server healthy, and changes nothing on it", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const before = host.files();
      const { status, err, report, bad } = doctor(shell, host);
      expect({ status, err, bad, worst: report.worst, node: report.node }).toEqual({
        status: 0,
        err: "",
        bad: [],
        worst: "ok",
        node: NODE,
      });
      expect(host.files()).toEqual(before);
      expect(host.seen("calls")).not.toMatch(
        /^(?:systemctl (?!show|is-)|nft (?!(?:-\w )*list)|ip6?tables .*-[IDNX] |ip .*(?:-batch| add | del | replace )|zerotier-cli (?:join|leave|set)|apt-get)/m,
      );
      // Neither token nor key is in a process list.
      expect(host.seen("calls")).not.toMatch(/mb[kn]_/);
      const { out } = host.run(shell, "doctor");
      expect(out.split("\n").slice(0, 2)).toEqual(["ok      settings", "ok      lease"]);
      expect(out).toMatch(/\nhealthy\n$/);
    });
  });

  it("names each fault that cannot be made in a server that boots, and the remedy", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      for (const { what, world = {}, files = {}, finds } of rows) {
        const undo = Object.keys(world).map((name) => [name, host.seen(name)] as const);
        const before = Object.keys(files).map((path) => [path, host.read(path)] as const);
        host.world(world);
        for (const [path, content] of Object.entries(files)) host.write(path, content);
        const { status, err, report, bad } = doctor(shell, host);
        const [link, level, saw, remedy] = finds;
        expect({ what, ...bad[0] }).toMatchObject({ what, link, level });
        expect(bad[0]?.saw).toContain(saw);
        expect(bad[0]?.remedy).toContain(remedy);
        const code = level === "fault" ? 3 : 1;
        const told = { what, status, err, worst: report.worst, bad };
        expect(told).toMatchObject({ what, status: code, err: "", worst: level });
        host.world(Object.fromEntries(undo));
        for (const [path, content] of before) host.put(path, content);
      }
      expect(doctor(shell, host).bad).toEqual([]);
    });
  });

  it("has nothing against a Worker that was asked too often", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({
        answers: "429 hurried\n",
        hurried: "TYPE=/problems/too-many-requests\nDETAIL=ask again in a minute\n",
      });
      const { status, report } = doctor(shell, host);
      expect(status).toBe(0);
      expect(report.checks).toContainEqual(
        expect.objectContaining({ link: "key", level: "note", saw: "not checked: ask again in a minute" }),
      );
    });
  });

  it("says before enrolment what there is to say, with a key and without", () => {
    withDirectory((directory) => {
      const host = new Host(directory);
      host.world({ answers: "200 lease\n", headers: dated() });
      const waiting = doctor(shell, host);
      expect(waiting.bad).toMatchObject([
        { link: "lease", level: "warning", saw: "none yet" },
        { link: "zerotier", level: "warning" },
      ]);
      expect(host.seen("calls")).not.toContain("mbk_");
      host.write("/etc/meshboot/key", "");
      const bare = doctor(shell, host);
      expect([bare.status, bare.bad[1]]).toMatchObject([3, { link: "key", saw: "neither lease nor key" }]);
    });
  });

  it("shows any text as JSON", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.write("/etc/meshboot/meshboot.conf", 'URL="\\x"\ttab\n');
      expect(doctor(shell, host).bad[0]?.saw).toContain('URL="\\x"');
    });
  });

  it("says where peers come from when it knows of none", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.put("/var/lib/meshboot/peers", undefined);
      const { status, report } = doctor(shell, host);
      expect(status).toBe(0);
      expect(report.checks.find(({ link }) => link === "peers")).toMatchObject({
        level: "note",
        saw: "none known yet",
        remedy: expect.stringMatching(/^meshboot up asks the Worker/),
      });
    });
  });

  it("tells a server that is down from a mesh that is", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const db1 = ["10.147.17.1", "172.28.1.1", "fc9c:56c2:e339:f51d:fb25::1"];
      host.world({ silent: `${db1.join("\n")}\n` });
      expect(doctor(shell, host).bad).toMatchObject([
        { link: "peers", level: "warning", saw: "db1 is silent, others answer" },
      ]);
      const app1 = ["10.147.17.2", "172.28.2.1", "fc9c:56c2:e3a3:b033:f4db::1"];
      host.world({ silent: `${[...db1, ...app1].join("\n")}\n` });
      const { bad, status } = doctor(shell, host);
      expect([status, bad]).toMatchObject([3, [{ link: "peers", level: "fault" }]]);
      expect(bad[0]?.saw).toMatch(/^silent: db1 app1/);
      // One alone may be down, or have no IPv6.
      const arp = (state: string) => ({ neighbours: `${db1[0]} lladdr 02:39:f5:1d:fb:25 ${state}\n` });
      host.world({ silent: `${db1.join("\n")}\n`, ...arp("REACHABLE") });
      expect(doctor(shell, host).bad, "a closed INPUT is no fault of this server's").toEqual([]);
      host.world({ silent: `${db1.slice(0, 2).join("\n")}\n`, ...arp("FAILED") });
      const [unheard] = doctor(shell, host).bad;
      expect(unheard).toMatchObject({ link: "peers", level: "warning" });
      expect(unheard?.saw).toContain(`nobody answers ARP for ${db1[0]}`);
      host.world({ neighbours: "" });

      host.world({ silent: `${db1[2]}\n` });
      expect(doctor(shell, host).bad).toMatchObject([{ level: "warning", saw: /^db1: IPv4 alone/ }]);
      host.write("/var/lib/meshboot/peers", "1:39f51dfb25:db1\n");
      host.world({ silent: `${db1.join("\n")}\n` });
      expect(doctor(shell, host).bad).toMatchObject([{ level: "warning", saw: /^silent: db1/ }]);
    });
  });

  it.each([
    ["1500", 2800, 1500, "ok", ""],
    ["1500", 1400, 1400, "note", "1400 on ztabcdefgh, and containers have 1500"],
    ["1400", 1400, 1400, "ok", ""],
    ["auto", 1400, 1400, "ok", ""],
  ])(
    "with MTU=%s in a mesh of %i is healthy, and asks the way for packets of %i",
    (mtu, tunnel, size, level, saw) => {
      withDirectory((directory) => {
        const host = inMesh(shell, directory, {
          "/etc/meshboot/meshboot.conf": `${CONF}MTU=${mtu}\n`,
          "/sys/class/net/ztabcdefgh/mtu": `${tunnel}\n`,
        });
        host.write("/sys/class/net/ztabcdefgh/mtu", `${tunnel}\n`);
        host.world({ calls: "" });
        const { status, report, bad } = doctor(shell, host);
        expect({ status, bad }).toEqual({ status: 0, bad: [] });
        const asked = [...host.seen("calls").matchAll(/^ping .*-s (\d+) [0-9.]+$/gm)];
        expect(new Set(asked.map(([, bytes]) => Number(bytes) + 28))).toEqual(new Set([size]));
        const found = report.checks.find(({ link }) => link === "mtu");
        expect(found).toMatchObject({ level, saw: expect.stringContaining(saw) });
      });
    },
  );

  it("names all others where the way drops every large packet", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({ "drops-large": "" });
      const lost = (address: RegExp) =>
        expect.objectContaining({ link: "mtu", level: "fault", saw: expect.stringMatching(address) });
      expect(doctor(shell, host).bad).toEqual([
        lost(/^1500 bytes do not reach app1 [0-9.]+ db1 [0-9.]+ $/),
        lost(/^1500 bytes do not reach app1 fc[0-9a-f:]+::1 db1 fc[0-9a-f:]+::1 $/),
      ]);
    });
  });

  it("names bridges outside of the lease, and no overlay of a Swarm, for which no lease has a piece", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      host.world({
        bridges: "docker_gwbridge docker_gwbridge 172.28.233.128/28\nshop br-0123456789ab 172.18.0.0/16\n",
        overlays: "ingress none 10.0.0.0/24\n",
        "docker-networks": "ingress\ndocker_gwbridge\nshop\n",
      });
      const { report } = doctor(shell, host);
      expect(report.checks.find(({ link }) => link === "dockerd")).toMatchObject({
        level: "note",
        saw: "networks outside the mesh: shop",
      });
    });
  });

  it("looks at every bridge of the lease for its addresses", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      const six = "fc9c:56c2:e34e:8d87:c868:8000::/96";
      host.world({
        bridges: `shop br-0123456789ab 172.28.233.128/28\nshop br-0123456789ab ${six}\nblog web0 172.28.233.144/28\nelse br-ba9876543210 192.168.0.0/20\nbridge docker0 172.28.233.0/25\n`,
      });
      expect(doctor(shell, host)).toMatchObject({ status: 0, bad: [] });
      host.world({ bare: "web0\nbr-ba9876543210\n" });
      expect(doctor(shell, host).bad).toMatchObject([
        {
          link: "dockerd",
          level: "fault",
          saw: "no address on the bridge of blog (web0, 172.28.233.144/28)",
          remedy: "systemctl restart docker",
        },
      ]);
    });
  });

  it("is silent about rules that leave out a bridge of the owner's own, while Docker's networks are others than it told", () => {
    withDirectory((directory) => {
      const networks = "/var/lib/docker/network/files/local-kv.db";
      const host = inMesh(shell, directory, { [networks]: "1", "/sys/class/net/br-lan/ifindex": "9\n" });
      expect(host.seen("nft")).toContain('fib daddr oifname "br-*" fib daddr oifname != { "br-lan" } drop');
      const later = Date.now() / 1000 + 60;
      utimesSync(host.root + networks, later, later);
      expect(doctor(shell, host)).toMatchObject({ status: 0, bad: [] });
    });
  });

  it("is silent about a host without IPv6, and about a router that never spoke up", () => {
    withDirectory((directory) => {
      const disabled = { "/proc/sys/net/ipv6/conf/default/disable_ipv6": "1\n" };
      const off = inMesh(shell, join(directory, "off"), disabled);
      expect(doctor(shell, off)).toMatchObject({ status: 0, bad: [] });

      const router = inMesh(shell, join(directory, "router"));
      router.world({ routes6: "" });
      expect(doctor(shell, router).bad).toMatchObject([{ link: "uplink", level: "warning" }]);
      rmSync(join(router.root, "var/lib/meshboot/router"));
      expect(doctor(shell, router)).toMatchObject({ status: 0, bad: [] });
    });
  });

  it("keeps the peers that the Worker names beside the lease, and none of another form", () => {
    withDirectory((directory) => {
      const host = inMesh(shell, directory);
      expect(host.read("/var/lib/meshboot/peers")).toBe(`${PEERS.replace(" ", "\n")}\n`);
      expect(host.read("/var/lib/meshboot/lease")).not.toContain("PEERS");
      host.world({
        answers: "200 lease\n",
        lease: `${leaseText()}PEERS=3:4e8d87c868:$(id) 4:x:y 5:39f51dfb25:ok\n`,
      });
      expect(host.run(shell, "up").status).toBe(0);
      expect(host.read("/var/lib/meshboot/peers")).toBe("5:39f51dfb25:ok\n");
    });
  });
});
