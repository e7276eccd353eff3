// A running server, a Swarm's node among others, with each layout in turn: up, look, down, and all as it was. What never stops
// meanwhile is held too.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BROUGHT, installBeforehand } from "../lab/beforehand.ts";
import { run } from "../lab/command.ts";
import { importImage, inspect, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { inside } from "../lab/network.ts";
import { Servers } from "../lab/servers.ts";
import { difference, type Snapshot, snapshot } from "../lab/snapshot.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

/**
 * A double of robbertkl/ipv6nat: no registry is reachable. It has the name, the place and the rights of the real one, and
 * the guest's own ip6tables; it translates every ULA in one rule, and looks at no network of Docker's.
 */
const NAT_DOUBLE = `
  tree=/root/nat-image
  mkdir -p $tree/bin $tree/run
  cp /usr/sbin/xtables-nft-multi $tree/bin/ip6tables
  { ldd /usr/sbin/xtables-nft-multi | grep -o '/[^ ]*'; ls /usr/lib/*/xtables/*MASQ*; } | while read -r file; do
    mkdir -p $tree\${file%/*}; cp -L $file $tree$file
  done
  docker cp apart:/bin/busybox $tree/bin/busybox
  ln -s busybox $tree/bin/sh; ln -s busybox $tree/bin/sleep
  cat >$tree/nat <<'X'
#!/bin/sh
rule='POSTROUTING -s fc00::/7 ! -d fc00::/7 -j MASQUERADE'
trap 'ip6tables -w -t nat -D $rule; exit 0' TERM INT
ip6tables -w -t nat -A $rule || exit 1
while :; do sleep 3600 & wait $!; done
X
  chmod 755 $tree/nat
  tar -C $tree -c . | docker import --change 'ENTRYPOINT ["/nat"]' - robbertkl/ipv6nat:0.4.4 >/dev/null
  rm -r $tree
`;

let lab: Lab;
let servers: Servers;
let guest: Guest;
let before: Snapshot;
let bootUrl: string;

/** The numbers of the answers to a ping once a second that a container has been sending. */
async function answers(container: string): Promise<number[]> {
  const log = await guest.run("docker", "logs", container);
  return [...log.matchAll(/ seq=(\d+) /g)].map(([, seq]) => Number(seq));
}

/** How many packets with an address of the mesh have come out on the internet. */
async function leaked(): Promise<number> {
  const listing = await run(...inside(lab.network.internet, "nft", ["list", "table", "ip6", "leak"]));
  return Number(/counter packets (\d+)/.exec(listing)?.[1]);
}

async function pingsOut(container: string): Promise<boolean> {
  const ping = ["docker", "exec", container, "timeout", "4", "ping", "-c", "2", GATEWAY_IPV6] as const;
  return (await guest.try(...ping)).code === 0;
}

/** docker_gwbridge, which the Swarm has made before Meshboot came, as the snapshot has it. */
function gatewayBridge(): Promise<string> {
  const format = "{{.Name}} {{.EnableIPv6}} {{json .IPAM.Config}}";
  return guest.run("docker", "network", "inspect", "docker_gwbridge", "--format", format);
}

async function comesUp(settings: string): Promise<void> {
  await guest.sh(`
    sed -i '/^LAYOUT=/d; /^IPV6NAT=/d' /etc/meshboot/meshboot.conf
    printf '${settings}' >>/etc/meshboot/meshboot.conf
    echo ${/mbk_[A-Za-z0-9_-]+/.exec(bootUrl)?.[0]} >/etc/meshboot/key
    meshboot up --restart-docker
  `);
}

async function expectAsBefore(): Promise<void> {
  await guest.run("meshboot", "down", "--restart-docker");
  const { files = [], ...others } = difference(before, await snapshot(guest));
  expect(others).toEqual({});
  expect(files.filter((line) => !line.startsWith("+ "))).toEqual([]);
  expect([...new Set(files.map((line) => line.slice(line.indexOf("/"))))].sort()).toEqual(BROUGHT);
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  guest = await lab.order({ name: "vps1", index: 1, image: "docker" });
  await guest.boot();
  await guest.settled();
  await guest.sh(installBeforehand(servers.repository.url, "docker-compose"));
  await importImage(guest);
  await guest.run("docker", "swarm", "init", `--advertise-addr=${internetAddress(guest.index).ipv4}`);
  await guest.run("docker", "network", "create", "before");
  await startContainer(guest, "apart", "before");
  await guest.sh(NAT_DOUBLE);
  await guest.run(
    ...([
      "docker",
      "run",
      "--detach",
      "--restart=always",
      "--network=before",
      "--name=pinging",
      "lab",
    ] as const),
    ...["/bin/ping", GATEWAY_IPV4],
  );
  // dockerd words docker0's subnet differently when it finds the bridge there: as it does after any restart.
  await guest.run("systemctl", "restart", "docker.service");
  await run(
    ...inside(lab.network.internet, "nft", [
      "add table ip6 leak; add chain ip6 leak in { type filter hook prerouting priority -300; }; add rule ip6 leak in ip6 saddr fc00::/7 counter",
    ]),
  );
  const request = { form: "include", name: "vps1", layout: "compose", ipv6nat: "off" };
  const answer = await servers.asOperator("POST", "/v1/user-data", request, { accept: "text/plain" });
  expect(answer.status, answer.text).toBe(201);
  bootUrl = /^http\S+/m.exec(answer.text)?.[0] ?? "none";
  before = await snapshot(guest);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

describe("layout compose, where dockerd does not restart", () => {
  let first: string;

  test("a project's containers are in the mesh by what meshboot compose prints", async () => {
    first = await guest.run("pidof", "dockerd");
    await guest.sh(`curl -fsS ${bootUrl}/sh | sh`);
    await until("the lease to be applied", 120, async () => {
      const { code, stdout } = await guest.try("meshboot", "compose");
      const service = await guest.try("systemctl", "is-active", "meshboot.service");
      return code === 0 && service.stdout.trim() === "inactive" ? holds(undefined) : not(stdout);
    });
    await guest.sh(`
      mkdir -p /srv/shop && cd /srv/shop
      printf 'version: "2.1"\\nservices:\\n  web:\\n    image: lab\\n    command: /bin/httpd -f -p 80 -h /www\\n' >docker-compose.yml
      meshboot compose >docker-compose.override.yml
      docker-compose up -d
    `);
    const web = await inspect(guest, "shop_web_1");
    expect(web.ipv4).toMatch(/^172\.28\.1\.2$/);
    expect(web.ipv6).toMatch(/^fc9c:/);
  });

  test("an address of the mesh does not leave, and would be seen if it did", async () => {
    expect(await pingsOut("shop_web_1")).toBe(false);
    expect(await leaked()).toBe(0);
    await guest.run("nft", "flush chain inet meshboot leave");
    await pingsOut("shop_web_1");
    expect(await leaked()).toBeGreaterThan(0);
    await guest.sh("cd /srv/shop && docker-compose down && cd / && rm -r /srv/shop");
  });

  test("after down all is as before, and a container elsewhere lost no packet", async () => {
    await expectAsBefore();
    expect(await guest.run("pidof", "dockerd")).toBe(first);
    const seen = await answers("pinging");
    expect(seen.length).toBeGreaterThan(10);
    // Since dockerd's restart in the preparations, where the count begins anew.
    const last = seen.slice(seen.lastIndexOf(0));
    expect(last).toEqual(last.map((_, index) => index));
  });
});

describe.each(["LAYOUT=bridge\\n", "LAYOUT=split\\nIPV6NAT=container\\n"])(
  "%s, where dockerd restarts",
  (settings) => {
    test("the server's own traffic goes on, its containers run again, and no address of the mesh leaves", async () => {
      const sofar = await leaked();
      const pinging = run(...inside(`${lab.prefix}-vps1`, "busybox", ["ping", "-c", "20", GATEWAY_IPV4]));
      await comesUp(settings);
      await startContainer(guest, "web");
      expect((await inspect(guest, "web")).ipv4).toMatch(/^172\.28\.1\./);
      await until("IPv6 to the outside", 60, async () =>
        (await pingsOut("web")) ? holds(undefined) : not("no answer"),
      );
      expect(await pinging).toContain("20 packets received");
      expect((await guest.run("docker", "ps", "--format", "{{.Names}}")).split("\n")).toEqual(
        expect.arrayContaining(["apart", "pinging"]),
      );
      expect(await leaked()).toBe(sofar);
      expect(before["networks"]).toContain(await gatewayBridge());
      await guest.run("docker", "rm", "--force", "web");
    });

    test("after down all is as before", expectAsBefore);
  },
);
