// A server that already runs: a look at the plan, taken into the mesh by the script form, everything as it was after `meshboot down`,
// and nothing of ours anywhere after `meshboot down --purge`.

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BROUGHT, installBeforehand } from "../lab/beforehand.ts";
import { type Container, importImage, inspect, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { difference, type Snapshot, snapshot } from "../lab/snapshot.ts";

let lab: Lab;
let servers: Servers;
let guest: Guest;
let container: Container;
let bootUrl: string;
let before: Snapshot;
let joined: MeshStatus;
/** Where the image and the packages of the lab name us. */
let known: string[];

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  guest = await lab.order({ name: "vps1", index: 1, image: "docker" });
  await guest.boot();
  await guest.settled();
  await guest.sh(installBeforehand(servers.repository.url));
  await importImage(guest);
  await guest.run("docker", "network", "create", "before");
  await startContainer(guest, "apart", "before");
  container = await startContainer(guest, "web");
  // dockerd words docker0's subnet differently when it finds the bridge there: as it does after any restart.
  await guest.run("systemctl", "restart", "docker.service");
  const answer = await servers.asOperator(
    "POST",
    "/v1/user-data",
    { form: "include", name: "vps1" },
    { accept: "text/plain" },
  );
  expect(answer.status, answer.text).toBe(201);
  bootUrl = /^http\S+/m.exec(answer.text)?.[0] ?? "none";
  before = await snapshot(guest);
  known = await traces();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a look at the server twice shows no difference", async () => {
  expect(difference(before, await snapshot(guest))).toEqual({});
});

test("a dry run of that one line shows the plan, and leaves nothing on the server", async () => {
  const plan = await guest.sh(`curl -fsS ${bootUrl}/sh | sh -s -- --dry-run`);
  expect(plan).toContain("meshboot: dry run: enrol: asks ");
  expect(plan).toMatch(/dockerd restarts, and with it 2 containers \((?:web, apart|apart, web)\)/);
  expect(difference(before, await snapshot(guest))).toEqual({});
  expect((await traces()).filter((line) => !known.includes(line))).toEqual([]);
});

test("one line takes a running server into the mesh, and its containers may restart", async () => {
  await guest.sh(`curl -fsS ${bootUrl}/sh | sh -s -- --restart-docker`);
  joined = await untilInMesh(guest);
  expect(joined).toMatchObject({ name: "vps1", slot: 1 });
  container = await inspect(guest, "web");
  expect(container.ipv4).toMatch(/^172\.28\.1\./);
  expect(Object.keys(difference(before, await snapshot(guest)))).toEqual(
    expect.arrayContaining([
      "files",
      "ruleset",
      "iptables",
      "ip6tables",
      "routes",
      "addresses",
      "sysctls",
      "dockerd",
    ]),
  );
});

test("meshboot down asks before it restarts dockerd under containers, and shows its plan: both change nothing", async () => {
  const inMesh = await snapshot(guest);
  const asked = await guest.try("meshboot", "down");
  expect(asked).toMatchObject({ code: 3 });
  expect(asked.stderr).toMatch(/refused: 2 containers \(.*\) would restart with dockerd/);
  const plan = await guest.try("meshboot", "down", "--dry-run", "--restart-docker", "--purge");
  expect(plan).toMatchObject({ code: 0, stderr: "" });
  expect(plan.stdout).toContain("dry run: down: removes /usr/local/sbin/meshboot\n");
  expect(difference(inMesh, await snapshot(guest))).toEqual({});
  expect(await untilInMesh(guest)).toMatchObject({ state: "active", rules: true });
});

test("meshboot down, with the Worker stopped, leaves files, rules, routes, sysctls and dockerd's options as they were", async () => {
  await servers.worker.stop();
  await guest.run("docker", "network", "create", "shop");
  const down = await guest.try("meshboot", "down", "--restart-docker");
  expect(down).toMatchObject({ code: 0 });
  expect(down.stdout + down.stderr).toContain("Docker networks keep their subnets in 172.28.1.0/24: shop (");
  await guest.run("docker", "network", "rm", "shop");
  const { files = [], ...others } = difference(before, await snapshot(guest));
  expect(others).toEqual({});
  // What the script brought stays, as packages do, so that `meshboot up` can be said again: nothing else.
  expect(files.filter((line) => !line.startsWith("+ "))).toEqual([]);
  expect([...new Set(files.map((line) => line.slice(line.indexOf("/"))))].sort()).toEqual(BROUGHT);
});

test("and the server can come back to its slot, when its containers may restart once more", async () => {
  await servers.worker.start();
  const key = /mbk_[A-Za-z0-9_-]+/.exec(bootUrl)?.[0] ?? "none";
  await guest.sh(`
    echo ${key} >/etc/meshboot/key
    meshboot up --restart-docker
    systemctl enable --now meshboot.service meshboot.timer
  `);
  expect(await untilInMesh(guest)).toMatchObject({ node: joined.node, slot: joined.slot });
});

test("meshboot down --purge leaves the server as it was, and nothing that names us", async () => {
  expect(await guest.sh("journalctl -u meshboot --no-pager")).not.toMatch(/broken pipe|I\/O error/i);
  const purged = await guest.try("meshboot", "down", "--purge", "--restart-docker", "--release");
  expect(purged, purged.stderr).toMatchObject({ code: 0, stderr: "" });
  expect(difference(before, await snapshot(guest))).toEqual({});
  expect((await traces()).filter((line) => !known.includes(line))).toEqual([]);
  const gone = await servers.asOperator("GET", `/v1/nodes/${joined.node}`);
  expect(gone.status).toBe(404);
});

/** Paths that have our name, and files that hold it: all but the journal, and what is no disk. */
async function traces(): Promise<string[]> {
  const found = await guest.sh(`
    find / -xdev \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -iname '*meshboot*' -print
    find /run /tmp -iname '*meshboot*' -print
    grep -rlIi meshboot /etc /home /opt /root /run /srv /tmp /usr /var --exclude-dir=journal 2>/dev/null || :
    systemctl list-units --all --no-legend --plain '*meshboot*'
    nft list ruleset | grep -i meshboot || :
  `);
  return found.split("\n");
}
