// Servers that are ordered with nothing but the user-data that the running Worker made, and what remains of the mesh
// when something in it stops.
import { dirname } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { parseNetworkId, parseNodeId } from "../../worker/lease/ids.ts";
import { sixPlane } from "../../worker/lease/six-plane.ts";
import { run } from "../lab/command.ts";
import { type Container, fetchFrom, importImage, inspect, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { type MeshStatus, meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { inside } from "../lab/network.ts";
import { OPERATORS_LABEL } from "../lab/rootfs.ts";
import { NETWORK, Servers } from "../lab/servers.ts";
import { internetAddress } from "../lab/topology.ts";
import { holds, not, until } from "../lab/until.ts";

/** Planted by the operator before Meshboot came: its target is outside the mesh. */
const FOREIGN_ROUTE = { target: "192.168.77.0/24", via: "10.147.17.250" };

const Route = z.object({ target: z.string(), via: z.string().nullable() });
const CentralNetwork = z.object({ config: z.object({ name: z.string(), routes: z.array(Route) }) });
const CentralMembers = z.array(
  z.object({
    nodeId: z.string(),
    name: z.string(),
    config: z.object({ authorized: z.boolean(), ipAssignments: z.array(z.string()) }),
  }),
);
const Nodes = z.object({
  items: z.array(z.object({ node: z.string(), name: z.string(), state: z.string() })),
});
const Links = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })) }),
);
const Routes = z.array(
  z.object({
    dst: z.string(),
    gateway: z.string().optional(),
    dev: z.string().optional(),
    metric: z.number().optional(),
  }),
);

/** One of the mesh's servers, with the container that runs on it. */
interface Server {
  readonly guest: Guest;
  readonly status: MeshStatus;
  container: Container;
}

let lab: Lab;
let servers: Servers;
/** Name to server: web1 has Docker already, db1 is bare, app1 comes with its operator's own cloud-config. */
const mesh = new Map<string, Server>();
const guests = new Map<string, Guest>();

function server(name: string): Server {
  const found = mesh.get(name);
  if (!found) throw new Error(`${name} is not in the mesh`);
  return found;
}

async function addressesOf(guest: Guest, device: string): Promise<string[]> {
  const links = Links.parse(JSON.parse(await guest.run("ip", "-j", "address", "show", "dev", device)));
  return links.flatMap((link) => link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
}

/** Each container fetches from each other one that is given, by both families, and is seen under its own address. */
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

/** After a server has come back: its container runs again and reaches another server's. */
async function untilContainerIsBack(name: string, peer: string): Promise<void> {
  await until(`the container of ${name} to be back`, 60, async () => {
    const back = await inspect(server(name).guest, "web");
    server(name).container = back;
    const to = server(peer).container;
    if (back.ipv4 === "") return not("it has no address");
    await fetchFrom(back, to.ipv4, to.ipv6);
    return holds(undefined);
  });
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  const planted = await servers.atCentral("POST", `/network/${NETWORK}`, {
    config: { name: "lab", routes: [FOREIGN_ROUTE] },
  });
  expect(planted.status).toBe(200);
  await servers.worker.start();

  const orders = [
    { name: "web1", image: "docker" as const, request: { form: "cloud-config", name: "web1" } },
    { name: "db1", image: "bare" as const, request: { form: "include" } },
    {
      name: "app1",
      image: "docker" as const,
      request: {
        form: "multipart",
        docker: "present",
        userlandProxy: false,
        cloudConfig: "#cloud-config\nruncmd:\n  - [touch, /root/the-operators-own]\n",
      },
    },
  ];
  for (const [index, { name, image, request }] of orders.entries()) {
    const ordered = { name, image, index: index + 1, userData: await servers.userData(request) };
    guests.set(name, await lab.order(ordered));
  }
  await Promise.all([...guests.values()].map((guest) => guest.boot()));
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") console.error(await lab.diagnosis());
});

afterAll(async () => {
  servers?.close();
  await lab?.close();
});

test("servers reach the mesh by their user-data alone", async () => {
  await Promise.all(
    [...guests.values()].map(async (guest) => {
      await guest.settled();
      const status = await untilInMesh(guest, 240);
      await importImage(guest);
      mesh.set(guest.name, { guest, status, container: await startContainer(guest, "web") });
    }),
  );
  expect([...mesh.values()].map(({ status }) => status.name).sort()).toEqual(["app1", "db1", "web1"]);
  expect([...mesh.values()].map(({ status }) => status.slot).sort()).toEqual([1, 2, 3]);
});

