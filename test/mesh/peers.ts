import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import type { Lab } from "../lab/lab.ts";
import { inside } from "../lab/network.ts";
import { internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

const PROGRAM = join(import.meta.dirname, "peer.py");

/** Where a container of the mesh is attached: Docker's default bridge, or the default network of a Compose project. */
export const NETWORKS = ["docker0", "Compose"] as const;

/** A network of the user's own that has no part of the lease. */
export const OUTSIDE = "outside";

/** docker_gwbridge, by which the tasks of a Swarm's node speak with all that is not on their overlay network: IPv4 alone. */
export const SWARM = "Swarm";
export type Network = (typeof NETWORKS)[number] | typeof OUTSIDE | typeof SWARM;

export const FAMILIES = ["IPv4", "IPv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** What every peer listens on, over TCP and UDP: ports that nobody publishes, one that is published, and one for the host alone. */
const UNPUBLISHED_TCP = 7001;
const UNPUBLISHED_UDP = 7002;
const PUBLISHED = 8000;
const PUBLISHED_ON_LOOPBACK = 8100;

/** The host's port for PUBLISHED, by the container's network. */
const HOST_PORT: Readonly<Record<Network, number>> = {
  docker0: 8001,
  Compose: 8002,
  outside: 8003,
  Swarm: 8004,
};

const SERVE = ["python3", "-I", "/peer/peer.py", "serve"].concat(
  [UNPUBLISHED_TCP, UNPUBLISHED_UDP, PUBLISHED, PUBLISHED_ON_LOOPBACK].map(String),
);

/** Each server's has another range, in neither family one of the mesh's or of the internet's. */
export const outsideSubnets = (guest: Guest): Readonly<Record<Family, string>> => ({
  IPv4: `10.77.${guest.index}.0/24`,
  IPv6: `fd77:${guest.index}::/64`,
});

/** The addresses of a machine that is no server of the lab, in a second network behind a server, and the server's own there. */
export const behind = (guest: Guest): Readonly<Record<"machine" | "server", Record<Family, string>>> => ({
  machine: { IPv4: `192.168.${70 + guest.index}.2`, IPv6: `fd70:${guest.index}::2` },
  server: { IPv4: `192.168.${70 + guest.index}.1`, IPv6: `fd70:${guest.index}::1` },
});

/** A second card of the server, lan0, and the machine at its other end, which answers as peers do: there from the boot on. */
function secondNetwork(guest: Guest): string {
  const { machine, server } = behind(guest);
  return `[Unit]
Before=docker.service
[Service]
ExecStartPre=ip netns add lan
ExecStartPre=ip link add lan0 type veth peer name eth0 netns lan
ExecStartPre=ip address add ${server.IPv4}/24 dev lan0
ExecStartPre=ip address add ${server.IPv6}/64 dev lan0 nodad
ExecStartPre=ip link set lan0 up
ExecStartPre=ip -n lan address add ${machine.IPv4}/24 dev eth0
ExecStartPre=ip -n lan address add ${machine.IPv6}/64 dev eth0 nodad
ExecStartPre=ip -n lan link set eth0 up
ExecStartPre=ip -n lan route add default via ${server.IPv4}
ExecStartPre=ip -n lan -6 route add default via ${server.IPv6}
ExecStart=nsenter --net=/run/netns/lan ${SERVE.join(" ").replace("/peer/", "/srv/peer/")}
[Install]
WantedBy=multi-user.target
`;
}

/** What the name of a container holds that is there for the peer on its bridge alone. */
export const NEIGHBOUR = "neighbour";

const service = (name: string) => `  ${name}:
    image: lab-peer
    restart: always
    stop_signal: SIGKILL
    volumes: ["/usr:/usr:ro", "/srv/peer:/peer:ro"]
`;

const PROJECT = `services:
${service(NEIGHBOUR)}${service("peer")}    ports: ["${HOST_PORT.Compose}:${PUBLISHED}", "${HOST_PORT.Compose}:${PUBLISHED}/udp"]
networks:
  default:
    enable_ipv6: true
`;

type Addresses = Readonly<Record<Family, string>>;

/** A running container that answers its callers with the address that it sees. */
export interface Peer {
  readonly guest: Guest;
  readonly network: Network;
  readonly container: string;
  /** Empty in a family that the network has not. */
  readonly addresses: Addresses;
  /** Those of another container on the same bridge. */
  readonly neighbour: Addresses;
}

/** The families that the peer's network has. */
export const familiesOf = ({ addresses }: Peer): readonly Family[] =>
  FAMILIES.filter((family) => addresses[family] !== "");

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

/** TCP and UDP to a port that is published on the host's loopback address alone, past it. */
export function toLoopbackPublished(address: string, seconds: number): Probe[] {
  return [
    { seconds, protocol: "tcp", address, port: PUBLISHED_ON_LOOPBACK },
    { seconds, protocol: "udp", address, port: PUBLISHED_ON_LOOPBACK },
  ];
}

/**
 * Starts a peer on docker0, by `docker run`, one by a Compose project with a network of its own, and one outside of the
 * mesh, each with a neighbour; and a second network. Their image is the server's own Python: no registry is needed.
 */
export async function startPeers(guest: Guest): Promise<void> {
  mkdirSync(`${guest.root}/srv/peer`, { recursive: true });
  copyFileSync(PROGRAM, `${guest.root}/srv/peer/peer.py`);
  mkdirSync(`${guest.root}/srv/shop`);
  writeFileSync(`${guest.root}/srv/shop/docker-compose.yml`, PROJECT);
  writeFileSync(`${guest.root}/etc/systemd/system/lan.service`, secondNetwork(guest));
  const outside = outsideSubnets(guest);
  await guest.sh(`
    mkdir -p /root/tree/usr /root/tree/peer
    for link in bin lib lib64; do ln -s usr/$link /root/tree/$link; done
    tar -C /root/tree -c . | docker import -c 'CMD ${JSON.stringify(SERVE)}' - lab-peer
    serve() { docker run -d --restart=always --stop-signal=KILL -v /usr:/usr:ro -v /srv/peer:/peer:ro "$@" lab-peer; }
    serve --name=peer -p ${HOST_PORT.docker0}:${PUBLISHED} -p ${HOST_PORT.docker0}:${PUBLISHED}/udp
    serve --name=${NEIGHBOUR}
    docker network create --ipv6 --subnet=${outside.IPv4} --subnet=${outside.IPv6} ${OUTSIDE}
    serve --name=${OUTSIDE} --network=${OUTSIDE} -p ${HOST_PORT.outside}:${PUBLISHED} -p ${HOST_PORT.outside}:${PUBLISHED}/udp \\
      -p 127.0.0.1:${HOST_PORT.outside + 100}:${PUBLISHED_ON_LOOPBACK} -p 127.0.0.1:${HOST_PORT.outside + 100}:${PUBLISHED_ON_LOOPBACK}/udp
    serve --name=${OUTSIDE}-${NEIGHBOUR} --network=${OUTSIDE}
    systemctl -q enable --now lan.service
    cd /srv/shop
    if docker compose version >/dev/null 2>&1; then docker compose up -d; else docker-compose up -d; fi
  `);
}

/**
 * Makes a server with peers a Swarm of its own, with two tasks more on an overlay network. Where the kernel has no IPVS,
 * they get no virtual address, and no port can be published on all nodes (`ingress`).
 */
export async function startTasks(guest: Guest): Promise<void> {
  const published = `mode=host,published=${HOST_PORT.Swarm},target=${PUBLISHED}`;
  await guest.sh(`
    docker swarm init --advertise-addr=${internetAddress(guest.index).ipv4}
    docker network create --driver=overlay inner
    task() {
      docker service create --quiet --detach --no-resolve-image --network=inner --endpoint-mode=dnsrr --stop-signal=KILL \\
        --mount=type=bind,src=/usr,dst=/usr,ro --mount=type=bind,src=/srv/peer,dst=/peer,ro "$@" lab-peer
    }
    task --name=task --publish=${published} --publish=${published},protocol=udp
    task --name=${NEIGHBOUR}
  `);
}

const Names = z.array(z.object({ Id: z.string(), Name: z.string() }));

const Bridges = z.array(
  z.object({
    Name: z.string(),
    EnableIPv6: z.boolean(),
    Containers: z.record(z.string(), z.object({ IPv4Address: z.string(), IPv6Address: z.string() })),
  }),
);

const BRIDGES: Readonly<Record<string, Network>> = {
  bridge: "docker0",
  shop_default: "Compose",
  [OUTSIDE]: OUTSIDE,
  docker_gwbridge: SWARM,
};

/** The containers on a bridge that have addresses there. */
function containersOn(
  { Containers, EnableIPv6 }: z.infer<typeof Bridges>[number],
  names: z.infer<typeof Names>,
) {
  return names.flatMap(({ Id, Name }) => {
    const own = Containers[Id];
    const [IPv4 = "", IPv6 = ""] = [own?.IPv4Address, own?.IPv6Address].map((it) => it?.replace(/\/.*/, ""));
    if (IPv4 === "" || (IPv6 === "" && EnableIPv6)) return [];
    return [{ container: Name.slice(1), addresses: { IPv4, IPv6 } }];
  });
}

/** The peers of a server, with the addresses that they have now: they may be others after a restart. */
export function peersOf(guest: Guest): Promise<Peer[]> {
  return until(`the peers of ${guest.name} to run, and their neighbours`, 60, async () => {
    const names = Names.parse(JSON.parse(await guest.sh("docker inspect $(docker ps --quiet)")));
    const listed = await guest.sh(
      "docker network inspect $(docker network ls --quiet --filter driver=bridge)",
    );
    const bridges = Bridges.parse(JSON.parse(listed));
    const peers = bridges.flatMap((bridge): Peer[] => {
      const all = containersOn(bridge, names);
      const peer = all.find(({ container }) => !container.includes(NEIGHBOUR));
      const neighbour = all.find(({ container }) => container.includes(NEIGHBOUR));
      const network = BRIDGES[bridge.Name];
      return peer && neighbour && network
        ? [{ guest, network, ...peer, neighbour: neighbour.addresses }]
        : [];
    });
    const isUp = peers.length === bridges.length && peers.length > NETWORKS.length;
    return isUp ? holds(peers) : not(JSON.stringify(bridges));
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

/** Asks from the server itself, or from the machine behind it. */
export async function askFromServer(
  guest: Guest,
  probes: readonly Probe[],
  isBehind = false,
): Promise<string[]> {
  const probe = ["python3", "-I", "/srv/peer/peer.py", "probe", ...probeArguments(probes)];
  const where = isBehind ? ["nsenter", "--net=/run/netns/lan"] : ["env"];
  return (await guest.run(...(where as [string, ...string[]]), ...probe)).split("\n");
}

/** Asks from the internet: a neighbour of the servers that is in no mesh. */
export async function askFromOutside(lab: Lab, probes: readonly Probe[]): Promise<string[]> {
  const probe = ["-I", PROGRAM, "probe", ...probeArguments(probes)];
  return (await run(...inside(lab.network.internet, "/usr/bin/python3", probe))).trimEnd().split("\n");
}
