// A healthy mesh about which `meshboot doctor` is silent, and a table of what breaks: for each, the first fault that it
// names is that one, with the remedy; and mended, it is silent again.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { importImage } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { NETWORK, Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

const Report = z.object({
  node: z.string(),
  checks: z.array(
    z.object({
      link: z.string(),
      level: z.enum(["ok", "note", "warning", "fault"]),
      saw: z.string(),
      expected: z.string(),
      remedy: z.string(),
    }),
  ),
  worst: z.enum(["ok", "warning", "fault"]),
});

/** Forwards to the Worker, and says a date that many seconds from now: the Worker of the lab says none. */
const DATED_WORKER = `
import http.server, sys, time, urllib.request, urllib.error
class Dated(http.server.BaseHTTPRequestHandler):
  def date_time_string(self, timestamp=None):
    return super().date_time_string(time.time() + int(sys.argv[2]))
  def do_GET(self):
    to = urllib.request.Request(sys.argv[1] + self.path, headers={key: self.headers[key] for key in ("Accept", "Authorization") if self.headers[key]})
    try: answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(to)
    except urllib.error.HTTPError as refusal: answer = refusal
    self.send_response(answer.status)
    self.end_headers()
    self.wfile.write(answer.read())
http.server.ThreadingHTTPServer(("127.0.0.1", 8999), Dated).serve_forever()
`;

/** What breaks on web1, how it shows, and how it is mended. `break` and `mend` are shell, with $DEV and the like at hand. */
interface Row {
  readonly what: string;
  readonly breaks: string | (() => Promise<unknown>);
  readonly link: string;
  readonly level?: "warning";
  readonly saw: RegExp;
  readonly remedy: RegExp;
  readonly mends: string | (() => Promise<unknown>);
}

let lab: Lab;
let servers: Servers;
const mesh = new Map<string, { guest: Guest; status: MeshStatus }>();

function node(name: string): { guest: Guest; status: MeshStatus } {
  const found = mesh.get(name);
  if (!found) throw new Error(`${name} is not in the mesh`);
  return found;
}

/** Runs shell in the server; what a row needs to know of it is in variables. */
async function sh(name: string, script: string): Promise<string> {
  const { guest, status } = node(name);
  return guest.sh(`DEV=${status.interface} SLOT=${status.slot} NW=${NETWORK} CONF=/etc/meshboot/meshboot.conf
STATE=/var/lib/meshboot ZT=/var/lib/zerotier-one
${script}`);
}

async function doctor(name: string) {
  const { code, stdout, stderr } = await node(name).guest.try("meshboot", "doctor", "--json");
  const report = Report.parse(JSON.parse(stdout));
  return { code, stderr, report };
}

/** Nothing is said on standard error, and no link has a warning or a fault. */
async function untilHealthy(name: string): Promise<z.infer<typeof Report>> {
  return until(`${name} to be healthy`, 60, async () => {
    const { code, stderr, report } = await doctor(name);
    const bad = report.checks.filter(({ level }) => level === "warning" || level === "fault");
    return code === 0 && stderr === "" && bad.length === 0
      ? holds(report)
      : not(`exit code ${code}, ${stderr}${JSON.stringify(bad)}`);
  });
}

const apply = (action: Row["breaks"]): Promise<unknown> =>
  typeof action === "string" ? sh("web1", action) : action();

const member = (authorized: boolean) => async () => {
  const { guest, status } = node("web1");
  await servers.atCentral("POST", `/network/${NETWORK}/member/${status.node}`, { config: { authorized } });
  const wanted = authorized ? " OK " : " ACCESS_DENIED ";
  // A node that is shut out finds it out when it asks, once a minute.
  await until(`zerotier-cli to say ${wanted}`, 90, async () => {
    const said = await guest.run("zerotier-cli", "listnetworks");
    return said.includes(wanted) ? holds(undefined) : not(said);
  });
};

const atWorker = (verb: "approve" | "revoke") => async () => {
  const answer = await servers.asOperator("POST", `/v1/nodes/${node("web1").status.node}/${verb}`);
  expect(answer.status, answer.text).toBe(200);
};

async function writeDeletedKey(): Promise<void> {
  const made = await servers.asOperator("POST", "/v1/keys", {});
  const { id, key } = z.object({ id: z.string(), key: z.string() }).parse(JSON.parse(made.text));
  await servers.asOperator("DELETE", `/v1/keys/${id}`);
  await sh(
    "web1",
    `mkdir /root/aside; mv $STATE/lease $STATE/token /root/aside; echo ${key} >/etc/meshboot/key`,
  );
}