describe.each(["web1", "db1", "app1"])("%s", (name) => {
  test("booted without a fault", async () => {
    const { guest } = server(name);
    expect(await guest.run("cloud-init", "status")).toBe("status: done");
    expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
    expect(await guest.run("systemctl", "is-system-running")).toBe("running");
  });

  test("has its ZeroTier and its 6PLANE address on the interface", async () => {
    const { guest, status } = server(name);
    const network = parseNetworkId(NETWORK);
    const node = parseNodeId(status.node);
    if (network === undefined || node === undefined) throw new Error(`not ids: ${NETWORK}, ${status.node}`);
    const addresses = await addressesOf(guest, status.interface);
    expect(addresses).toContain(`10.147.17.${status.slot}/24`);
    expect(addresses).toContain(sixPlane(network, node).addressWithPrefix);
  });

  test("runs dockerd with the lease's two subnets and the operator's own options", async () => {
    const { guest, status } = server(name);
    const six = (await addressesOf(guest, status.interface)).find((address) => address.endsWith("/40"));
    const six80 = six?.replace("::1/40", "") ?? "none";
    const unit = await guest.run("systemctl", "cat", "docker.service");
    expect(unit).toContain("# /run/systemd/generator/docker.service.d/50-meshboot.conf");
    const addresses = await addressesOf(guest, "docker0");
    expect(addresses).toContain(`172.28.${status.slot}.1/25`);
    expect(addresses).toContain(`${six80}::1/81`);
    const subnets = await guest.run(
      ...(["docker", "network", "inspect", "bridge", "--format"] as const),
      "{{range .IPAM.Config}}{{.Subnet}} {{end}}",
    );
    expect(subnets.trim().split(" ")).toEqual([`172.28.${status.slot}.0/25`, `${six80}::/81`]);
    const pools = await guest.run("docker", "info", "--format", "{{json .DefaultAddressPools}}");
    expect(pools).toContain(`"172.28.${status.slot}.128/25"`);
    expect(pools).toContain(`"${six80}:8000::/81"`);
    const labels = await guest.run("docker", "info", "--format", "{{json .Labels}}");
    expect(labels).toBe(name === "db1" ? "[]" : `["${OPERATORS_LABEL}"]`);
    const commandLine = await guest.sh("tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline");
    expect(commandLine.includes("--userland-proxy=false")).toBe(name === "app1");
  });

  test("forwards, and answers for its neighbours", async () => {
    const { guest } = server(name);
    const keys = [
      "net.ipv4.ip_forward",
      ...["forwarding", "proxy_ndp"].flatMap((key) =>
        ["all", "default"].map((at) => `net.ipv6.conf.${at}.${key}`),
      ),
    ];
    expect(await guest.run("sysctl", "-n", ...keys)).toBe("1\n1\n1\n1\n1");
    const file = await guest.run("cat", "/etc/sysctl.d/90-meshboot.conf");
    for (const key of keys) expect(file.replaceAll("/", ".")).toContain(`${key}=1`);
  });

  test("has a route to every other slot, none to its own, and none that the mesh does not need", async () => {
    const { guest, status } = server(name);
    const routes = Routes.parse(JSON.parse(await guest.run("ip", "-j", "-4", "route", "show")));
    const computed = routes.filter(({ dev, metric }) => dev === status.interface && metric === 5100);
    const others = Array.from({ length: 239 }, (_, index) => index + 1).filter(
      (slot) => slot !== status.slot,
    );
    expect(computed.map(({ dst, gateway }) => `${dst} via ${gateway}`).sort()).toEqual(
      others.map((slot) => `172.28.${slot}.0/24 via 10.147.17.${slot}`).sort(),
    );
    expect(routes.filter(({ dst }) => dst.startsWith(`172.28.${status.slot}.`))).toMatchObject([
      { dst: `172.28.${status.slot}.0/25`, dev: "docker0" },
    ]);
    // The network hands this one out, but it is not the mesh's: allowManaged keeps it off.
    expect(routes.filter(({ dst }) => dst === FOREIGN_ROUTE.target)).toEqual([]);
  });

  test("has forgotten the enrolment key, and keeps lease and token to itself", async () => {
    const { guest } = server(name);
    expect(await guest.run("sh", "-c", "ls /etc/meshboot")).not.toMatch(/^key$/m);
    expect(await guest.sh("cd /var/lib/meshboot && stat -c '%a %n' lease token")).toBe(
      "600 lease\n600 token",
    );
    expect(await guest.run("cat", "/var/lib/meshboot/token")).toMatch(/^mbn_/);
  });
});

test("the operator's own part of the multipart user-data was done as well", async () => {
  await server("app1").guest.run("test", "-e", "/root/the-operators-own");
});

test("containers reach each other by both families, each under its own address", async () => {
  await expectExchange("web1", "db1", "app1");
});

