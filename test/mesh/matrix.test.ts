// Four generations of Docker in one mesh: who reaches whom, and under which address, in each of four states. The whole
// is printed as a table, also when a cell of it fails.
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import type { ImageKind } from "../lab/rootfs.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "../lab/topology.ts";
import { MatrixTable } from "./matrix-table.ts";
import {
  askFrom,
  askFromOutside,
  askFromServer,
  behind,
  FAMILIES,
  type Family,
  familiesOf,
  NEIGHBOUR,
  NETWORKS,
  type Network,
  OUTSIDE,
  outsideSubnets,
  type Peer,
  type Probe,
  peersOf,
  SWARM,
  startPeers,
  startTasks,
  toHost,
  toLoopbackPublished,
  toPublished,
  toUnpublished,
} from "./peers.ts";

interface Generation {
  readonly name: string;
  readonly image: ImageKind;
  readonly docker: string;
  readonly compose: string;
  /** Its daemon.json before the first boot. */
  readonly json?: string;
  /** A node of a Swarm, which Docker 29 is not with nftables. */
  readonly isSwarm?: true;
}

/** A server of each of Debian's suites, with the Docker and the Compose that it brings; and the double of 29 with nftables. */
const GENERATIONS: readonly Generation[] = [
  { name: "bookworm", image: "docker", docker: "20.10", compose: "1.29" },
  { name: "trixie", image: "trixie", docker: "26.1", compose: "2.26" },
  { name: "forky", image: "forky", docker: "28.5", compose: "2.40", isSwarm: true },
  {
    name: "nftables",
    image: "forky-29",
    docker: "29.0",
    compose: "2.40",
    json: '{"firewall-backend": "nftables"}\n',
  },
];

const STATES = ["fresh", "dockerd restarted", "zerotier-one restarted", "rebooted"] as const;
type State = (typeof STATES)[number];

/** How a server gets into a state, from the one before. */
const ENTER: Readonly<Record<State, (guest: Guest) => Promise<unknown>>> = {
  fresh: async (guest) => {
    await startPeers(guest);
    if (generationOf(guest).isSwarm) await startTasks(guest);
  },
  "dockerd restarted": (guest) => guest.run("systemctl", "restart", "docker.service"),
  "zerotier-one restarted": (guest) => guest.run("systemctl", "restart", "zerotier-one.service"),
  rebooted: async (guest) => {
    await guest.reboot();
    await guest.settled();
  },
};

/** Whether iptables and ip6tables see what two containers on one bridge say to each other: 1 wherever br_netfilter is loaded. */
const BRIDGE_NF = [1, 0] as const;

async function setBridgeNf(guest: Guest, value: number): Promise<void> {
  const file = "/etc/sysctl.d/bridge-nf.conf";
  const line = (tool: string) => `net.bridge.bridge-nf-call-${tool} = ${value}\n`;
  writeFileSync(guest.root + file, line("iptables") + line("ip6tables"));
  await guest.run("sysctl", "--quiet", `--load=${file}`);
}

/** How long an answer that must come is insisted on: an address may still be tentative, a route on its way. */
const PATIENCE = 20;
/** How long one that must not come is waited for. */
const LISTEN = 1;

const OUTSIDER: Readonly<Record<Family, string>> = { IPv4: GATEWAY_IPV4, IPv6: GATEWAY_IPV6 };

function generationOf(guest: Guest): Generation {
  const found = GENERATIONS.find(({ name }) => name === guest.name);
  if (!found) throw new Error(`no generation of Docker is called ${guest.name}`);
  return found;
}

const versionOf = (guest: Guest): string => generationOf(guest).docker;

