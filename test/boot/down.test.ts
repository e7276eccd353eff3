// A server that already runs, taken into the mesh by the script form, and everything as it was after `meshboot down`.

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

test("meshboot down, with the Worker stopped, leaves files, rules, routes, sysctls and dockerd's options as they were", async () => {
  await servers.worker.stop();
  await guest.run("docker", "network", "create", "shop");
  const down = await guest.try("meshboot", "down");
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
