// A mesh with nobody's account: its controller is hosted by the first server that comes in, destroyed with that server and its disk, and
// hosted by another one from then on. Central has no part in it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { controllerSchema } from "../../worker/schema/controller.ts";
import { type Container, fetchFrom, importImage, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { holds, not, until } from "../lab/until.ts";

/** A throw-away identity of the real zerotier-idtool's. */
const [CONTROLLER] = z
  .object({ items: z.array(z.object({ secret: z.string() })).min(1) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../unit/identity/vectors.json"), "utf8"))).items;
const HOME = "/var/lib/meshboot-controller";

interface Server {
  readonly guest: Guest;
  readonly status: MeshStatus;
  readonly container: Container;
}

let lab: Lab;
let servers: Servers;
const mesh = new Map<string, Server>();

beforeAll(async () => {
  lab = await Lab.open();
  const identity = join(lab.directory, "controller-identity");
  writeFileSync(identity, CONTROLLER?.secret ?? "", { mode: 0o600 });
  servers = await Servers.start(lab, identity);
  await servers.worker.start();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

function server(name: string): Server {
  return mesh.get(name) ?? expect.fail(`${name} is not in the mesh`);
}

/** Orders servers with user-data alone, and waits until they are in. */
async function order(...names: string[]): Promise<void> {
  const guests = await Promise.all(
    names.map(async (name) =>
      lab.order({
        ...{ name, image: "docker", index: lab.guests.length + names.indexOf(name) + 1 },
        userData: await servers.userData({ form: "cloud-config", name }),
      }),
    ),
  );
  await Promise.all(
    guests.map(async (guest) => {
      await guest.boot();
      await guest.settled();
      const status = await untilInMesh(guest, 300);
      await importImage(guest);
      mesh.set(guest.name, { guest, status, container: await startContainer(guest, "web") });
    }),
  );
}

/** Each container fetches from each other one, by both families, and is seen under its own address. */
async function expectExchange(...names: string[]): Promise<void> {
  const chosen = names.map((name) => server(name).container);
  await Promise.all(
    chosen.map(async (from) => {
      const others = chosen.filter((other) => other !== from);
      const seen = await fetchFrom(from, ...others.flatMap((other) => [other.ipv4, other.ipv6]));
      expect(seen, `what ${from.guest.name} is seen as`).toEqual(
        others.flatMap(() => [from.ipv4, from.ipv6]),
      );
    }),
  );
}

async function hosted() {
  const answer = await servers.asOperator("GET", "/v1/controller");
  return controllerSchema.parse(JSON.parse(answer.text)).own?.turn ?? expect.fail(answer.text);
}

test("the first server makes it, and lets itself in", async () => {
  await order("web1");
  expect(await hosted()).toMatchObject({ number: 1, name: "web1", whole: true });
  const { guest } = server("web1");
  expect(await guest.run("systemctl", "is-active", "meshboot-controller", "meshboot-controller-work")).toBe(
    "active\nactive",
  );
  expect(await guest.run("zerotier-cli", `-D${HOME}`, "-j", "listnetworks")).toBe("[]");
  expect(await guest.sh(`stat -c %a ${HOME} ${HOME}/identity.secret`)).toBe("700\n600");
  expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
});

test("two more come in by it, and containers reach one another by both families", async () => {
  await order("web2", "web3");
  await expectExchange("web1", "web2", "web3");
});

test("no secret of it is in the journal, or in what programs are called with", async () => {
  const { guest } = server("web1");
  const secret = CONTROLLER?.secret.slice(-64) ?? expect.fail();
  const token = (await guest.sh(`cat ${HOME}/authtoken.secret`)).trim();
  const said = await guest.sh("journalctl --no-pager; tr '\\0' ' ' </proc/[0-9]*/cmdline 2>/dev/null || :");
  expect(said.includes(secret) || said.includes(token)).toBe(false);
});

test("destroyed with its server, it is missed by nobody who is in the mesh", async () => {
  await server("web1").guest.pullThePlug();
  await expectExchange("web2", "web3");
  const { guest } = server("web2");
  await guest.run("systemctl", "restart", "zerotier-one.service");
  await untilInMesh(guest);
  await until("containers of web2 and web3 to reach each other", 120, async () => {
    await expectExchange("web2", "web3");
    return holds(undefined);
  });
});

test("moved to another server, it lets a new one in, and members do not notice", async () => {
  const { node } = server("web2").status;
  const moved = await servers.asOperator("POST", "/v1/controller/move", { node });
  expect(moved.status, moved.text).toBe(200);
  // Its agent hears of it with its next report.
  await server("web2").guest.run("systemctl", "restart", "meshboot.service");
  await order("web4");
  expect(await hosted()).toMatchObject({ number: 2, name: "web2", whole: true });
  await expectExchange("web2", "web3", "web4");
});

test("the first one, booted again with its old disk, does not start its controller", async () => {
  const { guest } = server("web1");
  expect(guest.isRunning).toBe(false);
  await guest.boot();
  await guest.settled();
  await until("web1 to have been told that it is another's turn", 120, async () =>
    (await guest.try("test", "-e", HOME)).code === 0 ? not(`${HOME} is there`) : holds(undefined),
  );
  const starts = await guest.sh(
    "journalctl -b -u meshboot-controller --no-pager -o cat | grep -c Started || :",
  );
  expect(starts).toBe("0");
  expect(await guest.try("systemctl", "is-active", "meshboot-controller")).toMatchObject({
    stdout: "inactive\n",
  });
  await untilInMesh(guest);
  expect(await hosted()).toMatchObject({ number: 2, name: "web2" });
});
