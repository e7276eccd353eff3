// Docker 29's two firewall backends on servers of a mesh: a switch by the user's own restart of dockerd and back, reboots,
// a full-tunnel VPN beside it, IPv6 without translation, the user's word on forwarding, and `meshboot down`.
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";
import {
  askFrom,
  askFromOutside,
  behind,
  FAMILIES,
  type Peer,
  type Probe,
  peersOf,
  startPeers,
  toHost,
  toUnpublished,
} from "./peers.ts";

const NFTABLES = { "firewall-backend": "nftables" };
const PATIENCE = 20;

let lab: Lab;
let servers: Servers;
/** `switched` changes its backend; `nftables` has that one from the first boot on. */
let switched: Guest;
let nftables: Guest;

function write(guest: Guest, json: Readonly<Record<string, unknown>>): void {
  mkdirSync(`${guest.root}/etc/docker`, { recursive: true });
  writeFileSync(`${guest.root}/etc/docker/daemon.json`, JSON.stringify(json));
}

/** What its owner does: daemon.json, and dockerd's own restart. */
async function configure(guest: Guest, json: Readonly<Record<string, unknown>>): Promise<void> {
  write(guest, json);
  // Its unit allows three starts a minute, which no owner needs.
  await guest.sh("systemctl reset-failed docker.service; systemctl restart docker.service");
}

async function peerOf(guest: Guest): Promise<Peer> {
  const peer = (await peersOf(guest)).find(({ network }) => network === "docker0");
  if (!peer) throw new Error(`no peer on docker0 of ${guest.name}`);
  return peer;
}

/** Containers of the two servers have each other's answers, by TCP, UDP and ping over both families. */
async function expectExchange(): Promise<void> {
  const [one, other] = await Promise.all([peerOf(switched), peerOf(nftables)]);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const probes = FAMILIES.flatMap((family) => toUnpublished(to.addresses[family], PATIENCE));
    const expected = FAMILIES.flatMap((family) => [
      `saw ${from.addresses[family]}`,
      `saw ${from.addresses[family]}`,
      "saw a reply",
    ]);
    expect(await askFrom(from, probes), `from ${from.guest.name} to ${to.guest.name}`).toEqual(expected);
  }
}

const ping = (address: string, seconds: number): Probe => ({ seconds, protocol: "ping", address, port: 0 });

/** The internet by both families, and published ports from there. */
async function expectWayOut(guest: Guest): Promise<void> {
  const peer = await peerOf(guest);
  const out = [GATEWAY_IPV4, GATEWAY_IPV6].map((address) => ping(address, PATIENCE));
  expect(await askFrom(peer, out), "the way out").toEqual(["saw a reply", "saw a reply"]);
  const host = internetAddress(guest.index);
  const published = [...toHost(host.ipv4, "docker0", PATIENCE), ...toHost(host.ipv6, "docker0", PATIENCE)];
  expect(await askFromOutside(lab, published), "published ports").toEqual(
    [GATEWAY_IPV4, GATEWAY_IPV4, GATEWAY_IPV6, GATEWAY_IPV6].map((address) => `saw ${address}`),
  );
}

async function expectHealthy(guest: Guest): Promise<void> {
  expect(await meshStatus(guest)).toMatchObject({ dockerOptionsInForce: true, rules: true });
  const { stdout } = await guest.try("meshboot", "doctor");
  expect(stdout.split("\n").filter((line) => /^(fault|warning)/.test(line))).toEqual([]);
}