/** Titles of the table's rows. */
const title = {
  mesh: (from: string, to: string, family: Family, network: Network) =>
    `${from.padStart(5)} → ${to.padEnd(5)}  ${family}  to ${network}`,
  apart: (version: string, family: Family) =>
    `${version.padStart(5)} alone    ${family}  its networks apart, as Docker has it`,
  together: (version: string, family: Family, network: Network) =>
    `${version.padStart(5)} alone    ${family}  ${network}: neighbours on one bridge`,
  hidden: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: unpublished, no answer`,
  published: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: published, at the host's address`,
  direct: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: published, at its own address, no answer`,
  member: (version: string, family: Family) =>
    `    mesh → ${version.padEnd(5)} ${family}  ${OUTSIDE}: at its own address, no answer`,
  past: (version: string, family: Family) =>
    `internet → ${version.padEnd(5)} ${family}  a second network behind it, no answer`,
  through: (version: string, family: Family) =>
    `internet ← ${version.padEnd(5)} ${family}  a second network behind it, no answer`,
};

const VERSIONS = GENERATIONS.map(({ docker }) => docker);

/** Where a server has containers that are in the mesh. */
const meshNetworks = ({ isSwarm }: Generation, family: Family): readonly Network[] =>
  isSwarm && family === "IPv4" ? [...NETWORKS, SWARM] : NETWORKS;

/** Where it has any. */
const allNetworks = (generation: Generation, family: Family): readonly Network[] => [
  ...meshNetworks(generation, family),
  OUTSIDE,
];

/** Whose containers speak with each other: those on docker_gwbridge are kept apart by Docker. */
const WITH_NEIGHBOURS: readonly Network[] = [...NETWORKS, OUTSIDE];

const ROWS = [
  ...GENERATIONS.flatMap((from) =>
    GENERATIONS.filter((to) => to !== from).flatMap((to) =>
      FAMILIES.flatMap((family) =>
        meshNetworks(to, family).map((network) => title.mesh(from.docker, to.docker, family, network)),
      ),
    ),
  ),
  ...VERSIONS.flatMap((version) => FAMILIES.map((family) => title.apart(version, family))),
  ...VERSIONS.flatMap((version) =>
    FAMILIES.flatMap((family) => WITH_NEIGHBOURS.map((network) => title.together(version, family, network))),
  ),
  ...[title.hidden, title.published, title.direct].flatMap((promise) =>
    GENERATIONS.flatMap((generation) =>
      FAMILIES.flatMap((family) =>
        allNetworks(generation, family).map((network) => promise(generation.docker, family, network)),
      ),
    ),
  ),
  ...[title.member, title.past, title.through].flatMap((promise) =>
    VERSIONS.flatMap((version) => FAMILIES.map((family) => promise(version, family))),
  ),
];

const table = new MatrixTable<State>(STATES, ROWS);

/** A probe, and the address under which its caller must be seen; without one there must be no answer. */
interface Question {
  readonly row: string;
  readonly probe: Probe;
  readonly caller?: string;
}

/** What a container asks: its peers on the other servers, and those of the other networks on its own. */
function questionsFrom(from: Peer, peers: readonly Peer[]): Question[] {
  const version = versionOf(from.guest);
  return familiesOf(from).flatMap((family) =>
    peers.flatMap((to): Question[] => {
      if (to === from || !familiesOf(to).includes(family)) return [];
      const isMesh = to.guest !== from.guest;
      const row = isMesh
        ? title.mesh(version, versionOf(to.guest), family, to.network)
        : title.apart(version, family);
      return toUnpublished(to.addresses[family], isMesh ? PATIENCE : LISTEN).map((probe) => ({
        row,
        probe,
        ...(isMesh ? { caller: from.addresses[family] } : {}),
      }));
    }),
  );
}

/** What it asks its neighbour. */
function questionsToNeighbour(from: Peer): Question[] {
  return familiesOf(from).flatMap((family) =>
    toUnpublished(from.neighbour[family], PATIENCE).map((probe) => ({
      row: title.together(versionOf(from.guest), family, from.network),
      probe,
      caller: from.addresses[family],
    })),
  );
}

/** What the outsider asks of a container, straight and by its server. */
function questionsFromOutside(to: Peer): Question[] {
  const version = versionOf(to.guest);
  const host = internetAddress(to.guest.index);
  return familiesOf(to).flatMap((family): Question[] => {
    const address = to.addresses[family];
    const atHost = toHost(family === "IPv4" ? host.ipv4 : host.ipv6, to.network, PATIENCE);
    const ask = (promise: typeof title.hidden, probes: readonly Probe[]) =>
      probes.map((probe) => ({ row: promise(version, family, to.network), probe }));
    return [
      ...ask(title.hidden, toUnpublished(address, LISTEN)),
      ...ask(title.published, atHost).map((question) => ({ ...question, caller: OUTSIDER[family] })),
      ...ask(title.direct, toPublished(address, LISTEN)),
      ...(to.network === OUTSIDE ? ask(title.direct, toLoopbackPublished(address, LISTEN)) : []),
    ];
  });
}

function noteAnswers(
  state: State,
  from: string,
  questions: readonly Question[],
  answers: readonly string[],
): void {
  for (const [index, { row, probe, caller }] of questions.entries()) {
    const answer = answers[index] ?? "none: the probe ended early";
    const { protocol, address, port } = probe;
    const expected = protocol === "ping" ? "saw a reply" : `saw ${caller}`;
    const holds = caller === undefined ? answer.startsWith("none ") : answer === expected;
    const fault = `${protocol} from ${from} to ${address} port ${port}: ${answer}`;
    table.note(row, state, holds ? [] : [fault]);
  }
}

/** A member of the mesh asks for what has no part of the lease, by a route through the mesh. */
function questionsFromMember(to: Peer): Question[] {
  return FAMILIES.flatMap((family) => {
    const address = to.addresses[family];
    const probes = [toUnpublished, toPublished, toLoopbackPublished].flatMap((ask) => ask(address, LISTEN));
    return probes.map((probe) => ({ row: title.member(versionOf(to.guest), family), probe }));
  });
}

/** The outsider asks the machine behind a server. */
const questionsPast = (guest: Guest): Question[] =>
  FAMILIES.flatMap((family) =>
    toUnpublished(behind(guest).machine[family], LISTEN).map((probe) => ({
      row: title.past(versionOf(guest), family),
      probe,
    })),
  );

/** The outsider is a neighbour on the servers' network that routes at them what they have: containers' addresses, a second network. */
async function routeFromOutside(guest: Guest, addresses: Readonly<Record<Family, string>>): Promise<void> {
  const host = internetAddress(guest.index);
  const ip = (...args: string[]) => run(...inside(lab.network.internet, "ip", args));
  await ip("route", "replace", addresses.IPv4, "via", host.ipv4);
  if (addresses.IPv6 !== "") await ip("-6", "route", "replace", addresses.IPv6, "via", host.ipv6);
}

/** A server routes the outside networks of another one through the mesh. */
async function routeThroughMesh(from: Guest, to: Guest): Promise<void> {
  const { zerotierIpv4, dockerIpv6 } = await meshStatus(to);
  const outside = outsideSubnets(to);
  await from.run("ip", "route", "replace", outside.IPv4, "via", zerotierIpv4.replace(/\/.*/, ""));
  await from.run("ip", "-6", "route", "replace", outside.IPv6, "via", dockerIpv6.replace(/::\/.*/, "::1"));
}

type Ask = (probes: readonly Probe[]) => Promise<string[]>;

async function note(state: State, from: string, questions: readonly Question[], ask: Ask): Promise<void> {
  noteAnswers(state, from, questions, await ask(questions.map(({ probe }) => probe)));
}

/** The machine behind a server is there, and gets no answer from the internet, which has a way back to it. */
async function noteBehind(state: State, guest: Guest, at: (where: string) => string): Promise<void> {
  const { machine, server } = behind(guest);
  const there = FAMILIES.flatMap((family) =>
    toUnpublished(machine[family], PATIENCE).map((probe) => ({
      row: title.through(versionOf(guest), family),
      probe,
      caller: server[family],
    })),
  );
  await note(state, at(guest.name), there, (probes) => askFromServer(guest, probes));
  const away = FAMILIES.map((family) => ({
    row: title.through(versionOf(guest), family),
    probe: { seconds: LISTEN, protocol: "ping", address: OUTSIDER[family], port: 0 } as const,
  }));
  await note(state, at(`behind ${guest.name}`), away, (probes) => askFromServer(guest, probes, true));
}

async function measure(state: State, bridgeNf: number): Promise<void> {
  const at = (where: string) => `${where}, at bridge-nf-call ${bridgeNf},`;
  await Promise.all(guests.map((guest) => setBridgeNf(guest, bridgeNf)));
  const all = (await Promise.all(guests.map(peersOf))).flat();
  const peers = all.filter(({ network }) => network !== OUTSIDE);
  const outside = all.filter(({ network }) => network === OUTSIDE);
  await Promise.all(all.map(({ guest, addresses }) => routeFromOutside(guest, addresses)));
  await Promise.all(guests.map((guest) => routeFromOutside(guest, behind(guest).machine)));
  await Promise.all([
    ...peers.map((from) =>
      note(state, at(`${from.network} of ${from.guest.name}`), questionsFrom(from, peers), (probes) =>
        askFrom(from, probes),
      ),
    ),
    ...all
      .filter(({ network }) => WITH_NEIGHBOURS.includes(network))
      .map((from) =>
        note(state, at(`${from.network} of ${from.guest.name}`), questionsToNeighbour(from), (probes) =>
          askFrom(from, probes),
        ),
      ),
    ...outside.map(async (to, index) => {
      const member = guests[(index + 1) % guests.length] ?? to.guest;
      await routeThroughMesh(member, to.guest);
      await note(state, at(member.name), questionsFromMember(to), (probes) => askFromServer(member, probes));
    }),
    ...guests.map((guest) => noteBehind(state, guest, at)),
    note(
      state,
      at("the internet"),
      [...all.flatMap(questionsFromOutside), ...guests.flatMap(questionsPast)],
      (probes) => askFromOutside(lab, probes),
    ),
  ]);
}

let lab: Lab;
let servers: Servers;
const guests: Guest[] = [];

function guestOf(name: string): Guest {
  const guest = guests.find((other) => other.name === name);
  if (!guest) throw new Error(`no server is called ${name}`);
  return guest;
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  for (const [index, { name, image, json }] of GENERATIONS.entries()) {
    const guest = await lab.order({
      ...{ name, image, index: index + 1 },
      userData: await servers.userData({ name }),
    });
    if (json !== undefined) {
      mkdirSync(`${guest.root}/etc/docker`, { recursive: true });
      writeFileSync(`${guest.root}/etc/docker/daemon.json`, json);
    }
    guests.push(guest);
  }
  await Promise.all(guests.map((guest) => guest.boot()));
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail" && !ROWS.includes(task.name)) console.error(await lab.diagnosis());
});

afterAll(async () => {
  console.log(`${table}`);
  servers?.close();
  await lab?.close();
});

test("user-data alone takes a server of each generation into one mesh", async () => {
  await Promise.all(
    guests.map(async (guest) => {
      await guest.settled();
      await untilInMesh(guest, 240);
    }),
  );
});

test.each(GENERATIONS)(
  "$name runs Docker $docker and Compose $compose",
  async ({ name, docker, compose }) => {
    const guest = guestOf(name);
    expect(await guest.run("dockerd", "--version")).toMatch(` ${docker}.`);
    expect(await guest.run("docker-compose", "--version")).toMatch(` ${compose}.`);
  },
);

test.each(STATES)("%s: every container asks every other one, and so does the internet", async (state) => {
  await Promise.all(guests.map(ENTER[state]));
  await Promise.all(guests.map((guest) => untilInMesh(guest)));
  for (const bridgeNf of BRIDGE_NF) await measure(state, bridgeNf);
});

test.each(GENERATIONS)(
  "$name: after all that `up` restarts nothing, and doctor is content",
  async ({ name }) => {
    const guest = guestOf(name);
    const before = await guest.run("pidof", "dockerd");
    await guest.run("meshboot", "up");
    expect(await guest.run("pidof", "dockerd")).toBe(before);
    const said = (await guest.run("meshboot", "doctor")).split("\n");
    expect(said.filter((line) => /^(fault|warning)/.test(line))).toEqual([]);
    // None of the Swarm's networks: no lease has a piece for them.
    expect(said).toContainEqual(expect.stringMatching(/dockerd: networks outside the mesh: outside$/));
  },
);

test("a Swarm's node has docker_gwbridge in its lease and the other networks where Swarm puts them", async () => {
  const guest = guestOf("forky");
  const { slot } = await meshStatus(guest);
  const subnets = await guest.run(
    ...(["docker", "network", "inspect", "docker_gwbridge", "ingress", "inner"] as const),
    ...["--format", "{{range .IPAM.Config}}{{.Subnet}}{{end}}"],
  );
  expect(subnets.split("\n")).toEqual([
    expect.stringMatching(`^172\\.28\\.${slot}\\.[0-9]+/28$`),
    "10.0.0.0/24",
    "10.0.1.0/24",
  ]);
  const task = (await peersOf(guest)).find(({ network }) => network === SWARM);
  if (!task) throw new Error("no task runs");
  const own = expect.stringMatching(/^saw 10\.0\.1\.[0-9]+$/);
  expect(await askFrom(task, toUnpublished(NEIGHBOUR, PATIENCE))).toEqual([own, own, "saw a reply"]);
});

describe("the matrix", () => {
  const asPromised = Object.fromEntries(STATES.map((state) => [state, "ok"]));
  test.each(ROWS)("%s", (row) => {
    expect(table.outcome(row)).toEqual(asPromised);
  });
});
