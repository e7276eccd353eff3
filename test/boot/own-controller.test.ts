// A controller as a second zerotier-one on one of two servers: made, killed with its disk, and started on the other one with
// nothing but its identity, as was seen with the real one. By the double alone; Meshboot has no part in it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { parseNetworkId, parseNodeId } from "../../worker/lease/ids.ts";
import { sixPlane } from "../../worker/lease/six-plane.ts";
import { installBeforehand } from "../lab/beforehand.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

/** Throw-away identities of the real zerotier-idtool's. */
const [CONTROLLER, ANOTHER] = z
  .object({ items: z.array(z.object({ node: z.string(), secret: z.string() })).min(2) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../unit/identity/vectors.json"), "utf8"))).items;
const NETWORK = `${CONTROLLER?.node}000001`;
const HOME = "/var/lib/own-controller";
const PORT = 9994;
const UNIT = "own-controller.service";

const Info = z.object({ address: z.string(), publicIdentity: z.string() });
const Joined = z.array(
  z.object({ nwid: z.string(), status: z.string(), assignedAddresses: z.array(z.string()) }),
);
const Network = z.object({ id: z.string(), revision: z.number() });
const Member = z.object({ identity: z.string().optional(), vMajor: z.number(), authorized: z.boolean() });

/** A member: the server, its node, and the address that it is to have. */
interface Member {
  readonly guest: Guest;
  readonly node: string;
  readonly ipv4: string;
}

let lab: Lab;
let servers: Servers;
let one: Member;
let two: Member;

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  const order = async (name: string, index: number): Promise<Member> => {
    const guest = await lab.order({ name, index, image: "bare" });
    await guest.boot();
    await guest.settled();
    await guest.sh(installBeforehand(servers.repository.url));
    const { address } = Info.parse(JSON.parse(await guest.run("zerotier-cli", "-j", "info")));
    return { guest, node: address, ipv4: `10.147.18.${index}` };
  };
  [one, two] = await Promise.all([order("one", 1), order("two", 2)]);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

/** Starts the controller, as root does, in a home that has its identity and nothing else. */
async function startController(guest: Guest): Promise<void> {
  await guest.sh(`
    mkdir -p -m 0700 ${HOME}
    printf %s ${CONTROLLER?.secret} >${HOME}/identity.secret
    systemd-run --quiet --unit=${UNIT} /usr/sbin/zerotier-one -p${PORT} ${HOME}
    timeout 60 sh -c 'until zerotier-cli -D${HOME} info; do sleep 0.2; done'
  `);
}

/** A call to the controller's API on its host. */
async function api(guest: Guest, path: string, body?: unknown): Promise<unknown> {
  const data = body === undefined ? "" : `--json '${JSON.stringify(body)}'`;
  const token = `X-ZT1-Auth: $(cat ${HOME}/authtoken.secret)`;
  return JSON.parse(
    await guest.sh(`curl -fsS -H "${token}" ${data} http://127.0.0.1:${PORT}/controller/network${path}`),
  );
}

/** Network and members, before any of them was seen there. */
async function writeAnew(guest: Guest): Promise<void> {
  const network = await api(guest, `/${NETWORK}`, {
    name: "own",
    routes: [{ target: "10.147.18.0/24" }],
    v6AssignMode: { "6plane": true },
  });
  expect(Network.parse(network)).toEqual({ id: NETWORK, revision: 1 });
  for (const { node, ipv4 } of [one, two]) {
    const path = `/${NETWORK}/member/${node}`;
    const member = await api(guest, path, { authorized: true, ipAssignments: [ipv4] });
    expect(Member.parse(member)).toEqual({ authorized: true, vMajor: -1 });
  }
}

async function joined({ guest }: Member): Promise<{ status: string; assignedAddresses: string[] }> {
  const networks = Joined.parse(JSON.parse(await guest.run("zerotier-cli", "-j", "listnetworks")));
  const found = networks.find(({ nwid }) => nwid === NETWORK);
  if (found === undefined) throw new Error(`${NETWORK} is not joined`);
  return found;
}

function ipv6({ node }: Member): string {
  const [network, id] = [parseNetworkId(NETWORK), parseNodeId(node)];
  if (network === undefined || id === undefined) throw new Error(`${NETWORK} and ${node} are no ids`);
  return sixPlane(network, id).address;
}

/** The member has this and is told so. */
function untilHas(member: Member, status: string, ...addresses: string[]): Promise<void> {
  return until(`${member.guest.name} to be ${status}`, 120, async () => {
    const seen = await joined(member);
    const has = addresses.every((address) => seen.assignedAddresses.includes(address));
    return seen.status === status && has ? holds(undefined) : not(JSON.stringify(seen));
  });
}

const reaches = async (from: Member, address: string) =>
  (await from.guest.try("ping", "-c1", "-W2", address)).code === 0;

/** What does not reach what, of both servers and families. */
async function silences(): Promise<string[]> {
  const ways = [
    [one, two],
    [two, one],
  ] as const;
  const pings = ways.flatMap(([from, to]) =>
    [to.ipv4, ipv6(to)].map(async (address) =>
      (await reaches(from, address)) ? [] : [`${from.guest.name} to ${address}`],
    ),
  );
  return (await Promise.all(pings)).flat();
}

/** A new IPv6 address is there only after its host has asked whether another one has it. */
function untilExchange(): Promise<void> {
  return until("both servers to reach each other", 60, async () => {
    const silent = await silences();
    return silent.length === 0 ? holds(undefined) : not(silent.join(", "));
  });
}

test("a second zerotier-one is the controller of a network that both servers join, authorized before they were seen", async () => {
  await startController(one.guest);
  await writeAnew(one.guest);
  for (const { guest } of [one, two]) await guest.run("zerotier-cli", "join", NETWORK);
  for (const member of [one, two]) await untilHas(member, "OK", `${member.ipv4}/24`, `${ipv6(member)}/40`);
  await untilExchange();
});

test("its home is the daemon's own, as the real one makes it, and it has joined nothing", async () => {
  const files = await one.guest.sh(`cd ${HOME}; find . -printf '%u %m %y %p\\n' | sort -k 4`);
  expect(files.split("\n").filter((line) => !line.startsWith("zerotier-one "))).toEqual([]);
  expect(files).toContain(`zerotier-one 700 d ./controller.d\n`);
  expect(files).toContain(`zerotier-one 644 f ./controller.d/network/${NETWORK}.json\n`);
  expect(files).toContain(`zerotier-one 644 f ./controller.d/network/${NETWORK}/member/${two.node}.json\n`);
  expect(files).toContain("zerotier-one 600 f ./identity.secret\n");
  expect(await one.guest.run("zerotier-cli", `-D${HOME}`, "-j", "listnetworks")).toBe("[]");
  const daemon = await one.guest.sh(`ps -o user:20= -p "$(cat ${HOME}/zerotier-one.pid)"`);
  expect(daemon.trim()).toBe("zerotier-one");
});

test("with -U a home stays whose it is, and the daemon root's", async () => {
  const home = "/var/lib/unprivileged";
  await one.guest.sh(`
    mkdir ${home}
    printf %s ${ANOTHER?.secret} >${home}/identity.secret
    systemd-run --quiet --unit=unprivileged.service /usr/sbin/zerotier-one -U -p9995 ${home}
    timeout 60 sh -c 'until zerotier-cli -D${home} info; do sleep 0.2; done'
  `);
  expect(
    await one.guest.sh(`find ${home} -not -user root; ps -o user= -p "$(cat ${home}/zerotier-one.pid)"`),
  ).toBe("root");
});

test("killed and its disk wiped, packets go on, also of a member that restarts", async () => {
  await one.guest.sh(`systemctl kill -s KILL ${UNIT}; rm -rf ${HOME}`);
  expect(await silences()).toEqual([]);
  await two.guest.run("systemctl", "restart", "zerotier-one.service");
  await untilHas(two, "OK", `${two.ipv4}/24`, `${ipv6(two)}/40`);
  await untilExchange();
});

test("started on the other server with its identity alone, and all written anew, it gives a member another address", async () => {
  await startController(two.guest);
  await writeAnew(two.guest);
  await until("both to have asked the new one", 120, async () => {
    const members = await Promise.all(
      [one, two].map(async ({ node }) => Member.parse(await api(two.guest, `/${NETWORK}/member/${node}`))),
    );
    return members.every(({ identity }) => identity !== undefined) ? holds(undefined) : not("not yet");
  });
  await api(two.guest, `/${NETWORK}/member/${one.node}`, { ipAssignments: ["10.147.18.77"] });
  one = { ...one, ipv4: "10.147.18.77" };
  await untilHas(one, "OK", "10.147.18.77/24");
  expect(await silences()).toEqual([]);
});

test("and what it takes the authorization from is cut off, though it keeps its addresses", async () => {
  await api(two.guest, `/${NETWORK}/member/${one.node}`, { authorized: false });
  await until("two to hear nothing of one", 60, async () =>
    (await reaches(one, two.ipv4)) || (await reaches(one, ipv6(two))) ? not("still heard") : holds(undefined),
  );
  await untilHas(one, "ACCESS_DENIED", "10.147.18.77/24");
  await api(two.guest, `/${NETWORK}/member/${one.node}`, { authorized: true });
  await untilHas(one, "OK", "10.147.18.77/24");
  expect(await silences()).toEqual([]);
});