test("containers on networks of the user's own do so too", async () => {
  const ends = await Promise.all(
    ["web1", "db1"].map(async (name) => {
      const { guest } = server(name);
      await guest.run("docker", "network", "create", "--ipv6", "own");
      return startContainer(guest, "inside", "own");
    }),
  );
  for (const end of ends) {
    const to = ends.find((other) => other !== end);
    if (!to) throw new Error("one end only");
    await until(`${end.guest.name} to fetch from ${to.guest.name}`, 60, async () => {
      const seen = await fetchFrom(end, to.ipv4, to.ipv6);
      return seen.join() === `${end.ipv4},${end.ipv6}` ? holds(undefined) : not(seen.join());
    });
    expect(end.ipv4).toMatch(new RegExp(`^172\\.28\\.${server(end.guest.name).status.slot}\\.`));
  }
});

test("an address of a lease that no container has is refused, not sent out on the internet", async () => {
  const { slot } = server("db1").status;
  const six = server("db1").container.ipv6.split(":").slice(0, 5).join(":");
  for (const from of ["web1", "db1"]) {
    // Not 143, which is five seconds of silence.
    await expect(fetchFrom(server(from).container, `172.28.${slot}.250`)).rejects.toThrow(/exit code 1\n/);
    await expect(fetchFrom(server(from).container, `${six}:ffff::1`)).rejects.toThrow(/exit code 1\n/);
  }
});

test.each([
  ["its own server", "web1"],
  ["another server", "db1"],
])("a neighbour on the internet that routes a lease at %s gets no answer", async (_, by) => {
  const { container } = server("web1");
  const { guest } = server(by);
  const neighbour = internetAddress(guest.index);
  const from = (command: string, ...args: string[]) => run(...inside(lab.network.internet, command, args));
  await from("ip", "route", "add", "172.28.0.0/16", "via", neighbour.ipv4);
  await from("ip", "-6", "route", "add", `${container.ipv6}/128`, "via", neighbour.ipv6);
  onTestFinished(async () => {
    await from("ip", "route", "del", "172.28.0.0/16");
    await from("ip", "-6", "route", "del", `${container.ipv6}/128`);
  });
  const fetch = (host: string) =>
    from("busybox", "timeout", "3", "busybox", "wget", "-qO-", `http://${host}/cgi-bin/who`);
  await expect(fetch(container.ipv4)).rejects.toThrow(/exit code 143/);
  await expect(fetch(`[${container.ipv6}]`)).rejects.toThrow(/exit code 143/);
});

test("Central has each server as an authorized member with its name, address and route; what was there stays", async () => {
  const members = CentralMembers.parse(
    JSON.parse((await servers.atCentral("GET", `/network/${NETWORK}/member`)).text),
  );
  for (const { status } of mesh.values()) {
    const member = members.find(({ nodeId }) => nodeId === status.node);
    expect(member).toMatchObject({
      name: status.name,
      config: { authorized: true, ipAssignments: [`10.147.17.${status.slot}`] },
    });
  }
  const { config } = CentralNetwork.parse(
    JSON.parse((await servers.atCentral("GET", `/network/${NETWORK}`)).text),
  );
  expect(config.name).toBe("lab");
  expect(config.routes).toContainEqual({ target: "10.147.17.0/24", via: null });
  expect(config.routes).toContainEqual(FOREIGN_ROUTE);
  for (const { status } of mesh.values()) {
    const { slot } = status;
    expect(config.routes).toContainEqual({ target: `172.28.${slot}.0/24`, via: `10.147.17.${slot}` });
  }
  expect(config.routes).toHaveLength(5);
});

test("the Worker lists them as active", async () => {
  const { items } = Nodes.parse(JSON.parse((await servers.asOperator("GET", "/v1/nodes")).text));
  expect(items.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
    "app1 active",
    "db1 active",
    "web1 active",
  ]);
});

test("zerotier-one restarted: interface, addresses and routes come back, also with the Worker stopped", async () => {
  await servers.worker.stop();
  const { guest, status } = server("web1");
  const index = () => guest.run("cat", `/sys/class/net/${status.interface}/ifindex`);
  const former = await index();
  await guest.run("systemctl", "restart", "zerotier-one.service");
  await until("the routes to come back", 60, async () => {
    const { routes, routesExpected } = await meshStatus(guest);
    return routes === routesExpected ? holds(undefined) : not(`${routes} of ${routesExpected} routes`);
  });
  expect(await index(), "a new interface, which the kernel made without routes").not.toBe(former);
  await untilInMesh(guest, 60);
  await untilContainerIsBack("web1", "db1");
  await expectExchange("web1", "db1", "app1");
});

