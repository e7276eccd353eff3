// The host's own network, whatever configures it, while the server comes into the mesh, lives there and leaves it again:
// default routes of both families, the IPv6 one by router advertisement alone. And hosts without IPv6, or no way out by it.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Container,
  fetchFrom,
  importImage,
  inspect,
  plainAddress,
  startContainer,
} from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { advertiseRouter, ROUTER_LIFETIME } from "../lab/router.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, GATEWAY_IPV6, internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";
import { startWebsite } from "../lab/website.ts";

/** A kind of host: what is on its disk before the first boot, what its owner does then, how its network starts over. */
interface Kind {
  readonly disk?: (guest: Guest) => void;
  readonly owner?: (guest: Guest) => Promise<void>;
  readonly restart?: string;
}

function write(guest: Guest, path: string, content: string, mode = 0o644): void {
  mkdirSync(`${guest.root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
  writeFileSync(`${guest.root}${path}`, content, { mode });
}

function enable(guest: Guest, unit: string, wantedBy: string): void {
  const folder = `${guest.root}/etc/systemd/system/${wantedBy}.wants`;
  mkdirSync(folder, { recursive: true });
  symlinkSync(`/lib/systemd/system/${unit}`, `${folder}/${unit}`);
}

/** Each with the kernel, its own code, or a daemon's, to listen to router advertisements. */
const UPLINKS: Readonly<Record<string, Kind>> = {
  ifupdown: { restart: "ifdown eth0; ifup eth0" },
  networkd: {
    disk: (guest) => {
      write(
        guest,
        "/etc/cloud/cloud.cfg.d/91networkd.cfg",
        "system_info: {network: {renderers: [networkd], activators: [networkd]}}\n",
      );
      enable(guest, "systemd-networkd.service", "multi-user.target");
      enable(guest, "systemd-networkd-wait-online.service", "network-online.target");
      symlinkSync("/dev/null", `${guest.root}/etc/systemd/system/networking.service`);
      // The owner's own file for whatever comes, which would take the mesh's interface too.
      write(
        guest,
        "/etc/systemd/network/50-whatever.network",
        "[Match]\nName=!eth0 wire0 docker0 br-* veth*\n[Network]\nDHCP=yes\n",
      );
    },
    restart: "networkctl reload; systemctl restart systemd-networkd",
  },
  manager: {
    owner: async (guest) => {
      const install = "apt-get -q update && apt-get -qy install --no-install-recommends network-manager";
      await guest.sh(`systemd-run --unit=owner --setenv=DEBIAN_FRONTEND=noninteractive sh -c '${install}'`);
      await until("the owner to have installed NetworkManager", 300, async () => {
        const { stdout } = await guest.try(
          "systemctl",
          "is-active",
          "owner.service",
          "NetworkManager.service",
        );
        return /^(inactive|failed)\nactive/.test(stdout) ? holds(undefined) : not(stdout);
      });
      const address = internetAddress(guest.index).ipv4;
      write(guest, "/etc/NetworkManager/conf.d/10-wire.conf", "[main]\nno-auto-default=*\n");
      write(
        guest,
        "/etc/NetworkManager/system-connections/eth0.nmconnection",
        `[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=${address}/24,${GATEWAY_IPV4}\n[ipv6]\nmethod=auto\n`,
        0o600,
      );
      write(guest, "/etc/cloud/cloud.cfg.d/91own.cfg", "network: {config: disabled}\n");
      await guest.run("rm", "/etc/network/interfaces.d/50-cloud-init");
      await guest.reboot();
      await guest.settled();
    },
    restart: "systemctl restart NetworkManager; nmcli connection up eth0",
  },
};

const OTHERS: Readonly<Record<string, Kind>> = {
  noipv6: {
    disk: (guest) =>
      write(
        guest,
        "/etc/sysctl.d/80-owner.conf",
        "net.ipv6.conf.all.disable_ipv6=1\nnet.ipv6.conf.default.disable_ipv6=1\n",
      ),
  },
  noway6: {
    disk: (guest) => write(guest, "/etc/sysctl.d/80-owner.conf", "net.ipv6.conf.eth0.accept_ra=0\n"),
  },
};

const KINDS = { ...UPLINKS, ...OTHERS };

const Routes = z.array(
  z.object({ dst: z.string(), gateway: z.string().optional(), dev: z.string().optional() }),
);

let lab: Lab;
let servers: Servers;
const guests = new Map<string, Guest>();
const containers = new Map<string, Container>();
/** Default routes of each host before Meshboot came. */
const before = new Map<string, readonly string[]>();

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

async function defaultRoutes(guest: Guest): Promise<string[]> {
  const listed = await Promise.all(
    ["-4", "-6"].map(async (family) =>
      Routes.parse(JSON.parse(await guest.run("ip", "-j", family, "route", "show", "default"))),
    ),
  );
  return listed.flat().map(({ dst, gateway, dev }) => `${dst} via ${gateway} dev ${dev}`);
}

/** The host has the default routes that it had, and reaches the internet under its own addresses by both families. */
async function expectUplink(name: string): Promise<void> {
  const guest = known(guests, name);
  expect(await defaultRoutes(guest), name).toEqual(known(before, name));
  const urls = [GATEWAY_IPV4, `[${GATEWAY_IPV6}]`].map((host) => `http://${host}/cgi-bin/who`);
  const seen = (await guest.run("curl", "-gfsS", "--max-time", "5", ...urls)).split("\n").map(plainAddress);
  expect(seen, name).toEqual([internetAddress(guest.index).ipv4, expect.stringMatching(/^2001:db8:113:0:/)]);
}

/** See expectUplink; waits while the host's own services may still be at it, after a boot or a restart of theirs. */
async function untilUplink(name: string): Promise<void> {
  await until(`${name} to be on the internet`, 30, async () => holds(await expectUplink(name)));
}

function each(names: readonly string[], act: (name: string) => Promise<void>): Promise<unknown> {
  return Promise.all(names.map(act));
}

/** Its containers reach the internet by both families, IPv6 under the host's address. */
async function expectContainersUplink(name: string): Promise<void> {
  const container = known(containers, name);
  const seen = await fetchFrom(container, GATEWAY_IPV4, GATEWAY_IPV6);
  expect(seen, name).toEqual([
    internetAddress(container.guest.index).ipv4,
    expect.stringMatching(/^2001:db8:113:0:/),
  ]);
}

/** Both ways between the containers of two servers, each under its own address. */
async function expectExchange(one: string, two: string, families: "ipv4 and ipv6" | "ipv4"): Promise<void> {
  const ends = [known(containers, one), known(containers, two)] as const;
  for (const [from, to] of [ends, [ends[1], ends[0]]] as const) {
    const addresses = (end: Container) => (families === "ipv4" ? [end.ipv4] : [end.ipv4, end.ipv6]);
    expect(await fetchFrom(from, ...addresses(to)), `${from.guest.name}`).toEqual(addresses(from));
  }
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  advertiseRouter(lab);
  startWebsite(lab);
  await servers.worker.start();
  for (const [position, [name, kind]] of Object.entries(KINDS).entries()) {
    const index = position + 1;
    const subnets = [{ type: "static", address: `${internetAddress(index).ipv4}/24`, gateway: GATEWAY_IPV4 }];
    const networkConfig = { version: 1, config: [{ type: "physical", name: "eth0", subnets }] };
    const guest = await lab.order({ name, image: "docker", index, networkConfig });
    kind.disk?.(guest);
    guests.set(name, guest);
  }
  for (const [name, { owner }] of Object.entries(KINDS)) {
    const guest = known(guests, name);
    await guest.boot();
    await guest.settled(240);
    await owner?.(guest);
    await importImage(guest);
  }
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

const names = Object.keys(UPLINKS);

test("hosts have a default route of each family, that of IPv6 by router advertisement", async () => {
  await each(names, async (name) => {
    const guest = known(guests, name);
    await until(`${name} to hear the router`, 30, async () => {
      const routes = await defaultRoutes(guest);
      expect(routes).toHaveLength(2);
      expect(routes[1]).toMatch(/^default via fe80::\S+ dev eth0$/);
      return holds(before.set(name, routes));
    });
    expect(await guest.run("ip", "-6", "route", "show", "default")).toContain(" proto ra ");
    await untilUplink(name);
  });
});

test("up leaves them", { timeout: 900_000 }, async () => {
  for (const name of Object.keys(KINDS)) {
    const guest = known(guests, name);
    const userData = await servers.userData({ form: "include", name });
    const url = /^http\S+/m.exec(userData)?.[0] ?? "none";
    await guest.sh(`curl -fsS ${url}/sh | sh`);
    await untilInMesh(guest, 240);
    containers.set(name, await startContainer(guest, "web"));
    if (name in UPLINKS) await expectUplink(name);
  }
});

test("they outlast what the router has said so far", async () => {
  await pause((ROUTER_LIFETIME + 3) * 1000);
  await each(names, expectUplink);
  await each(names, expectContainersUplink);
});

test("they outlast a restart of dockerd", async () => {
  await each(names, async (name) => {
    await known(guests, name).run("systemctl", "restart", "docker.service");
    await expectUplink(name);
  });
});

describe.each(Object.entries(UPLINKS))("%s starts over", (name, { restart = "" }) => {
  test("and keeps off the mesh's interface, its address and its routes", async () => {
    const guest = known(guests, name);
    const device = (await meshStatus(guest)).interface;
    const mesh = `ip -4 route show dev ${device}; ip -o address show dev ${device}`;
    const former = await guest.sh(mesh);
    await guest.sh(restart);
    await untilUplink(name);
    expect(await guest.sh(mesh)).toBe(former);
    const status = await meshStatus(guest);
    expect(status.routes).toBe(status.routesExpected);
    const seen = await guest.sh("networkctl --no-legend list; nmcli -t device 2>/dev/null || :");
    const lines = seen.split("\n").filter((line) => line.includes(device));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toContain("unmanaged");
  });
});

test("they come back after a reboot, and outlast what the router said then", {
  timeout: 400_000,
}, async () => {
  await each(names, async (name) => {
    const guest = known(guests, name);
    await guest.reboot();
    await guest.settled();
    await untilInMesh(guest, 120);
    await untilUplink(name);
    containers.set(name, await inspect(guest, "web"));
  });
  await pause((ROUTER_LIFETIME + 3) * 1000);
  await each(names, expectUplink);
  await each(names, expectContainersUplink);
});

test("a host whose owner keeps IPv6 off gets IPv4 alone, and stays as it is", async () => {
  const guest = known(guests, "noipv6");
  const { ipv6 } = known(containers, "noipv6");
  expect(ipv6).toBe("");
  await expectExchange("noipv6", "noway6", "ipv4");
  expect(await guest.run("ip", "-6", "address", "show")).toBe("");
  expect(await guest.run("sysctl", "-n", "net.ipv6.conf.all.disable_ipv6")).toBe("1");
  await guest.run("meshboot", "up");
  const journal = await guest.run("journalctl", "-u", "meshboot", "-o", "cat", "--no-pager");
  expect(journal.match(/IPv6 is off on this host/g)).toHaveLength(1);
});

test("a host without an IPv6 default route has IPv6 in the mesh, and none to the outside", async () => {
  const guest = known(guests, "noway6");
  expect(await defaultRoutes(guest)).toHaveLength(1);
  await expectExchange("noway6", "ifupdown", "ipv4 and ipv6");
  const container = known(containers, "noway6");
  expect(await fetchFrom(container, GATEWAY_IPV4)).toEqual([internetAddress(guest.index).ipv4]);
  // Refused at once: not 143, which is five seconds of silence.
  await expect(fetchFrom(container, GATEWAY_IPV6)).rejects.toThrow(/exit code 1\n/);
});

test("down leaves them, also past what the router said before, and at the next boot", {
  timeout: 600_000,
}, async () => {
  await each(Object.keys(KINDS), async (name) => {
    await known(guests, name).run("meshboot", "down", "--restart-docker");
  });
  await each(names, expectUplink);
  await pause((ROUTER_LIFETIME + 3) * 1000);
  await each(names, expectUplink);
  await each(names, async (name) => {
    const guest = known(guests, name);
    const files = "/etc/NetworkManager/conf.d /etc/systemd/network /etc/sysctl.d";
    expect(await guest.sh(`find ${files} -name '*meshboot*' 2>/dev/null || :`)).toBe("");
    await guest.reboot();
    await guest.settled();
    await untilUplink(name);
  });
});
