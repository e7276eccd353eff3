// Debian 12 as cloud-init sets it up for a provider with DHCPv6 or router advertisements: ifupdown writes over the accept_ra that
// forwarding needs at each ifup, and this router speaks when it is asked, and at no other time.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { untilInMesh } from "../lab/mesh-node.ts";
import { advertiseTaciturnRouter } from "../lab/router.ts";
import { Servers } from "../lab/servers.ts";
import { GATEWAY_IPV4, internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

const HOOK = "/etc/network/if-up.d/meshboot";

/** cloud-init's network-config for eth0 beside its IPv4 address, and what cloud-init makes of it. */
const KINDS: Readonly<
  Record<string, { readonly config: Readonly<Record<string, unknown>>; readonly stanza: RegExp }>
> = {
  dhcp6: { config: { dhcp6: true }, stanza: /^iface eth0 inet6 dhcp$/m },
  listens: { config: { "accept-ra": true }, stanza: /^\s+accept_ra 1$/m },
};

let lab: Lab;
let servers: Servers;
const guests: Guest[] = [];

/** Its IPv6 default route, from the router, in less time than that speaks by itself. */
async function expectRoute(guest: Guest): Promise<void> {
  await until(`${guest.name} to have its IPv6 default route`, 60, async () => {
    const route = await guest.run("ip", "-6", "route", "show", "default");
    return /^default via fe80::\S+ dev eth0 proto ra /.test(route) ? holds(undefined) : not(route);
  });
}

const each = (act: (guest: Guest) => Promise<void>) => Promise.all(guests.map(act));

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await advertiseTaciturnRouter(lab);
  await servers.worker.start();
  for (const [place, [name, { config }]] of Object.entries(KINDS).entries()) {
    const index = place + 1;
    const { ipv4, ipv6 } = internetAddress(index);
    // cloud-init says accept_ra of the first address alone.
    const addresses = [...(name === "dhcp6" ? [] : [`${ipv6}/64`]), `${ipv4}/24`];
    const eth0 = { addresses, gateway4: GATEWAY_IPV4, ...config };
    const networkConfig = { version: 2, ethernets: { eth0 } };
    const guest = await lab.order({ name, image: "docker", index, networkConfig });
    await guest.boot();
    await guest.settled(240);
    guests.push(guest);
  }
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("cloud-init writes the stanzas, and the kernel asks by itself as long as it does not forward", async () => {
  await each(async (guest) => {
    const stanza = KINDS[guest.name]?.stanza ?? /^$/;
    expect(await guest.sh("cat /etc/network/interfaces /etc/network/interfaces.d/*")).toMatch(stanza);
    expect(await guest.run("cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra")).toBe("1");
    await expectRoute(guest);
    await guest.run("systemctl", "restart", "networking");
    await expectRoute(guest);
  });
});

test("the route outlasts up", { timeout: 600_000 }, async () => {
  for (const guest of guests) {
    const userData = await servers.userData({ form: "include", name: guest.name });
    await guest.sh(`curl -fsS ${/^http\S+/m.exec(userData)?.[0]}/sh | sh`);
    await untilInMesh(guest, 240);
    await expectRoute(guest);
    expect(await guest.run("stat", "-c", "%a", HOOK)).toBe("755");
  }
});

test("it is back after a restart of networking", async () => {
  await each(async (guest) => {
    await guest.run("systemctl", "restart", "networking");
    await expectRoute(guest);
    expect((await guest.try("systemctl", "is-failed", "networking")).stdout.trim()).toBe("active");
  });
});

test("up asks for it where it was lost", async () => {
  await each(async (guest) => {
    await guest.sh(
      "sysctl -qw net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.all.forwarding=1; ip -6 route flush default proto ra",
    );
    expect(await guest.run("ip", "-6", "route", "show", "default")).toBe("");
    await guest.run("meshboot", "up");
    await expectRoute(guest);
  });
});

test("it is there after a reboot, long before the router speaks", { timeout: 300_000 }, async () => {
  await each(async (guest) => {
    await guest.reboot();
    await guest.settled();
    await expectRoute(guest);
  });
});

test("down takes the hook away, and the route is as it was", { timeout: 300_000 }, async () => {
  await each(async (guest) => {
    await untilInMesh(guest);
    await guest.run("meshboot", "down");
    expect((await guest.try("test", "-e", HOOK)).code).toBe(1);
    await expectRoute(guest);
    await guest.run("systemctl", "restart", "networking");
    await expectRoute(guest);
  });
});