const behindDate = (seconds: number) =>
  `cp $CONF /root/conf; worker=$(sed -n 's/^URL=//p' $CONF)
systemd-run -q --unit=lab-date python3 /root/dated-worker.py "$worker" ${seconds}
sed -i 's|^URL=.*|URL=http://127.0.0.1:8999|' $CONF
until curl -s -o /dev/null http://127.0.0.1:8999/healthz; do sleep 0.2; done`;
const noDate = "cp /root/conf $CONF; systemctl stop lab-date";

/** Debian's unit allows three starts a minute, and the table makes more. */
const restartDocker = "systemctl reset-failed docker.service; systemctl restart docker.service";

/** Starts zerotier-one anew and waits until the agent has put back what goes with the interface. */
const restartZerotier = "systemctl restart zerotier-one";

const rows: readonly Row[] = [
  {
    what: "a setting that this version does not know",
    breaks: "cp $CONF /root/conf; echo URLS=x >>$CONF",
    link: "settings",
    saw: /meshboot\.conf: this version does not know the setting URLS$/,
    remedy: /systemctl restart meshboot/,
    mends: "cp /root/conf $CONF",
  },
  {
    what: "the lease damaged",
    breaks: "cp -p $STATE/lease /root/lease; sed -i 's/^SLOT=.*/SLOT=1e1/' $STATE/lease",
    link: "lease",
    saw: /lease is not sound: SLOT=1e1 is no slot/,
    remedy: /rm \/var\/lib\/meshboot\/lease; write a key/,
    mends: "mv /root/lease $STATE/lease",
  },
  {
    what: "no DNS",
    breaks: "cp $CONF /root/conf; sed -i 's|^URL=.*|URL=http://mesh.invalid|' $CONF",
    link: "worker",
    level: "warning",
    saw: /^DNS: .*mesh\.invalid/,
    remedy: /resolv\.conf/,
    mends: "cp /root/conf $CONF",
  },
  {
    what: "no route to the Worker",
    breaks: "ip route add unreachable 203.0.113.1",
    link: "worker",
    level: "warning",
    saw: /^TCP: /,
    remedy: /ip route get/,
    mends: "ip route del unreachable 203.0.113.1",
  },
  {
    what: "a firewall that swallows what goes to the Worker",
    breaks: "iptables -I OUTPUT -p tcp --dport 8787 -j DROP",
    link: "worker",
    level: "warning",
    saw: /^TCP: .*time/i,
    remedy: /provider's firewall/,
    mends: "iptables -D OUTPUT -p tcp --dport 8787 -j DROP",
  },
  {
    what: "the Worker down",
    breaks: () => servers.worker.stop(),
    link: "worker",
    level: "warning",
    saw: /^TCP: .*refused|^TCP: .*connect/i,
    remedy: /stops nothing that runs/,
    mends: () => servers.worker.start(),
  },
  {
    what: "a URL that is another server's",
    breaks: "cp $CONF /root/conf; sed -i 's|^URL=.*|URL=http://203.0.113.1:8080|' $CONF",
    link: "worker",
    level: "warning",
    saw: /8080 says 404.*, and that is not the Worker's answer/,
    remedy: /URL in \/etc\/meshboot\/meshboot\.conf/,
    mends: "cp /root/conf $CONF",
  },
  {
    what: "no token",
    breaks: "mv $STATE/token /root/token",
    link: "key",
    saw: /a lease and no token/,
    remedy: /write a key/,
    mends: "mv /root/token $STATE/token",
  },
  {
    what: "a token that the Worker does not take, as after the lease was deleted",
    breaks: "cp -p $STATE/token /root/token; echo mbn_AAAAAAAAAAAAAAAAAAAAAA >$STATE/token",
    link: "key",
    saw: /the Worker refuses it: the token is not that of node/,
    remedy: /write a key/,
    mends: "mv /root/token $STATE/token",
  },
  {
    what: "the node revoked at the Worker",
    breaks: atWorker("revoke"),
    link: "key",
    saw: /node [0-9a-f]{10} is revoked/,
    remedy: /approve at the Worker/,
    mends: atWorker("approve"),
  },
  {
    what: "the key deleted before it was used",
    breaks: writeDeletedKey,
    link: "key",
    saw: /the Worker refuses it: there is no such enrolment key/,
    remedy: /write a key/,
    mends: "rm /etc/meshboot/key; mv /root/aside/* $STATE; rmdir /root/aside",
  },
  {
    what: "the clock two hours slow, while nothing has to be signed",
    breaks: behindDate(7200),
    link: "clock",
    level: "warning",
    saw: /^-7[12]\d\d s off/,
    remedy: /set-ntp/,
    mends: noDate,
  },
  {
    what: "the clock two hours fast, with a key to use",
    breaks: `${behindDate(-7200)}; echo mbk_AAAAAAAAAAAAAAAAAAAAAA >/etc/meshboot/key`,
    link: "clock",
    saw: /^7[12]\d\d s off/,
    remedy: /set-ntp/,
    mends: `${noDate}; rm /etc/meshboot/key`,
  },
  {
    what: "zerotier-one stopped",
    breaks: "systemctl stop zerotier-one",
    link: "zerotier",
    saw: /zerotier-one\.service does not run/,
    remedy: /systemctl start zerotier-one/,
    mends: "systemctl start zerotier-one",
  },
  {
    what: "zerotier-one that does not answer",
    breaks: "systemctl kill -s STOP zerotier-one",
    link: "zerotier",
    saw: /zerotier-cli info says nothing/,
    remedy: /systemctl restart zerotier-one/,
    mends: "systemctl kill -s CONT zerotier-one",
  },
  {
    what: "no way to ZeroTier's roots",
    breaks: async () => {
      await servers.root.stop();
      // It is believed for 500 s that they are there, but not after a start.
      await sh("web1", restartZerotier);
      await untilInMesh(node("web1").guest);
    },
    link: "zerotier",
    level: "warning",
    saw: /^OFFLINE$/,
    remedy: /let UDP 9993 in and out/,
    mends: async () => {
      await servers.root.start();
      await sh("web1", restartZerotier);
    },
  },
  {
    what: "the member deauthorized at Central",
    breaks: member(false),
    link: "network",
    saw: /^ACCESS_DENIED$/,
    remedy: /authorize [0-9a-f]{10} at ZeroTier Central/,
    mends: member(true),
  },
  {
    what: "the network left",
    breaks: "zerotier-cli leave $NW",
    link: "network",
    saw: /^not joined$/,
    remedy: /^meshboot up$/,
    mends: "meshboot up",
  },
  {
    what: "the network's limits lost",
    breaks: "zerotier-cli set $NW allowGlobal=0",
    link: "limits",
    level: "warning",
    saw: /lets the network set other addresses and routes/,
    remedy: /^meshboot up$/,
    mends: "meshboot up",
  },
  {
    what: "ZeroTier let onto Docker's bridges",
    breaks: "echo '{}' >$ZT/local.conf",
    link: "limits",
    level: "warning",
    saw: /does not keep ZeroTier off docker/,
    remedy: /^meshboot up$/,
    mends: "meshboot up",
  },
  {
    what: "the IPv4 address gone",
    breaks: "ip addr del 10.147.17.$SLOT/24 dev $DEV",
    link: "address",
    saw: /^zt\w+ lacks 10\.147\.17\./,
    remedy: /systemctl restart zerotier-one/,
    mends: restartZerotier,
  },
  {
    what: "the 6PLANE address gone",
    breaks: "ip -6 addr flush dev $DEV scope global",
    link: "address",
    saw: /^zt\w+ lacks fc.*::1\/40/,
    remedy: /6PLANE on at ZeroTier Central/,
    mends: restartZerotier,
  },
  {
    what: "IPv6 switched off on the interface",
    breaks: "sysctl -qw net.ipv6.conf.$DEV.disable_ipv6=1",
    link: "address",
    saw: /IPv6 is off on zt/,
    remedy: /disable_ipv6=0/,
    mends: `sysctl -qw net.ipv6.conf.$DEV.disable_ipv6=0; ${restartZerotier}`,
  },
  {
    what: "a route deleted",
    breaks: "ip route del 172.28.77.0/24",
    link: "routes",
    saw: /^1 missing or wrong: 172\.28\.77\.0\/24/,
    remedy: /^meshboot up$/,
    mends: "meshboot up",
  },
  {
    what: "a foreign route over a slot, of a better metric",
    breaks: "ip route add 172.28.77.0/24 dev eth0",
    link: "overlap",
    saw: /^172\.28\.77\.0\/24 \(eth0\) overlaps the mesh/,
    remedy: /^ip route del 172\.28\.77\.0\/24 dev eth0/,
    mends: "ip route del 172.28.77.0/24 dev eth0",
  },
  {
    what: "a foreign route over half the ZeroTier range",
    breaks: "ip route add 10.147.17.128/25 dev eth0",
    link: "overlap",
    saw: /^10\.147\.17\.128\/25 \(eth0\) overlaps the mesh/,
    remedy: /^ip route del 10\.147\.17\.128\/25 dev eth0, and what sets it: another VPN/,
    mends: "ip route del 10.147.17.128/25",
  },
  {
    what: "a VPN's policy rule",
    breaks: "ip route add 172.28.0.0/16 dev eth0 table 77; ip rule add to 172.28.0.0/16 lookup 77",
    link: "overlap",
    saw: /^172\.28\.0\.0\/16 \(eth0, table 77\) overlaps the mesh/,
    remedy: /^ip route del 172\.28\.0\.0\/16 dev eth0 table 77/,
    mends: "ip rule del to 172.28.0.0/16 lookup 77; ip route flush table 77",
  },
  {
    what: "accept_ra lost on a host that lives on router advertisements",
    breaks:
      "cp -p /etc/sysctl.d/90-meshboot.conf /root/sysctls; echo net/ipv6/conf/eth0/accept_ra=2 >>/etc/sysctl.d/90-meshboot.conf; sysctl -qw net.ipv6.conf.eth0.accept_ra=1",
    link: "uplink",
    saw: /accept_ra of eth0 is 1/,
    remedy: /sysctl -w net\/ipv6\/conf\/eth0\/accept_ra=2/,
    mends: "mv /root/sysctls /etc/sysctl.d/90-meshboot.conf",
  },
  {
    what: "the default routes gone",
    breaks: "ip route del default; ip -6 route del default",
    link: "uplink",
    saw: /no default route/,
    remedy: /networking|netplan/,
    mends: "ip route add default via 203.0.113.1; ip -6 route add default via 2001:db8:113::1",
  },
  {
    what: "forwarding off",
    breaks: "sysctl -qw net.ipv4.ip_forward=0",
    link: "sysctls",
    saw: /net\/ipv4\/ip_forward=0/,
    remedy: /meshboot up/,
    mends: "meshboot up",
  },
  {
    what: "IPv6 forwarding and proxy_ndp off",
    breaks: "sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.all.proxy_ndp=0",
    link: "sysctls",
    saw: /net\/ipv6\/conf\/all\/forwarding=0 net\/ipv6\/conf\/all\/proxy_ndp=0/,
    remedy: /meshboot up/,
    mends: "meshboot up",
  },
  {
    what: "a directive in daemon.json that is on the command line",
    breaks: `mkdir -p /etc/docker; echo '{"bip": "172.30.0.1/16"}' >/etc/docker/daemon.json`,
    link: "dockerd",
    saw: /daemon\.json sets bip/,
    remedy: /change it there; meshboot up/,
    mends: "rm /etc/docker/daemon.json",
  },
  {
    what: "dockerd stopped",
    breaks: "systemctl stop docker.socket docker.service",
    link: "dockerd",
    saw: /docker\.service does not run/,
    remedy: /systemctl start docker/,
    mends: restartDocker,
  },
  {
    what: "dockerd that does not answer",
    breaks: "systemctl kill -s STOP docker",
    link: "dockerd",
    saw: /does not answer/,
    remedy: /systemctl restart docker/,
    mends: "systemctl kill -s CONT docker",
  },
  {
    what: "dockerd started without the options",
    breaks:
      "mv /etc/meshboot/dockerd.env /root; systemctl reset-failed docker.service; systemctl restart docker; mv /root/dockerd.env /etc/meshboot",
    link: "dockerd",
    saw: /runs without the lease's options/,
    remedy: /^meshboot up$/,
    mends: "meshboot up",
  },
  {
    what: "a drop-in of the user's whose command hands nothing on",
    breaks: `mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\\nExecStart=\\nExecStart=/bin/sh -c "exec /usr/sbin/dockerd -H fd://"\\n' >/etc/systemd/system/docker.service.d/override.conf
systemctl daemon-reload; systemctl reset-failed docker.service; systemctl restart docker`,
    link: "dockerd",
    saw: /starts dockerd by \/bin\/sh -c, which hands none of the mesh's options on/,
    remedy: /meshboot up/,
    mends: "rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload; meshboot up",
  },
  {
    what: "docker0's address gone",
    breaks: "ip addr del 172.28.$SLOT.1/25 dev docker0",
    link: "dockerd",
    saw: /docker0 has no address in 172\.28\.\d+\.1\/25/,
    remedy: /systemctl restart docker/,
    mends: restartDocker,
  },
  {
    what: "the nft table deleted",
    breaks: "nft delete table inet meshboot",
    link: "rules",
    saw: /nft table inet meshboot is gone/,
    remedy: /meshboot up/,
    mends: "meshboot up",
  },
  {
    what: "the nft table changed",
    breaks: "nft flush chain inet meshboot pre",
    link: "rules",
    saw: /nft table inet meshboot was changed/,
    remedy: /meshboot up/,
    mends: "meshboot up",
  },
  {
    what: "an iptables accept deleted",
    breaks: "iptables -D FORWARD -i $DEV -d 172.28.$SLOT.0/24 -j ACCEPT",
    link: "rules",
    saw: /iptables or ip6tables lacks accepts/,
    remedy: /meshboot up/,
    mends: "meshboot up",
  },
  {
    what: "Docker's own rules flushed",
    breaks: "iptables -t nat -F; iptables -t nat -X",
    link: "dockerd",
    saw: /Docker's own iptables rules are gone/,
    remedy: /systemctl restart docker/,
    mends: restartDocker,
  },
  {
    what: "NAT66 gone",
    breaks: "ip6tables -t nat -F POSTROUTING",
    link: "nat66",
    saw: /no MASQUERADE for fc/,
    remedy: /systemctl restart docker/,
    mends: restartDocker,
  },
  {
    what: "NAT66 by both dockerd and a container",
    breaks: async () => {
      await importImage(node("web1").guest);
      await sh(
        "web1",
        "docker tag lab robbertkl/ipv6nat; docker run -d --name nat robbertkl/ipv6nat /bin/httpd -f",
      );
    },
    link: "nat66",
    saw: /both dockerd and container nat translate/,
    remedy: /docker rm -f nat/,
    mends: "docker rm -f nat",
  },
  {
    what: "one other server down",
    breaks: () => sh("db1", "systemctl stop zerotier-one"),
    link: "peers",
    level: "warning",
    saw: /^db1 is silent, others answer/,
    remedy: /db1 may be down/,
    mends: () => sh("db1", "systemctl start zerotier-one"),
  },
  {
    what: "a firewall of the user's own that drops the mesh",
    breaks:
      "nft 'table inet lab { chain in { type filter hook input priority -200; iifname \"'$DEV'\" drop; }; }'",
    link: "firewall",
    saw: /the nft chain inet lab in drops before the mesh is let through/,
    remedy: /^meshboot up$/,
    mends: "nft delete table inet lab",
  },
  {
    what: "all other servers silent",
    breaks: () => Promise.all(["db1", "app1"].map((name) => sh(name, "systemctl stop zerotier-one"))),
    link: "peers",
    saw: /^silent: (?:app1 db1|db1 app1)/,
    remedy: /let UDP 9993 in and out/,
    mends: () => Promise.all(["db1", "app1"].map((name) => sh(name, "systemctl start zerotier-one"))),
  },
  {
    what: "IPv6 of the mesh filtered",
    breaks: "ip6tables -I INPUT -i $DEV -p icmpv6 --icmpv6-type echo-reply -j DROP",
    link: "peers",
    saw: /: IPv4 alone answers, not fc/,
    remedy: /ip6tables -S INPUT/,
    mends: "ip6tables -D INPUT -i $DEV -p icmpv6 --icmpv6-type echo-reply -j DROP",
  },
  {
    what: "IPv4 of the mesh filtered",
    breaks: "iptables -I INPUT -i $DEV -p icmp -j DROP",
    link: "peers",
    saw: /: IPv6 alone answers, not 10\.147\.17\./,
    remedy: /iptables -S INPUT/,
    mends: "iptables -D INPUT -i $DEV -p icmp -j DROP",
  },
  {
    what: "a way that drops large packets",
    breaks:
      "nft 'table inet lab { chain out { type filter hook output priority 0; oifname \"'$DEV'\" meta length > 1400 drop; }; }'",
    link: "mtu",
    saw: /^1500 bytes do not reach .*app1/,
    remedy: /MTU=1400 or less in/,
    mends: "nft delete table inet lab",
  },
  {
    what: "the hourly run switched off",
    breaks: "systemctl -q disable meshboot.timer",
    link: "agent",
    level: "warning",
    saw: /meshboot\.timer is not enabled/,
    remedy: /systemctl enable --now meshboot\.service meshboot\.timer/,
    mends: "systemctl -q enable meshboot.timer",
  },
];

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  const orders = [
    { name: "web1", image: "docker" as const },
    { name: "db1", image: "trixie" as const },
    { name: "app1", image: "forky" as const },
  ];
  await Promise.all(
    orders.map(async ({ name, image }, index) => {
      const guest = await lab.order({
        name,
        image,
        index: index + 1,
        userData: await servers.userData({ name }),
      });
      await guest.boot();
      await guest.settled(240);
      mesh.set(name, { guest, status: await untilInMesh(guest, 240) });
    }),
  );
  // What a row breaks is to stay broken until it has been looked at: nobody puts it back at once.
  await sh(
    "web1",
    `mkdir -p /run/systemd/system/meshboot-watch.service.d
     printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' >/run/systemd/system/meshboot-watch.service.d/asleep.conf
     systemctl daemon-reload; systemctl restart meshboot-watch`,
  );
  // Whoever enrolled first knows nobody yet: the heartbeat tells.
  for (const name of mesh.keys()) await sh(name, "meshboot up");
  await sh("web1", `cat >/root/dated-worker.py <<'EOF'${DATED_WORKER}EOF`);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

