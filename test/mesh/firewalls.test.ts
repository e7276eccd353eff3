// Servers on each of which another firewall of the user's own drops what it does not know, before Meshboot comes: the
// mesh gets through all of them, nothing else does, and after `meshboot down` each is as it was.

import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { installBeforehand } from "../lab/beforehand.ts";
import { attempt } from "../lab/command.ts";
import { type Container, fetchFrom, importImage, inspect, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import type { ImageKind } from "../lab/rootfs.ts";
import { Servers } from "../lab/servers.ts";
import { difference, type Snapshot, snapshot } from "../lab/snapshot.ts";
import { GATEWAY_IPV4, internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

interface Firewall {
  readonly image: ImageKind;
  readonly packages: string;
  /** Closes the server but for SSH, as its operator would. */
  readonly close: string;
  readonly reload: string;
  readonly unit: string;
}

/** Nothing for ICMPv6 here: neighbour discovery over the mesh and to the containers has only our own accept. */
const IPTABLES = `tee /etc/iptables/rules.v6 >/etc/iptables/rules.v4 <<'EOF'
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
EOF`;

const NFTABLES = `cat >/etc/nftables.conf <<'EOF'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	set office {
		type ipv4_addr
		flags interval
		elements = { 198.51.100.0/24, 192.0.2.7 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif lo accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept comment "a { brace"
		tcp dport 22 accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		jump others
	}
	chain others {
		ip saddr @office counter accept
		iifname "docker0" oifname "eth0" accept
	}
}
EOF`;

const FIREWALLS: Readonly<Record<string, Firewall>> = {
  iptables: {
    image: "docker",
    packages: "iptables-persistent",
    close: `${IPTABLES}\nsystemctl restart netfilter-persistent.service`,
    reload: "systemctl reload-or-restart netfilter-persistent.service",
    unit: "netfilter-persistent",
  },
  nftables: {
    image: "trixie",
    packages: "nftables",
    close: `${NFTABLES}\nsystemctl enable --now nftables.service`,
    reload: "systemctl reload nftables.service",
    unit: "nftables",
  },
  ufw: {
    image: "docker",
    packages: "ufw",
    close: "ufw allow 22/tcp && ufw --force enable && systemctl start ufw.service",
    reload: "ufw reload",
    unit: "ufw",
  },
  firewalld: {
    image: "trixie",
    packages: "firewalld",
    close: "systemctl enable --now firewalld.service",
    reload: "firewall-cmd --reload",
    unit: "firewalld",
  },
};

const NAMES = Object.keys(FIREWALLS);

interface Server {
  readonly guest: Guest;
  readonly firewall: Firewall;
  readonly before: Snapshot;
  container?: Container;
  status?: MeshStatus;
}

let lab: Lab;
let servers: Servers;
const closed = new Map<string, Server>();

function server(name: string): Server {
  const found = closed.get(name);
  if (!found) throw new Error(`${name} was not closed`);
  return found;
}

function containerOf(name: string): Container {
  const { container } = server(name);
  if (!container) throw new Error(`${name} has no container`);
  return container;
}

function meshAddress(name: string): string {
  return `10.147.17.${server(name).status?.slot}`;
}

const everywhere = (work: (name: string) => Promise<unknown>) => Promise.all(NAMES.map(work));

const outsider = (script: string) => attempt(...inside(lab.network.internet, "bash", ["-c", script]));

/** For what takes longer than a minute: a unit of the server's own, awaited. */
async function longSh(guest: Guest, script: string): Promise<void> {
  const unit = ["--unit=long", "--property=Type=oneshot", "--property=RemainAfterExit=yes"];
  await guest.run("systemd-run", "--quiet", "--no-block", ...unit, "sh", "-ec", script);
  await until("a long script to end", 600, async () => {
    const { stdout } = await guest.try("systemctl", "is-active", "long.service");
    if (stdout.trim() === "active") return holds(undefined);
    return not(
      stdout + (await guest.try("journalctl", "--no-pager", "-n", "5", "-u", "long.service")).stdout,
    );
  });
  await guest.run("systemctl", "stop", "long.service");
}

/** Whether a TCP connection from the internet, or from another server over the mesh, is answered. */
function connects(host: string, port: number): string {
  return `timeout 2 bash -c 'exec 3<>/dev/tcp/${host}/${port}'`;
}

/** Ports of the two whose datagrams reach a program on the server, with the address they came from. */
async function heard(name: string, senders: ((script: string) => Promise<unknown>)[], host: string) {
  const addresses = [host, ...(server(name).status === undefined ? [] : [meshAddress(name)])];
  const listen = `
import select, socket, subprocess
sockets = []
for address in ${JSON.stringify(addresses)}:
    for port in (9993, 9994):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # As zerotier-one binds its own: of two, the later one is given what comes.
        card = subprocess.run(["ip", "-o", "addr", "show", "to", address], capture_output=True, text=True).stdout.split()[1]
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, card.encode())
        s.bind((address, port))
        sockets.append(s)
print("ready", flush=True)
seen = set()
while (ready := select.select(sockets, [], [], 4)[0]):
    for s in ready:
        seen.add("%s %s" % (s.getsockname()[1], s.recvfrom(64)[1][0]))
    if len(seen) > 8: break
print(",".join(sorted(seen)))`;
  const { guest } = server(name);
  const heard = guest.run("timeout", "20", "python3", "-c", listen);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const send = `for port in 9993 9994; do echo hello >/dev/udp/${host}/$port; done`;
  await Promise.all(senders.map((from) => from(send)));
  return (await heard).split("\n").slice(1).join();
}

/** Each container fetches from all others, by both families, and is seen under its own address. */
async function expectExchange(): Promise<void> {
  await everywhere(async (name) => {
    const from = containerOf(name);
    const others = NAMES.filter((other) => other !== name).map(containerOf);
    const seen = await fetchFrom(from, ...others.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]));
    expect(seen, `what ${name} is seen as`).toEqual(others.flatMap(() => [from.ipv4, from.ipv6]));
  });
}

