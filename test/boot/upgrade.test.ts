// `meshboot upgrade` on one of two servers of a mesh, after the Worker was deployed anew: containers talk on meanwhile, dockerd
// does not restart, the other server stays as it is; an agent that does not run here is not taken; and the way back.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { AGENT } from "../../scripts/agent.ts";
import { type Container, fetchFrom, importImage, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { copyProject, type Edit } from "../lab/project-copy.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

const Offer = z.object({ version: z.string(), sha256: z.string() });
const Nodes = z.object({
  items: z.array(z.object({ name: z.string(), behind: z.boolean().nullable() })),
});

let lab: Lab;
let servers: Servers;
const guests: Guest[] = [];
let upgraded: Container;
let other: Container;
let newer: z.infer<typeof Offer>;
let broken: z.infer<typeof Offer>;
let dockerd: string;

function release(version: string): Edit {
  return {
    file: "cloud-init/agent/base/program.sh",
    from: `\nVERSION=${AGENT.version}\n`,
    to: `\nVERSION=${version}\n`,
  };
}

/** Deploys a release of that name, which keeps its agent as soon as user-data names it, and gives what it offers. */
async function deploy(version: string, ...edits: Edit[]): Promise<z.infer<typeof Offer>> {
  await servers.deploy(copyProject(`${lab.directory}/release-${version}`, [release(version), ...edits]));
  await servers.userData({ name: "kept" });
  return Offer.parse(JSON.parse((await servers.asOperator("GET", "/agent")).text));
}

/** A container asks another one five times a second, from now on, by both families. */
async function ping(from: Container, to: Container): Promise<void> {
  for (const [family, address] of [
    ["4", to.ipv4],
    ["6", to.ipv6],
  ] as const)
    await from.guest.run(
      ...["docker", "exec", "--detach", from.name, "/bin/sh", "-c"],
      `exec ping -i 0.2 ${address} >/pings${family}`,
    );
}

/** The numbers of the answers so far. */
async function answers(from: Container, family: "4" | "6"): Promise<number[]> {
  const log = await from.guest.run("docker", "exec", from.name, "/bin/busybox", "cat", `/pings${family}`);
  return [...log.matchAll(/ seq=(\d+) /g)].map(([, seq]) => Number(seq));
}

/** Each container has had an answer to each of its packets, by both families, and goes on having them. */
async function expectNoLoss(): Promise<void> {
  for (const from of [upgraded, other]) {
    for (const family of ["4", "6"] as const) {
      const before = (await answers(from, family)).length;
      const all = await until(`${from.guest.name} to have five more answers`, 60, async () => {
        const now = await answers(from, family);
        return now.length >= before + 5 ? holds(now) : not(`${now.length} of ${before + 5}`);
      });
      expect(all, `answers to ${from.guest.name} over IPv${family}`).toEqual(all.map((_, index) => index));
    }
  }
}

async function behind(): Promise<Record<string, boolean | null>> {
  const { items } = Nodes.parse(JSON.parse((await servers.asOperator("GET", "/v1/nodes")).text));
  return Object.fromEntries(items.map((node) => [node.name, node.behind]));
}

const VERSION_AND_SUMS =
  "meshboot --version; sha256sum </usr/local/sbin/meshboot; cat /etc/meshboot/agent.sha256";

async function expectAgent(guest: Guest, { version, sha256 }: z.infer<typeof Offer>): Promise<void> {
  expect(await guest.sh(VERSION_AND_SUMS)).toBe(`meshboot ${version}\n${sha256}  -\n${sha256}`);
}

/** Everything of Meshboot's on the server's disk: names, inodes, dates. */
function look(guest: Guest): Promise<string> {
  return guest.sh(
    "find /usr/local /etc/meshboot /var/lib/meshboot ! -name neighbours ! -path /var/lib/meshboot -printf '%p %i %s %T@ %C@\\n' | sort",
  );
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  for (const [index, name] of ["web1", "db1"].entries()) {
    const userData = await servers.userData({ name });
    guests.push(await lab.order({ name, index: index + 1, image: "docker", userData }));
  }
  const containers = await Promise.all(
    guests.map(async (guest) => {
      await guest.boot();
      await guest.settled();
      await untilInMesh(guest, 240);
      await importImage(guest);
      return startContainer(guest, "web");
    }),
  );
  const [first, second] = containers;
  if (first === undefined || second === undefined) throw new Error("there are two");
  [upgraded, other] = [first, second];
  await until("the containers to reach each other", 60, async () => {
    await fetchFrom(upgraded, other.ipv4, other.ipv6);
    await fetchFrom(other, upgraded.ipv4, upgraded.ipv6);
    return holds(undefined);
  });
  dockerd = await upgraded.guest.run("pidof", "dockerd");
  await ping(upgraded, other);
  await ping(other, upgraded);
  broken = await deploy("97.0.0", {
    file: "cloud-init/agent/verbs/up.sh",
    from: "\nup() {\n",
    to: "\nup() {\n  fail 'this release runs nowhere'\n",
  });
  newer = await deploy("98.0.0");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a Worker deployed anew changes nothing on the servers, and says that they are behind", async () => {
  expect(newer.version).toBe("98.0.0");
  for (const guest of guests) await expectAgent(guest, AGENT);
  expect(await behind()).toEqual({ web1: true, db1: true });
  await expectNoLoss();
});