test("an address that goes at run time takes the routes with it, and they are back within seconds", async () => {
  const { guest, status } = server("web1");
  const address = `10.147.17.${status.slot}/24`;
  const lost = await guest.sh(
    `ip addr del ${address} dev ${status.interface}; ip -4 route show dev ${status.interface} | wc -l; ip addr add ${address} dev ${status.interface}`,
  );
  expect(lost).toBe("0");
  await until("the routes to come back", 60, async () => {
    const { routes, routesExpected } = await meshStatus(guest);
    return routes === routesExpected ? holds(undefined) : not(`${routes} of ${routesExpected} routes`);
  });
  await expectExchange("web1", "db1", "app1");
});

test("zerotier-one keeps the network's configuration in a folder that is its user's", async () => {
  for (const { guest } of mesh.values()) {
    expect(await guest.sh("cd /var/lib/zerotier-one; stat -c %U . networks.d networks.d/*")).toBe(
      Array.from({ length: 4 }, () => "zerotier-one").join("\n"),
    );
    expect(Number(await guest.sh("cat /var/lib/zerotier-one/networks.d/*.conf | wc -c"))).toBeGreaterThan(
      100,
    );
  }
});

test("Worker, Central and roots stopped: the rest goes on, and a server that reboots for the first time comes back", async () => {
  expect(servers.worker.isRunning).toBe(false);
  await Promise.all([servers.central.stop(), servers.root.stop()]);
  const { guest, status } = server("db1");
  await guest.reboot();
  await expectExchange("web1", "app1");
  await guest.settled();
  expect(await untilInMesh(guest)).toMatchObject({ node: status.node, slot: status.slot });
  expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
  await untilContainerIsBack("db1", "web1");
  await expectExchange("web1", "db1", "app1");
  await Promise.all([servers.central.start(), servers.root.start()]);
  await servers.worker.start();
  await expectExchange("web1", "db1", "app1");
});

describe("a server that only answers", () => {
  const reaches = async (name: string) => {
    const { slot } = server("db1").status;
    const { code } = await server(name).guest.try("ping", "-c1", "-W2", `10.147.17.${slot}`);
    return code === 0;
  };
  // Its watch greets, and the doctor of a run of `up` asks.
  const silent = { "meshboot-watch": "/bin/sleep infinity", meshboot: "/bin/true" };
  const dropIn = (service: string) => `/run/systemd/system/${service}.service.d/silent.conf`;

  test("is not reached after a restart of zerotier-one, while it speaks to nobody", async () => {
    for (const [service, command] of Object.entries(silent))
      await server("db1").guest.sh(`
        mkdir -p ${dirname(dropIn(service))}
        printf '[Service]\nExecStart=\nExecStart=${command}\n' >${dropIn(service)}`);
    await server("db1").guest.sh(`
      : >/run/zerotier-double-unheard
      systemctl daemon-reload
      systemctl restart zerotier-one.service`);
    // What puts the routes back says nothing to anybody, and does so once the interface has its address.
    await until("the routes to be put back", 60, async () => {
      await server("db1").guest.run("meshboot", "keep");
      const { routes, routesExpected } = await meshStatus(server("db1").guest);
      return routes === routesExpected ? holds(undefined) : not(`${routes} of ${routesExpected} routes`);
    });
    await untilInMesh(server("db1").guest);
    expect(await Promise.all(["web1", "app1"].map(reaches))).toEqual([false, false]);
  });

  test("is reached from all others within seconds, since it speaks to them first", async () => {
    await server("db1").guest.sh(
      `rm ${Object.keys(silent).map(dropIn).join(" ")}; systemctl daemon-reload; systemctl restart zerotier-one.service`,
    );
    for (const name of ["web1", "app1"])
      await until(`${name} to reach db1`, 60, async () =>
        (await reaches(name)) ? holds(undefined) : not("no answer"),
      );
    await server("db1").guest.run("rm", "/run/zerotier-double-unheard");
    await untilInMesh(server("db1").guest);
    await untilContainerIsBack("db1", "web1");
  });
});

describe.each([
  ["web1", "db1", "app1"],
  ["db1", "app1", "web1"],
  ["app1", "web1", "db1"],
])("%s stopped", (name, left, right) => {
  test("the other two go on, and it is in the mesh again when it is switched on", async () => {
    const { guest, status } = server(name);
    await guest.pullThePlug();
    await expectExchange(left, right);
    await guest.boot();
    await guest.settled();
    expect(await untilInMesh(guest)).toMatchObject({ node: status.node, slot: status.slot });
    await untilContainerIsBack(name, left);
    await expectExchange("web1", "db1", "app1");
  });
});
