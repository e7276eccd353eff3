// Servers whose apt is as their owner has left it: one with ZeroTier's own package source, in which another one is dead; and
// a node of Kubernetes, which has containerd.io and no dockerd.
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { run } from "../lab/command.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { addZerotierSource } from "../lab/package-repository.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, MIRROR_PORT } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

/** What a provider without a direct way out writes: a proxy, here one that gets nothing but Debian's packages. */
const ENVIRONMENT = `PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
http_proxy="http://${GATEWAY_IPV4}:${MIRROR_PORT}"
no_proxy="localhost,${GATEWAY_IPV4}"
`;

const CONTAINERD_IO = `Package: containerd.io
Version: 1.7.27-1
Architecture: all
Section: devel
Priority: optional
Maintainer: Tests <tests@meshboot.invalid>
Provides: containerd, runc
Conflicts: containerd, runc
Replaces: containerd, runc
Depends: libc6 (>= 2.34), libseccomp2 (>= 2.5.0)
Description: what a node of Kubernetes has of Docker
`;

let lab: Lab;
let servers: Servers;
let web1: Guest;
let kube1: Guest;

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  const order = async (name: string, index: number, image: "docker" | "bare") =>
    lab.order({ name, index, image, userData: await servers.userData({ name, docker: "distro" }) });
  web1 = await order("web1", 1, "docker");
  kube1 = await order("kube1", 2, "bare");

  await addZerotierSource(web1.root, servers.repository);
  writeFileSync(
    `${web1.root}/etc/apt/sources.list.d/dead.list`,
    `deb ${servers.repository.url}/gone/debian bookworm main\n`,
  );

  const tree = `${lab.directory}/containerd.io`;
  mkdirSync(`${tree}/DEBIAN`, { recursive: true });
  writeFileSync(`${tree}/DEBIAN/control`, CONTAINERD_IO);
  await run("dpkg-deb", ["--root-owner-group", "--build", tree, `${kube1.root}/containerd.io.deb`]);
  await run("chroot", [kube1.root, "dpkg", "--install", "/containerd.io.deb"]);
  writeFileSync(`${kube1.root}/etc/environment`, ENVIRONMENT);

  await Promise.all([web1.boot(), kube1.boot()]);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

const log = (guest: Guest) => guest.run("journalctl", "-q", "-t", "meshboot", "-o", "cat", "--no-pager");
const version = async (guest: Guest, name: string) =>
  (await guest.try("sh", "-c", `dpkg -s ${name} | grep -E '^(Status|Version):'`)).stdout.trim();

test("a server comes in by ZeroTier's own package source, though another one is dead", async () => {
  await untilInMesh(web1);
  expect(await web1.sh("ls /etc/apt/sources.list.d")).toBe("dead.list\nzerotier.list");
  expect(await version(web1, "zerotier-one")).toMatch(/^Status: install ok installed\nVersion: 1\.14\.1/);
  // apt still works, but for what was dead before.
  expect(await web1.run("apt-cache", "policy", "zerotier-one")).toContain(`${servers.repository.url}/debian`);
  expect(await log(web1)).toMatch(
    /apt-get update: E: .*\/gone\/debian .*Goes on with the lists that are there/,
  );
});

test("a node of Kubernetes keeps its containerd, is told why it gets no Docker, and is in the mesh", async () => {
  await until("kube1 to refuse Docker", 150, async () => {
    const said = await log(kube1);
    return /docker: refused: docker\.io .*containerd\.io.*DOCKER=official/.test(said)
      ? holds(undefined)
      : not(said);
  });
  expect(await version(kube1, "containerd.io")).toBe("Status: install ok installed\nVersion: 1.7.27-1");
  expect(await version(kube1, "docker.io")).not.toContain("ok installed");
  expect(await kube1.run("systemctl", "is-enabled", "docker.service").catch(String)).not.toContain("masked");
  const status = await meshStatus(kube1);
  expect(status).toMatchObject({ state: "active", zerotier: "OK", rules: true });
  expect(status.routes).toBe(status.routesExpected);
  // What was to be had by the proxy alone is there, and the Worker was reached without.
  const pid = await kube1.run("systemctl", "show", "--value", "-p", "MainPID", "meshboot.service");
  expect((await kube1.run("cat", `/proc/${pid}/environ`)).split("\0")).toContain(
    `http_proxy=http://${GATEWAY_IPV4}:${MIRROR_PORT}`,
  );
});