async function untilExchange(what: string): Promise<void> {
  await until(`containers to reach each other ${what}`, 90, async () => {
    await everywhere(async (name) => {
      server(name).container = await inspect(server(name).guest, "web");
    });
    await expectExchange();
    return holds(undefined);
  });
}

/** Strangers get what the operator lets in, SSH, and neither the host's nor a container's other ports. */
async function expectClosed(name: string): Promise<void> {
  const { guest } = server(name);
  const { ipv4, ipv6 } = containerOf(name);
  const own = internetAddress(guest.index);
  await guest.sh(
    "systemctl start ssh.service; systemd-run --quiet --unit=listener python3 -m http.server 8000",
  );
  const routes = [`${ipv4}/32 via ${own.ipv4}`, `${ipv6}/128 via ${own.ipv6}`];
  for (const route of routes) await outsider(`ip route replace ${route}`);
  onTestFinished(async () => {
    for (const route of routes) await outsider(`ip route del ${route}`);
  });
  await until("the listener", 60, async () =>
    (await guest.try("sh", "-c", connects("127.0.0.1", 8000))).code === 0 ? holds(undefined) : not("refused"),
  );
  const peer = server(NAMES.find((other) => other !== name) ?? name).guest;
  const overMesh = (host: string, port: number) => peer.try("sh", "-c", connects(host, port));
  const [ssh, host, lease4, lease6, byMesh, byGateway, byMesh6, container] = await Promise.all([
    outsider(connects(own.ipv4, 22)),
    outsider(connects(own.ipv4, 8000)),
    outsider(connects(ipv4, 80)),
    outsider(connects(ipv6, 80)),
    overMesh(meshAddress(name), 8000),
    overMesh(ipv4.replace(/\.\d+$/, ".1"), 8000),
    overMesh(ipv6.replace(/::.*$/, "::1"), 8000),
    overMesh(ipv4, 80),
  ]);
  await guest.run("systemctl", "stop", "listener.service");
  expect({ ssh: ssh.code, container: container.code }, name).toEqual({ ssh: 0, container: 0 });
  for (const shut of [host, lease4, lease6, byMesh, byGateway, byMesh6]) expect(shut.code, name).not.toBe(0);
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  await Promise.all(
    Object.entries(FIREWALLS).map(async ([name, firewall], index) => {
      const guest = await lab.order({ name, index: index + 1, image: firewall.image });
      await guest.boot();
      await guest.settled();
      await longSh(guest, installBeforehand(servers.repository.url, firewall.packages));
      await importImage(guest);
      await guest.sh(firewall.close);
      // Closing took Docker's own rules away; with firewalld dockerd makes its zone now.
      await guest.run("systemctl", "restart", "docker.service");
      closed.set(name, { guest, firewall, before: await snapshot(guest) });
    }),
  );
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("each firewall is closed to ZeroTier's port before", async () => {
  await everywhere(async (name) => {
    const { ipv4 } = internetAddress(server(name).guest.index);
    expect(await heard(name, [outsider], ipv4), name).toBe("");
  });
});

test("the servers join, and their containers reach each other by both families under their own addresses", async () => {
  await everywhere(async (name) => {
    const { guest } = server(name);
    const answer = await servers.asOperator(
      "POST",
      "/v1/user-data",
      { form: "include", name },
      { accept: "text/plain" },
    );
    expect(answer.status, answer.text).toBe(201);
    await guest.sh(`curl -fsS ${/^http\S+/m.exec(answer.text)?.[0]}/sh | sh`);
    server(name).status = await untilInMesh(guest);
    server(name).container = await startContainer(guest, "web");
  });
  await untilExchange("after the join");
});

describe.each(NAMES)("%s", (name) => {
  test("lets SSH in as before, and neither other ports of the host nor a container's", async () => {
    await expectClosed(name);
  });

  test("lets ZeroTier's port in from the internet, and no other", async () => {
    const peer = server(NAMES.find((other) => other !== name) ?? name).guest;
    const { ipv4 } = internetAddress(server(name).guest.index);
    const mesh = (script: string) => peer.try("bash", "-c", script.replaceAll(ipv4, meshAddress(name)));
    expect(await heard(name, [outsider, mesh], ipv4)).toBe(`9993 ${GATEWAY_IPV4}`);
  });
});

test("a bridge that the user named, too, is in the mesh", async () => {
  const { guest } = server("ufw");
  await guest.run(
    ...(["docker", "network", "create", "--ipv6", "--opt"] as const),
    ...["com.docker.network.bridge.name=shop0", "shop"],
  );
  const shop = await startContainer(guest, "shop", "shop");
  const till = await startContainer(guest, "till", "shop");
  const peer = containerOf("nftables");
  await until("the network to be reached", 60, async () => {
    expect(await fetchFrom(peer, shop.ipv4, shop.ipv6)).toEqual([peer.ipv4, peer.ipv6]);
    expect(await fetchFrom(shop, till.ipv4, till.ipv6, peer.ipv4, peer.ipv6)).toEqual([
      ...[shop.ipv4, shop.ipv6],
      ...[shop.ipv4, shop.ipv6],
    ]);
    return holds(undefined);
  });
  await guest.sh("docker rm -f shop till && docker network rm shop");
});

const EVENTS: Readonly<Record<string, (server: Server) => Promise<unknown>>> = {
  "a reload of the firewall": ({ guest, firewall }) => guest.sh(firewall.reload),
  "a restart of the firewall": ({ guest, firewall }) =>
    guest.run("systemctl", "restart", `${firewall.unit}.service`),
  "a restart of dockerd": ({ guest }) => guest.run("systemctl", "restart", "docker.service"),
  "a restart of zerotier-one": ({ guest }) => guest.run("systemctl", "restart", "zerotier-one.service"),
  "a reboot": async ({ guest }) => {
    await guest.reboot();
    await untilInMesh(guest, 150);
  },
};

test.each(Object.keys(EVENTS))("all of it holds after %s", async (event) => {
  await everywhere((name) => EVENTS[event]?.(server(name)) ?? Promise.reject(new Error(event)));
  await untilExchange(`after ${event}`);
  await everywhere(async (name) => {
    const { rules } = await meshStatus(server(name).guest);
    expect(rules, name).toBe(true);
  });
});

test("a chain of Docker's that ufw keeps, and empties with each reload, has its accepts back within seconds", async () => {
  const { guest } = server("ufw");
  const accepts = "iptables -S DOCKER-USER | grep -- '-i zt.* -j ACCEPT' || :";
  // As people close published ports with ufw: their rules for Docker's chain stand in its file.
  await guest.sh(`
    cp -p /etc/ufw/after.rules /root/after.rules
    printf '*filter\\n:DOCKER-USER - [0:0]\\n-A DOCKER-USER -s 198.51.100.0/24 -j DROP\\n-A DOCKER-USER -j RETURN\\nCOMMIT\\n' >>/etc/ufw/after.rules
    systemctl kill -s STOP meshboot-watch
    ufw reload`);
  expect(await guest.sh(accepts), "what the reload leaves").toBe("");
  await guest.run("systemctl", "kill", "-s", "CONT", "meshboot-watch");
  await until("the accept to be back", 60, async () => {
    const there = await guest.sh(accepts);
    return there === "" ? not("none") : holds(there);
  });
  await guest.sh("iptables -I FORWARD -d 172.16.0.0/12 -j REJECT");
  await until("the accepts to stand before the reject", 60, async () => {
    const chain = await guest.sh("iptables -S FORWARD");
    return /-i zt\S+ -j ACCEPT[\s\S]*-j REJECT/.test(chain) ? holds(undefined) : not(chain);
  });
  await untilExchange("with a reject");
  await guest.sh(
    "iptables -D FORWARD -d 172.16.0.0/12 -j REJECT; mv /root/after.rules /etc/ufw/after.rules; ufw reload",
  );
  await guest.sh("iptables -D DOCKER-USER -s 198.51.100.0/24 -j DROP || :");
  await untilExchange("after another reload");
});

test.each(NAMES)("and %s is still closed to strangers", async (name) => {
  await untilInMesh(server(name).guest);
  await expectClosed(name);
});

test.each(NAMES)("meshboot down leaves %s as it was", async (name) => {
  const { guest, before } = server(name);
  await guest.sh("docker rm -f web && meshboot down");
  // As it was taken: dockerd restarted last.
  await guest.run("systemctl", "restart", "docker.service");
  const found = difference(before, await snapshot(guest));
  // A reboot lies between the two, and Meshboot's own files stay.
  const files = (found["files"] ?? []).filter(
    (line) =>
      !/ \/(etc\/(systemd\/system\/)?meshboot|usr\/local\/sbin\/meshboot|var\/lib\/cloud\/|.*\.pid$)/.test(
        line,
      ),
  );
  // Docker closes FORWARD when it is the one that switches forwarding on, which after that reboot it was not.
  const rules = ["ruleset", "iptables", "ip6tables"].flatMap((aspect) => found[aspect] ?? []);
  const policy = /:FORWARD (DROP|ACCEPT)|hook forward priority filter; policy (drop|accept);/;
  expect(rules.filter((line) => name !== "firewalld" || !policy.test(line))).toEqual([]);
  expect(files).toEqual([]);
});
