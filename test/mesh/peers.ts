import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import type { Lab } from "../lab/lab.ts";
import { inside } from "../lab/network.ts";
import { holds, not, until } from "../lab/until.ts";

const PROGRAM = join(import.meta.dirname, "peer.py");

/** Where a container is attached: Docker's default bridge, or the default network of a Compose project. */
export const NETWORKS = ["docker0", "Compose"] as const;
export type Network = (typeof NETWORKS)[number];

export const FAMILIES = ["IPv4", "IPv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** What every peer listens on, over TCP and UDP: one port that nobody publishes, and one that is published. */
const UNPUBLISHED_TCP = 7001;
const UNPUBLISHED_UDP = 7002;
const PUBLISHED = 8000;

/** The host's port for PUBLISHED, by the container's network. */
const HOST_PORT: Readonly<Record<Network, number>> = { docker0: 8001, Compose: 8002 };

const COMMAND = ["python3", "-I", "/peer/peer.py", "serve"].concat(
  [UNPUBLISHED_TCP, UNPUBLISHED_UDP, PUBLISHED].map(String),
);

const PROJECT = `services:
  peer:
    image: lab-peer
    restart: always
    stop_signal: SIGKILL
    volumes: ["/usr:/usr:ro", "/srv/peer:/peer:ro"]
    ports: ["${HOST_PORT.Compose}:${PUBLISHED}", "${HOST_PORT.Compose}:${PUBLISHED}/udp"]
networks:
  default:
    enable_ipv6: true
`;

/** A running container that answers its callers with the address that it sees. */
export interface Peer {
  readonly guest: Guest;
  readonly network: Network;
  readonly container: string;
  readonly addresses: Readonly<Record<Family, string>>;
}

/** One question to an address; `seconds` is how long to insist on an answer. */
export interface Probe {
  readonly seconds: number;
  readonly protocol: "tcp" | "udp" | "ping";
  readonly address: string;
  readonly port: number;
}

/** TCP and UDP to ports that nobody publishes, and ping. */
export function toUnpublished(address: string, seconds: number): Probe[] {
  return [
    { seconds, protocol: "tcp", address, port: UNPUBLISHED_TCP },
    { seconds, protocol: "udp", address, port: UNPUBLISHED_UDP },
    { seconds, protocol: "ping", address, port: 0 },
  ];
}

/** TCP and UDP to the published port, at the host's address. */
export function toHost(address: string, network: Network, seconds: number): Probe[] {
  const port = HOST_PORT[network];
  return [
    { seconds, protocol: "tcp", address, port },
    { seconds, protocol: "udp", address, port },
  ];
}

/** TCP and UDP to the published port, past the host's own address. */
export function toPublished(address: string, seconds: number): Probe[] {
  return [
    { seconds, protocol: "tcp", address, port: PUBLISHED },
    { seconds, protocol: "udp", address, port: PUBLISHED },
  ];
}

/**
 * Starts a peer on docker0, by `docker run`, and one by a Compose project with a network of its own. Their image is
 * the server's own Python: no registry is needed.
 */
export async function startPeers(guest: Guest): Promise<void> {
  mkdirSync(`${guest.root}/srv/peer`, { recursive: true });
  copyFileSync(PROGRAM, `${guest.root}/srv/peer/peer.py`);
  mkdirSync(`${guest.root}/srv/shop`);
  writeFileSync(`${guest.root}/srv/shop/docker-compose.yml`, PROJECT);
  await guest.sh(`
    mkdir -p /root/tree/usr /root/tree/peer
    for link in bin lib lib64; do ln -s usr/$link /root/tree/$link; done
    tar -C /root/tree -c . | docker import -c 'CMD ${JSON.stringify(COMMAND)}' - lab-peer
    docker run -d --name=peer --restart=always --stop-signal=KILL -v /usr:/usr:ro -v /srv/peer:/peer:ro \\
      -p ${HOST_PORT.docker0}:${PUBLISHED} -p ${HOST_PORT.docker0}:${PUBLISHED}/udp lab-peer
    cd /srv/shop
    if docker compose version >/dev/null 2>&1; then docker compose up -d; else docker-compose up -d; fi
  `);
}

const Containers = z.array(
  z.object({
    Name: z.string(),
    State: z.object({ Running: z.boolean() }),
    NetworkSettings: z.object({
      Networks: z.record(z.string(), z.object({ IPAddress: z.string(), GlobalIPv6Address: z.string() })),
    }),
  }),
);

/** Both peers of a server, with the addresses that they have now: they may be others after a restart. */
export function peersOf(guest: Guest): Promise<Peer[]> {
  return until(`the peers of ${guest.name} to run`, 60, async () => {
    const containers = Containers.parse(
      JSON.parse(await guest.sh("docker inspect $(docker ps --all --quiet)")),
    );
    const peers = containers.flatMap(({ Name, State, NetworkSettings }) =>
      Object.entries(NetworkSettings.Networks).map(([network, { IPAddress, GlobalIPv6Address }]): Peer => {
        const addresses = { IPv4: State.Running ? IPAddress : "", IPv6: GlobalIPv6Address };
        return { guest, network: network === "bridge" ? "docker0" : "Compose", container: Name, addresses };
      }),
    );
    const isUp = peers.every(({ addresses }) => addresses.IPv4 !== "" && addresses.IPv6 !== "");
    return isUp && peers.length === NETWORKS.length
      ? holds(peers)
      : not(JSON.stringify(peers.map(({ container, addresses }) => [container, addresses])));
  });
}

function probeArguments(probes: readonly Probe[]): string[] {
  return probes.map(({ seconds, protocol, address, port }) => [seconds, protocol, address, port].join());
}

/** Asks from a container, all at once; gives for each probe what came back: `saw …` or `none …`. */
export async function askFrom(peer: Peer, probes: readonly Probe[]): Promise<string[]> {
  const probe = ["python3", "-I", "/peer/peer.py", "probe", ...probeArguments(probes)];
  return (await peer.guest.run("docker", "exec", peer.container, ...probe)).split("\n");
}

/** Asks from the internet: a neighbour of the servers that is in no mesh. */
export async function askFromOutside(lab: Lab, probes: readonly Probe[]): Promise<string[]> {
  const probe = ["-I", PROGRAM, "probe", ...probeArguments(probes)];
  return (await run(...inside(lab.network.internet, "/usr/bin/python3", probe))).trimEnd().split("\n");
}
