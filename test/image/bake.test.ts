// An image that Packer bakes on a server of the lab, over SSH, and servers that are made of it.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { AGENT } from "../../scripts/agent.ts";
import { attempt, run } from "../lab/command.ts";
import { fetchFrom, importImage, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { imageCommand } from "../lab/image-command.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import type { Image } from "../lab/rootfs.ts";
import { Servers } from "../lab/servers.ts";
import { internetAddress, WORKER_PORT } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

const ImageJson = z.strictObject({
  baked: z.iso.datetime(),
  layout: z.literal("split"),
  ipv6nat: z.literal("auto"),
  agent: z.string().regex(/^\d+\.\d+\.\d+$/),
  agentSha256: z.literal(AGENT.sha256),
  os: z.literal("debian 12"),
  docker: z.string().regex(/^20\.10\./),
  zerotier: z.string().regex(/^\d+\.\d+\.\d+$/),
  // By DMI where cloud-init names no cloud, so by the machine that the test runs on.
  provider: z.string().regex(/^[A-Za-z0-9., _-]*$/),
});

let lab: Lab;
let servers: Servers;
let master: Guest;
let image: Image;
let out: string;
const clones: { guest: Guest; status: MeshStatus }[] = [];

async function makeImage(...args: string[]) {
  return attempt(...imageCommand(lab, servers, args), { timeoutMs: 280_000 });
}

async function hygiene(guest: Guest) {
  const { code, stdout, stderr } = await guest.try("meshboot", "bake", "--check");
  return { code, said: stdout + stderr };
}

async function clone(name: string, index: number): Promise<Guest> {
  return lab.order({ name, index, image, userData: await servers.userData(goldenRequest(name)) });
}

/** What the lab adds to user-data is in the image already. */
function goldenRequest(name: string) {
  return { form: "golden", name, zerotierRepository: undefined, zerotierFingerprint: undefined };
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  await run("ssh-keygen", [
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-C",
    "packer_1ab0c4de-7f00",
    "-f",
    `${lab.directory}/key`,
  ]);
  const publicKey = readFileSync(`${lab.directory}/key.pub`, "utf8").trim();
  const userData = `#cloud-config\nssh_authorized_keys:\n  - ${publicKey}\n`;
  master = await lab.order({ name: "master", index: 1, image: "bare", userData });
  out = `${lab.directory}/image`;
  await master.boot();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("Packer's null source bakes a server over SSH, and its hygiene passes", async () => {
  const made = await makeImage(
    ...["null", "debian-12", "--out", out, "--var", `ssh_host=${internetAddress(1).ipv4}`],
    ...["--var", "ssh_username=debian", "--var", `ssh_private_key_file=${lab.directory}/key`],
  );
  expect(made, made.stdout + made.stderr).toMatchObject({ code: 0 });
  expect(made.stdout).toContain("clean: an image may be made of this server");
  ImageJson.parse(JSON.parse(readFileSync(join(out, "image.json"), "utf8")));
  const packages = readFileSync(join(out, "image.packages"), "utf8").split("\n");
  expect(packages.find((line) => line.startsWith("docker.io\t"))).toMatch(
    /^docker\.io\t20\.10\.\S+\tamd64\tdocker\.io\t/,
  );
  expect(readdirSync(out).sort()).toEqual(["image.json", "image.packages"]);
});

test("the build's own SSH key is gone, and sshd would make host keys without cloud-init", async () => {
  expect(await master.run("cat", "/home/debian/.ssh/authorized_keys")).toBe("");
  expect((await master.try("ls", "/etc/ssh/ssh_host_ed25519_key")).code).toBe(2);
  expect(await master.run("systemctl", "show", "-p", "ExecStartPre", "--value", "ssh.service")).toMatch(
    /ssh-keygen -A[\s\S]*sshd -t/,
  );
});

test("a second image does not overwrite the first", async () => {
  const made = await makeImage("null", "debian-12", "--out", out, "--var", "ssh_host=192.0.2.7");
  expect(made).toMatchObject({ code: 1, stdout: "" });
  expect(made.stderr).toContain("is not empty, and an image there would be overwritten");
});

// What two servers made of one image would have both, or what only the making of it left.
test.each([
  ["a ZeroTier identity", "/var/lib/zerotier-one/identity.secret"],
  ["ZeroTier's authtoken", "/var/lib/zerotier-one/authtoken.secret"],
  ["ZeroTier peers", "/var/lib/zerotier-one/peers.d/9a3c15f00d.peer"],
  ["ZeroTier networks", "/var/lib/zerotier-one/networks.d/8056c2e21c000001.conf"],
  ["a key, token or lease of Meshboot", "/etc/meshboot/key"],
  ["a key, token or lease of Meshboot", "/var/lib/meshboot/token"],
  ["a machine id", "/etc/machine-id"],
  ["SSH host keys", "/etc/ssh/ssh_host_ed25519_key"],
  ["a cloud-init instance", "/var/lib/cloud/instances/i-1/user-data.txt"],
  ["Docker's key", "/etc/docker/key.json"],
  ["Docker's state", "/var/lib/docker/engine-id"],
  ["shell history", "/home/debian/.bash_history"],
  ["logs", "/var/log/auth.log"],
  ["apt lists", "/var/lib/apt/lists/deb.debian.org_Packages"],
  ["downloaded packages", "/var/cache/apt/archives/docker.io.deb"],
  ["a random seed", "/var/lib/systemd/random-seed"],
  ["a private key", "/root/.ssh/deploy", "-----BEGIN OPENSSH PRIVATE KEY-----"],
  ["credentials", "/root/.docker/config.json"],
  ["an identity of another VPN or SSH server", "/etc/wireguard/wg0.conf"],
  ["a key or token of Meshboot", "/etc/meshboot/note", `mbk_${"k".repeat(22)}`],
  ["a Docker that would start before there is a lease", "/var/lib/meshboot/masked", ""],
])("hygiene finds %s planted in %s", async (what, path, content = "planted") => {
  const isTaken = content === "";
  await master.sh(
    isTaken ? `rm ${path}` : `mkdir -p ${path.slice(0, path.lastIndexOf("/"))}; echo '${content}' >${path}`,
  );
  const found = await hygiene(master);
  expect(found).toMatchObject({ code: 3 });
  const line = found.said.split("\n").find((text) => text.includes(`leftover: ${what}: `));
  expect(line?.split(" ")).toContain(path);
  expect(found.said).toContain("refused: leftovers: 1.");
  // A machine id is emptied, not removed.
  await master.sh(isTaken || path === "/etc/machine-id" ? `: >${path}` : `rm ${path}`);
  if (path.startsWith("/var/lib/cloud")) await master.sh("rm -r /var/lib/cloud/instances");
  expect(await hygiene(master)).toMatchObject({ code: 0 });
});

test("hygiene finds the build's SSH key, a disabled agent and a service that runs", async () => {
  await master.sh(
    "echo 'ssh-ed25519 AAAA packer_68a1b2c3-4d5e' >>/root/.ssh/authorized_keys; systemctl disable meshboot.timer",
  );
  await master.run("systemctl", "start", "zerotier-one");
  const { code, said } = await hygiene(master);
  expect(code).toBe(3);
  expect(said).toContain("a key of the build: /root/.ssh/authorized_keys");
  expect(said).toContain("a unit that is not enabled: meshboot.timer");
  expect(said).toContain("a service that runs: zerotier-one.service");
  await master.run("systemctl", "enable", "meshboot.timer");
});

test("baking once more cleans all of that, and powering off adds nothing", async () => {
  await until("zerotier-one to have an identity", 60, async () =>
    existsSync(`${master.root}/var/lib/zerotier-one/identity.secret`) ? holds(undefined) : not("none"),
  );
  await master.run("meshboot", "bake", "--yes");
  await master.powerOff();
  for (const path of ["identity.secret", "authtoken.secret"])
    expect(existsSync(`${master.root}/var/lib/zerotier-one/${path}`)).toBe(false);
  expect(readFileSync(`${master.root}/etc/machine-id`, "utf8")).toBe("");
  expect(existsSync(`${master.root}/var/lib/systemd/random-seed`)).toBe(false);
  expect(readdirSync(`${master.root}/var/lib/cloud`)).toEqual([]);
  expect(readdirSync(`${lab.directory}/master/docker`)).toEqual([]);
  image = await master.intoImage();
});

test("two servers of the image enrol by one request each, and get two leases", async () => {
  await run(
    ...inside(lab.network.internet, "nft", [
      `add table inet asked; add set inet asked calls { type ipv4_addr; flags dynamic; counter; }; add chain inet asked in { type filter hook input priority 0; }; add rule inet asked in tcp dport ${WORKER_PORT} ct state new add @calls { ip saddr }`,
    ]),
  );
  const ordered = [await clone("gold1", 2), await clone("gold2", 3)];
  await Promise.all(ordered.map((guest) => guest.boot()));
  for (const guest of ordered) {
    await guest.settled();
    clones.push({ guest, status: await untilInMesh(guest) });
  }
  expect(clones.map(({ status }) => status.slot).sort()).toEqual([1, 2]);
  expect(new Set(clones.map(({ status }) => status.node)).size).toBe(2);
  const machines = await Promise.all(
    ordered.map((guest) => guest.run("cat", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub")),
  );
  expect(new Set(machines).size).toBe(2);
  // That the boot has begun, the enrolment, that the server is in the mesh, and the report that all is in place.
  const asked = await run(...inside(lab.network.internet, "nft", ["list", "set", "inet", "asked", "calls"]));
  for (const guest of ordered) {
    expect(asked).toContain(`${internetAddress(guest.index).ipv4} counter packets 4 `);
    expect(await guest.run("cloud-init", "status")).toBe("status: done");
    expect(await guest.run("ls", "-A", "/var/lib/apt/lists")).toBe("");
  }
});

test("their containers reach each other by both families", async () => {
  const containers = [];
  for (const { guest } of clones) {
    await importImage(guest);
    containers.push(await startContainer(guest, "web"));
  }
  const [one, two] = containers;
  if (one === undefined || two === undefined) throw new Error("two clones were to be there");
  expect(await fetchFrom(one, two.ipv4, two.ipv6)).toEqual([one.ipv4, one.ipv6]);
  expect(await fetchFrom(two, one.ipv4, one.ipv6)).toEqual([two.ipv4, two.ipv6]);
});

test("a server with a baked-in identity, had hygiene been ignored, is refused by the Worker", async () => {
  const guest = await clone("twin", 4);
  const zerotier = "/var/lib/zerotier-one";
  mkdirSync(`${guest.root}${zerotier}`, { recursive: true });
  for (const name of ["identity.public", "identity.secret"])
    copyFileSync(`${clones[0]?.guest.root}${zerotier}/${name}`, `${guest.root}${zerotier}/${name}`);
  await guest.boot();
  await guest.settled();
  const said = await until("the agent to be refused", 60, async () => {
    const journal = await guest.run("journalctl", "-u", "meshboot", "--no-pager", "-o", "cat");
    return journal.includes("refused:") ? holds(journal) : not(journal);
  });
  expect(said).toMatch(/says 409 .*cloned-identity/);
  expect(await guest.run("docker", "--version")).toMatch(/^Docker version 20/);
  expect((await guest.try("test", "-e", "/var/lib/meshboot/lease")).code).toBe(1);
});

test("without user-data a server of the image is quiet, and enrols when it is told to", async () => {
  const guest = await lab.order({ name: "later", index: 5, image });
  await guest.boot();
  await guest.settled();
  expect(await guest.run("systemctl", "--failed", "--no-legend")).toBe("");
  expect((await guest.try("systemctl", "is-active", "docker.service", "docker.socket")).stdout.trim()).toBe(
    "inactive\ninactive",
  );
  expect((await guest.run("zerotier-cli", "listnetworks")).split("\n")).toHaveLength(1);
  const userData = await servers.userData(goldenRequest("later"));
  const key = /mbk_[\w-]+/.exec(userData)?.[0];
  const url = /URL=(\S+)/.exec(userData)?.[1];
  await guest.sh(
    `echo URL=${url} >>/etc/meshboot/meshboot.conf; echo ${key} >/etc/meshboot/key; systemctl start meshboot`,
  );
  expect(await untilInMesh(guest)).toMatchObject({ slot: 3 });
});

test.each([
  ["in the mesh", async () => clones[0]?.guest],
  [
    "that was never in it",
    async () => {
      const guest = await lab.order({ name: "never", index: 6, image });
      await guest.boot();
      await guest.settled();
      return guest;
    },
  ],
])("meshboot down on a server of the image %s leaves Docker as its packages have it", async (_, order) => {
  const guest = await order();
  if (guest === undefined) throw new Error("there is no such server");
  await guest.sh("docker rm -f web 2>/dev/null || :; meshboot down");
  for (const round of ["at once", "after a reboot"]) {
    if (round !== "at once") await guest.reboot();
    await guest.settled();
    const states = await guest.sh(
      "systemctl is-active docker.service; systemctl is-enabled docker.service docker.socket",
    );
    expect(states, round).toBe("active\nenabled\nenabled");
    // Where there was none before the mesh it has a range that nobody uses.
    expect(await guest.run("ip", "-o", "-4", "addr", "show", "docker0"), round).toMatch(
      / inet 172\.(17|29)\.0\.1\/16 /,
    );
    expect(await guest.sh("xargs -0 echo </proc/$(pidof dockerd)/cmdline"), round).not.toContain("--bip");
  }
});