test("without a terminal meshboot upgrade shows both agents and changes nothing", async () => {
  const { guest } = upgraded;
  const before = await look(guest);
  const told = await guest.try("meshboot", "upgrade");
  expect(told).toMatchObject({ code: 0 });
  for (const { version, sha256 } of [AGENT, newer]) expect(told.stdout).toContain(`${version} (${sha256})`);
  expect(await look(guest)).toBe(before);
});

test("an agent whose dry run fails here is not taken, though the Worker has it", async () => {
  const { guest } = upgraded;
  expect((await servers.asOperator("GET", `/agent/${broken.sha256}`)).text).toContain("\nVERSION=97.0.0\n");
  const before = await look(guest);
  const told = await guest.try("meshboot", "upgrade", broken.sha256);
  expect(told.code).toBe(1);
  expect(told.stdout + told.stderr).toContain("this release runs nowhere");
  expect(await look(guest)).toBe(before);
  await expectAgent(guest, AGENT);
});

describe("meshboot upgrade with the SHA-256 of the newer one", () => {
  test("takes it: no packet is lost, and dockerd runs on", async () => {
    const { guest } = upgraded;
    const told = await guest.try("meshboot", "upgrade", newer.sha256);
    expect(told.code, told.stdout + told.stderr).toBe(0);
    await expectAgent(guest, newer);
    await untilInMesh(guest);
    await expectNoLoss();
    expect(await guest.run("pidof", "dockerd")).toBe(dockerd);
  });

  test("is seen at the Worker, and the other server is as it was", async () => {
    expect(await behind()).toEqual({ web1: false, db1: true });
    await expectAgent(other.guest, AGENT);
  });

  test("holds when the service starts again, as at the next boot", async () => {
    const { guest } = upgraded;
    await guest.run("systemctl", "restart", "meshboot.service");
    await untilInMesh(guest);
    await expectAgent(guest, newer);
    expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
  });
});

test("meshboot upgrade --back brings the former one back, again without a packet lost", async () => {
  const { guest } = upgraded;
  const told = await guest.try("meshboot", "upgrade", "--back");
  expect(told.code, told.stdout + told.stderr).toBe(0);
  await expectAgent(guest, AGENT);
  await untilInMesh(guest);
  expect(await behind()).toEqual({ web1: true, db1: true });
  await expectNoLoss();
  expect(await guest.run("pidof", "dockerd")).toBe(dockerd);
});
