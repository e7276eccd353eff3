// Three generations of Docker in one mesh: who reaches whom, and under which address, in each of four states. The whole
// is printed as a table, also when a cell of it fails.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "../lab/topology.ts";
import { MatrixTable } from "./matrix-table.ts";
import {
  askFrom,
  askFromOutside,
  FAMILIES,
  type Family,
  NETWORKS,
  type Network,
  type Peer,
  type Probe,
  peersOf,
  startPeers,
  toHost,
  toPublished,
  toUnpublished,
} from "./peers.ts";

/** A server of each of Debian's suites, with the Docker and the Compose that it brings. */
const GENERATIONS = [
  { name: "bookworm", image: "docker", docker: "20.10", compose: "1.29" },
  { name: "trixie", image: "trixie", docker: "26.1", compose: "2.26" },
  { name: "forky", image: "forky", docker: "28.5", compose: "2.40" },
] as const;

const STATES = ["fresh", "dockerd restarted", "zerotier-one restarted", "rebooted"] as const;
type State = (typeof STATES)[number];

/** How a server gets into a state, from the one before. */
const ENTER: Readonly<Record<State, (guest: Guest) => Promise<unknown>>> = {
  fresh: startPeers,
  "dockerd restarted": (guest) => guest.run("systemctl", "restart", "docker.service"),
  "zerotier-one restarted": (guest) => guest.run("systemctl", "restart", "zerotier-one.service"),
  rebooted: async (guest) => {
    await guest.reboot();
    await guest.settled();
  },
};

/** How long an answer that must come is insisted on: an address may still be tentative, a route on its way. */
const PATIENCE = 20;
/** How long one that must not come is waited for. */
const LISTEN = 1;

const OUTSIDER: Readonly<Record<Family, string>> = { IPv4: GATEWAY_IPV4, IPv6: GATEWAY_IPV6 };

function versionOf(guest: Guest): string {
  const found = GENERATIONS.find(({ name }) => name === guest.name);
  if (!found) throw new Error(`no generation of Docker is called ${guest.name}`);
  return found.docker;
}

/** Titles of the table's rows. */
const title = {
  mesh: (from: string, to: string, family: Family, network: Network) =>
    `${from.padStart(5)} → ${to.padEnd(5)}  ${family}  to ${network}`,
  apart: (version: string, family: Family) =>
    `${version.padStart(5)} alone    ${family}  docker0 and Compose apart, as Docker has it`,
  hidden: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: unpublished, no answer`,
  published: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: published, at the host's address`,
  direct: (version: string, family: Family, network: Network) =>
    `internet → ${version.padEnd(5)} ${family}  ${network}: published, at its own address, no answer`,
  closed: (version: string) =>
    `internet → ${version.padEnd(5)} IPv4  networks outside of the mesh: FORWARD is closed`,
};

const VERSIONS = GENERATIONS.map(({ docker }) => docker);

const ROWS = [
  ...VERSIONS.flatMap((from) =>
    VERSIONS.filter((to) => to !== from).flatMap((to) =>
      FAMILIES.flatMap((family) => NETWORKS.map((network) => title.mesh(from, to, family, network))),
    ),
  ),
  ...VERSIONS.flatMap((version) => FAMILIES.map((family) => title.apart(version, family))),
  ...[title.hidden, title.published, title.direct].flatMap((promise) =>
    VERSIONS.flatMap((version) =>
      FAMILIES.flatMap((family) => NETWORKS.map((network) => promise(version, family, network))),
    ),
  ),
  ...VERSIONS.map(title.closed),
];

const table = new MatrixTable<State>(STATES, ROWS);

/** A probe, and the address under which its caller must be seen; without one there must be no answer. */
interface Question {
  readonly row: string;
  readonly probe: Probe;
  readonly caller?: string;
}

/** What a container asks: its peers on the other servers, and that of the other network on its own. */
function questionsFrom(from: Peer, peers: readonly Peer[]): Question[] {
  const version = versionOf(from.guest);
  return FAMILIES.flatMap((family) =>
    peers.flatMap((to): Question[] => {
      if (to === from) return [];
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

/** What the outsider asks of a container, straight and by its server. */
function questionsFromOutside(to: Peer): Question[] {
  const version = versionOf(to.guest);
  const host = internetAddress(to.guest.index);
  return FAMILIES.flatMap((family): Question[] => {
    const address = to.addresses[family];
    const atHost = toHost(family === "IPv4" ? host.ipv4 : host.ipv6, to.network, PATIENCE);
    const ask = (promise: typeof title.hidden, probes: readonly Probe[]) =>
      probes.map((probe) => ({ row: promise(version, family, to.network), probe }));
    return [
      ...ask(title.hidden, toUnpublished(address, LISTEN)),
      ...ask(title.published, atHost).map((question) => ({ ...question, caller: OUTSIDER[family] })),
      ...ask(title.direct, toPublished(address, LISTEN)),
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

/** The outsider is a neighbour on the servers' network that routes the containers' addresses at them. */
async function routeFromOutside({ guest, addresses }: Peer): Promise<void> {
  const host = internetAddress(guest.index);
  const ip = (...args: string[]) => run(...inside(lab.network.internet, "ip", args));
  await ip("route", "replace", addresses.IPv4, "via", host.ipv4);
  await ip("-6", "route", "replace", addresses.IPv6, "via", host.ipv6);
}

/** dockerd leaves FORWARD open where forwarding was on before it, as it is here from the boot on. */
async function noteForward(state: State, guest: Guest): Promise<void> {
  const rules = await guest.run("iptables", "-w", "-S", "FORWARD");
  table.note(title.closed(versionOf(guest)), state, rules.startsWith("-P FORWARD DROP") ? [] : [rules]);
}

async function measure(state: State): Promise<void> {
  await Promise.all(guests.map((guest) => noteForward(state, guest)));
  const peers = (await Promise.all(guests.map(peersOf))).flat();
  await Promise.all([
    ...peers.map(async (from) => {
      const questions = questionsFrom(from, peers);
      const answers = await askFrom(
        from,
        questions.map(({ probe }) => probe),
      );
      noteAnswers(state, `${from.network} of ${from.guest.name}`, questions, answers);
    }),
    (async () => {
      await Promise.all(peers.map(routeFromOutside));
      const questions = peers.flatMap(questionsFromOutside);
      const answers = await askFromOutside(
        lab,
        questions.map(({ probe }) => probe),
      );
      noteAnswers(state, "the internet", questions, answers);
    })(),
  ]);
}

let lab: Lab;
let servers: Servers;
const guests: Guest[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  for (const [index, { name, image }] of GENERATIONS.entries()) {
    guests.push(
      await lab.order({ name, image, index: index + 1, userData: await servers.userData({ name }) }),
    );
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
    const guest = guests.find((other) => other.name === name);
    expect(await guest?.run("docker", "version", "--format", "{{.Server.Version}}")).toMatch(`${docker}.`);
    expect(await guest?.run("docker-compose", "--version")).toMatch(` ${compose}.`);
  },
);

test.each(STATES)("%s: every container asks every other one, and so does the internet", async (state) => {
  await Promise.all(guests.map(ENTER[state]));
  await Promise.all(guests.map((guest) => untilInMesh(guest)));
  await measure(state);
});

describe("the matrix", () => {
  const asPromised = Object.fromEntries(STATES.map((state) => [state, "ok"]));
  test.each(ROWS)("%s", (row) => {
    expect(table.outcome(row)).toEqual(asPromised);
  });
});