describe.each(["web1", "db1", "app1"])("%s, healthy", (name) => {
  test("is told so, with nothing to do and nothing on standard error", async () => {
    const report = await untilHealthy(name);
    expect(report.node).toBe(node(name).status.node);
    const told = report.checks.filter(({ level }) => level === "note").map(({ link }) => link);
    // The lab's Worker says no date.
    expect(told).toEqual(["clock"]);
    const { code, stdout, stderr } = await node(name).guest.try("meshboot", "doctor");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(report.checks.length + 1);
    expect(lines.at(-1)).toBe("healthy");
  });
});

test("a clock that agrees with the Worker's is found so", async () => {
  await sh("web1", behindDate(0));
  const { report } = await doctor("web1");
  await sh("web1", noDate);
  expect(report.checks.find(({ link }) => link === "clock")).toMatchObject({ level: "ok", saw: "" });
});

test.each(rows.map((row) => [row.what, row] as const))(
  "%s",
  async (_, { breaks, link, level = "fault", saw, remedy, mends }) => {
    await apply(breaks);
    const { code, stderr, report } = await doctor("web1");
    await apply(mends);
    const first = report.checks.find((check) => check.level === level);
    expect(first).toMatchObject({
      link,
      level,
      saw: expect.stringMatching(saw),
      remedy: expect.stringMatching(remedy),
    });
    expect({ code, worst: report.worst, stderr }).toEqual({
      code: level === "fault" ? 3 : 1,
      worst: level,
      stderr: "",
    });
    await untilHealthy("web1");
  },
);