/** Whether the internet reaches the machine behind the server. */
async function passesStrangers(guest: Guest): Promise<boolean[]> {
  const host = internetAddress(guest.index);
  const { machine } = behind(guest);
  const ip = (...args: string[]) => run(...inside(lab.network.internet, "ip", args));
  await ip("route", "replace", machine.IPv4, "via", host.ipv4);
  await ip("-6", "route", "replace", machine.IPv6, "via", host.ipv6);
  const answers = await askFromOutside(
    lab,
    FAMILIES.map((family) => ping(machine[family], 2)),
  );
  return answers.map((answer) => answer === "saw a reply");
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  const order = async (name: string, index: number) =>
    lab.order({ name, image: "forky-29", index, userData: await servers.userData({ name }) });
  [switched, nftables] = await Promise.all([order("switched", 1), order("nftables", 2)]);
  write(nftables, NFTABLES);
  await Promise.all(
    [switched, nftables].map(async (guest) => {
      await guest.boot();
      await guest.settled();
      await untilInMesh(guest, 240);
      await startPeers(guest);
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

test("both are in the mesh, with the way out, and pass no stranger on", async () => {
  await expectExchange();
  for (const guest of [switched, nftables]) {
    await expectWayOut(guest);
    await expectHealthy(guest);
    expect(await passesStrangers(guest)).toEqual([false, false]);
  }
});

test("a reboot: the same, nothing is said of Docker's rules, and dockerd is not restarted by who may do so", async () => {
  await Promise.all(
    [switched, nftables].map(async (guest) => {
      await guest.sh("echo RESTART_DOCKER=on >>/etc/meshboot/meshboot.conf");
      await guest.reboot();
      await guest.settled();
      await untilInMesh(guest);
    }),
  );
  await expectExchange();
  for (const guest of [switched, nftables]) {
    const said = await guest.run("journalctl", "--boot", "--no-pager", "--output=cat");
    expect(said).not.toContain("Docker's own");
    expect(said.match(/^Starting docker\.service/gm)).toHaveLength(1);
    await guest.sh("sed -i /^RESTART_DOCKER/d /etc/meshboot/meshboot.conf");
    await expectWayOut(guest);
    await expectHealthy(guest);
    expect(await passesStrangers(guest)).toEqual([false, false]);
  }
});

test("to nftables, and back, by the owner's own restart: in the mesh each time, with no `up` in between", async () => {
  for (const json of [NFTABLES, {}, NFTABLES]) {
    await configure(switched, json);
    await expectExchange();
    await expectWayOut(switched);
    await expectHealthy(switched);
    expect(await passesStrangers(switched)).toEqual([false, false]);
  }
});

test("doctor tells of a policy of FORWARD that nftables leaves in force", async () => {
  await switched.run("iptables", "-P", "FORWARD", "DROP");
  const { code, stdout } = await switched.try("meshboot", "doctor");
  await switched.run("iptables", "-P", "FORWARD", "ACCEPT");
  expect(code, stdout).toBe(3);
  expect(stdout).toMatch(/^fault +nat44: .*FORWARD.*DROP/m);
});

test("a VPN that takes all traffic, as wg-quick sets it up, costs no UDP", async () => {
  await nftables.sh(`nft -f - <<'EOF'
table inet wg-quick-wg0 {
  chain premangle {
    type filter hook prerouting priority -150
    meta l4proto udp meta mark set ct mark
  }
  chain postmangle {
    type filter hook postrouting priority -150
    meta l4proto udp mark 51820 ct mark set mark
  }
}
EOF`);
  await expectExchange();
  await nftables.run("nft", "delete", "table", "inet", "wg-quick-wg0");
});

test("IPV6NAT=off ends the translation", async () => {
  const peer = await peerOf(nftables);
  await nftables.sh("echo IPV6NAT=off >>/etc/meshboot/meshboot.conf && meshboot up --restart-docker");
  expect(
    await askFrom(await peerOf(nftables), [ping(GATEWAY_IPV6, 2), ping(GATEWAY_IPV4, PATIENCE)]),
  ).toEqual([expect.stringContaining("none "), "saw a reply"]);
  await nftables.sh("sed -i /^IPV6NAT/d /etc/meshboot/meshboot.conf && meshboot up --restart-docker");
  expect(await askFrom(peer, [ping(GATEWAY_IPV6, PATIENCE)])).toEqual(["saw a reply"]);
});

test("the owner's word that forwarding stays open is heard", async () => {
  await configure(nftables, { ...NFTABLES, "ip-forward-no-drop": true });
  expect(await passesStrangers(nftables)).toEqual([true, true]);
  await configure(nftables, NFTABLES);
  expect(await passesStrangers(nftables)).toEqual([false, false]);
});

test("meshboot down leaves a dockerd that runs with its containers, and says what it needs from the next boot on", async () => {
  const peer = await peerOf(nftables);
  const names = async () => (await nftables.run("docker", "ps", "--format", "{{.Names}}")).split("\n").sort();
  const before = await names();
  const said = await nftables.sh("meshboot down --restart-docker 2>&1");
  await until("the containers to run again", 30, async () => {
    const running = await names();
    return running.join() === before.join() ? holds(undefined) : not(running.join());
  });
  expect(await nftables.run("systemctl", "is-active", "docker.service")).toBe("active");
  expect(await nftables.run("nft", "list", "tables")).not.toContain("meshboot");
  expect(said).toContain("net.ipv4.ip_forward=1");
  expect(await askFrom(peer, [ping(GATEWAY_IPV4, PATIENCE)])).toEqual(["saw a reply"]);
});

test("which starts at the next boot with what was said", async () => {
  await nftables.sh("echo net.ipv4.ip_forward=1 >/etc/sysctl.d/99-own.conf");
  await nftables.reboot();
  await nftables.settled();
  const peer = await peerOf(nftables);
  expect(await askFrom(peer, [ping(GATEWAY_IPV4, PATIENCE)])).toEqual(["saw a reply"]);
  expect(await nftables.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
});
