// Servers whose operator's own cloud-config would keep a start by `runcmd` from ever coming, and servers whose user-data is
// an `include` of a Worker that is away at the first boot; each with the oldest and the newest cloud-init that there is here.
import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";

const IMAGES = [
  { image: "docker", release: "12", cloudInit: "22.4" },
  { image: "forky", release: "14", cloudInit: "26.2" },
] as const;

/** By what each operator has done to the commands, files and modules beside which the agent is to come in. */
const OPERATORS = {
  // The owner is made by a module that comes later: cloud-init gives up `write_files` there.
  fails: `#cloud-config
users: [default, shop]
write_files:
  - path: /srv/shop.conf
    owner: shop
    content: open
runcmd:
  - "set -e"
  - systemctl is-active meshboot >/root/seen-by-runcmd || true
  - false-command
  - touch /root/never
`,
  ends: `#cloud-config
runcmd:
  - touch /root/before-the-end
  - exit 0
  - touch /root/never
`,
  nothing: `#cloud-config
cloud_init_modules: []
cloud_config_modules: []
cloud_final_modules: []
runcmd: [touch /root/never]
`,
} as const;

let lab: Lab;
let servers: Servers;

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("a command that cloud-init would take for a mapping is refused, and no key made", async () => {
  const cloudConfig = "#cloud-config\nruncmd:\n  - echo a: b\n";
  const refused = await servers.asOperator("POST", "/v1/user-data", { cloudConfig });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("runcmd: item 1")]);
});

describe.each(IMAGES)("cloud-init $cloudInit", ({ image, release, cloudInit }) => {
  const guests = new Map<string, Guest>();
  const guestOf = (kind: string): Guest => {
    const guest = guests.get(kind);
    if (guest === undefined) throw new Error(`${kind} was not ordered`);
    return guest;
  };
  const order = async (kind: string, userData: string): Promise<Guest> => {
    const guest = await lab.order({
      name: `${kind}${release}`,
      image,
      index: lab.guests.length + 1,
      userData,
    });
    guests.set(kind, guest);
    return guest;
  };
  /** What the operator's own part left in /root. */
  const left = (kind: string): string[] =>
    readdirSync(`${guestOf(kind).root}/root`).filter((name) => !name.startsWith("."));

  beforeAll(async () => {
    for (const [kind, cloudConfig] of Object.entries(OPERATORS))
      await order(kind, await servers.userData({ name: `${kind}${release}`, cloudConfig }));
    await order("away", await servers.userData({ form: "include", name: `away${release}` }));
  });

  test("the Worker is away at the first boot of an include: nothing of ours is there, and nobody is let in", {
    timeout: 400_000,
  }, async () => {
    await servers.worker.stop();
    const away = guestOf("away");
    await away.boot();
    await away.settled(240);
    expect(await away.run("cloud-init", "--version")).toContain(` ${cloudInit}`);
    expect((await away.try("test", "-e", "/etc/meshboot")).code).toBe(1);
    expect((await away.try("id", "debian")).code).toBe(1);
  });

  test("it is back at the second boot, and the server comes in; what started the agent has taken itself away", {
    timeout: 600_000,
  }, async () => {
    await servers.worker.start();
    const away = guestOf("away");
    await away.reboot();
    await away.settled(240);
    await untilInMesh(away, 240);
    expect(await away.run("systemctl", "is-enabled", "meshboot.service")).toBe("enabled");
    expect(await away.run("ls", "-A", "/var/lib/cloud/scripts/per-boot")).toBe("");
    expect((await away.try("id", "debian")).code).toBe(0);
  });

  test("servers come in past commands that fail or end early, a file that fails, and lists without a module", {
    timeout: 600_000,
  }, async () => {
    const operators = Object.keys(OPERATORS).map(guestOf);
    await Promise.all(operators.map((guest) => guest.boot()));
    await Promise.all(operators.map((guest) => untilInMesh(guest, 360)));
    expect(left("fails")).toEqual(["seen-by-runcmd"]);
    expect(left("ends")).toEqual(["before-the-end"]);
    expect(left("nothing")).toEqual([]);
    expect((await guestOf("fails").try("test", "-e", "/srv/shop.conf")).code).toBe(0);
  });

  test("the agent started when the operator's commands were over, not before", async () => {
    expect(await guestOf("fails").run("cat", "/root/seen-by-runcmd")).toBe("inactive");
  });

  test("a later boot does all of it no second time, and is in the mesh again", async () => {
    const guest = guestOf("ends");
    await guest.reboot();
    await guest.settled(240);
    await untilInMesh(guest);
    // The agent has deleted it, and who wrote the files anew would have brought it back.
    expect((await guest.try("test", "-e", "/etc/meshboot/key")).code).toBe(1);
    await Promise.all([...guests.values()].map((each) => each.powerOff()));
  });
});
