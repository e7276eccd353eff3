// What servers report of themselves, and are told of each other: doctor's findings at the Worker, names in /etc/hosts.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { importImage } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

const Node = z.object({
  findings: z
    .object({ items: z.array(z.object({ link: z.string(), level: z.string(), remedy: z.string() })) })
    .nullable(),
  worstFinding: z.object({ link: z.string(), level: z.string() }).nullable(),
});

let lab: Lab;
let servers: Servers;
const mesh = new Map<string, { guest: Guest; status: MeshStatus }>();

function node(name: string): { guest: Guest; status: MeshStatus } {
  const found = mesh.get(name);
  if (!found) throw new Error(`${name} is not in the mesh`);
  return found;
}

async function join(name: string, index: number): Promise<void> {
  const userData = await servers.userData({ name, hosts: true });
  const guest = await lab.order({ name, index, image: "docker", userData });
  await guest.boot();
  mesh.set(name, { guest, status: await untilInMesh(guest, 240) });
}

/** The addresses that a server has a name for, none where it has not. */
async function resolve(from: string, name: string): Promise<string[]> {
  const { stdout } = await node(from).guest.try("getent", "ahosts", name);
  return [...new Set(stdout.split("\n").map((line) => line.split(" ")[0] ?? ""))].filter(Boolean).sort();
}

/** The addresses that a server has on the mesh. */
function addressesOf(name: string): string[] {
  const { zerotierIpv4, dockerIpv6 } = node(name).status;
  return [zerotierIpv4.replace(/\/.*/, ""), dockerIpv6.replace("::/80", "::1")].sort();
}

/** As the timer does within the hour. */
const report = (name: string) => node(name).guest.run("systemctl", "start", "meshboot.service");

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  await Promise.all([join("web1", 1), join("db1", 2)]);
  await importImage(node("web1").guest);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("two servers have each other's names, and reach each other by them", async () => {
  for (const [from, to] of [
    ["web1", "db1"],
    ["db1", "web1"],
  ] as const) {
    await until(`${from} to know ${to}`, 120, async () => {
      await report(from);
      const found = await resolve(from, to);
      return found.join() === addressesOf(to).join()
        ? holds(true)
        : not(`${to} is ${found.join(" ") || "unknown"}`);
    });
    await node(from).guest.run("ping", "-4", "-c", "1", "-W", "10", to);
    await node(from).guest.run("ping", "-6", "-c", "1", "-W", "10", to);
  }
  expect(await resolve("web1", "localhost")).toContain("127.0.0.1");
});

test("a container has the names that it is given when it is made, and no others, on no network of Docker's", async () => {
  const { guest } = node("web1");
  const asked = `docker run --rm --network`;
  await guest.sh("docker network create names");
  for (const network of ["bridge", "names"]) {
    const without = await guest.try("sh", "-c", `${asked} ${network} lab /bin/ping -c 1 -W 10 db1`);
    expect([network, without.code, without.stderr]).toEqual([
      network,
      1,
      expect.stringContaining("bad address"),
    ]);
  }
  await guest.sh(`${asked} bridge $(meshboot hosts --add-host) lab /bin/ping -c 1 -W 10 db1`);
});

test("a name comes with the next report once its server is in, and goes once its server has left", async () => {
  await join("app1", 3);
  expect(await resolve("web1", "app1")).toEqual([]);
  await report("web1");
  await until("web1 to know app1", 60, async () => {
    const found = await resolve("web1", "app1");
    return found.join() === addressesOf("app1").join() ? holds(true) : not(found.join(" "));
  });
  const before = await node("app1").guest.run("cat", "/etc/hosts");
  expect(before).toContain("web1 # meshboot.hosts");
  await node("app1").guest.run("meshboot", "down", "--release");
  const theirs = before.split("\n").filter((line) => !line.endsWith("# meshboot.hosts"));
  // What a command prints comes without the line feeds at its end.
  expect(await node("app1").guest.run("cat", "/etc/hosts")).toBe(theirs.join("\n").trimEnd());
  await report("web1");
  await until("web1 to forget app1", 60, async () =>
    (await resolve("web1", "app1")).length === 0 ? holds(true) : not("it has the name"),
  );
});

test("what breaks on a server is at the Worker after the next hourly run, with the remedy, and gone when it is done", async () => {
  const { guest, status } = node("db1");
  const look = async () =>
    Node.parse(JSON.parse((await servers.asOperator("GET", `/v1/nodes/${status.node}`)).text));
  await guest.sh(
    "iptables -t nat -D POSTROUTING -s $(ip -4 -o addr show docker0 | awk '{ print $4 }' | sed 's/[.][0-9]*[/]/.0\\//') ! -o docker0 -j MASQUERADE",
  );
  await report("db1");
  const found = await until("the fault to be at the Worker", 120, async () => {
    await report("db1");
    const seen = await look();
    return seen.worstFinding?.link === "nat44" ? holds(seen) : not(JSON.stringify(seen));
  });
  expect(found.findings?.items[0]).toMatchObject({
    link: "nat44",
    level: "fault",
    remedy: "systemctl restart docker",
  });
  await guest.run("systemctl", "restart", "docker");
  await until("the fault to be gone", 120, async () => {
    await report("db1");
    const seen = await look();
    return seen.worstFinding?.level === "fault" ? not(JSON.stringify(seen)) : holds(seen);
  });
});