test("with everything dead it ends all the same, and says what it did not check", async () => {
  await sh(
    "web1",
    "iptables -I OUTPUT -p tcp --dport 8787 -j DROP; systemctl kill -s STOP zerotier-one; systemctl kill -s STOP docker",
  );
  const { code, report } = await doctor("web1");
  await sh(
    "web1",
    "systemctl kill -s CONT docker; systemctl kill -s CONT zerotier-one; iptables -D OUTPUT -p tcp --dport 8787 -j DROP",
  );
  expect(code).toBe(3);
  const broken = report.checks.filter(({ level }) => level === "fault" || level === "warning");
  expect(broken.map((check) => check.link)).toEqual(["worker", "zerotier", "dockerd"]);
  const notChecked = report.checks.filter((check) => check.saw.startsWith("not checked"));
  expect(notChecked.map((check) => check.link)).toEqual([
    ...["key", "clock", "network", "limits", "address", "routes", "nat44", "nat66", "peers", "mtu"],
  ]);
  await untilHealthy("web1");
});

test("a server whose dockerd is down does not answer under its gateway: that is its own fault, not this one's", async () => {
  await sh("db1", "systemctl stop docker.socket docker; ip link del docker0");
  const { code, report } = await doctor("web1");
  await sh("db1", "systemctl start docker");
  expect(code).toBe(0);
  expect(report.checks.filter(({ level }) => level === "note")).toMatchObject([
    { link: "clock" },
    { link: "peers", saw: expect.stringMatching(/^db1: no gateway 172\.28\./) },
  ]);
});
