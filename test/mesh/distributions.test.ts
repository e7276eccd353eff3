// Bare servers of each Debian release: the agent installs Docker and Compose there, and takes all of it back but packages.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { importImage, startContainer } from "../lab/containers.ts";
import type { Guest } from "../lab/guest.ts";
import { Lab } from "../lab/lab.ts";
import { meshStatus, untilInMesh } from "../lab/mesh-node.ts";
import { Servers } from "../lab/servers.ts";
import { difference, snapshot } from "../lab/snapshot.ts";
import { holds, not, until } from "../lab/until.ts";

const RELEASES = [
  { name: "debian12", image: "bare", docker: "20.10", compose: "1.29" },
  { name: "debian13", image: "bare-trixie", docker: "26.1", compose: "2.26" },
  { name: "debian14", image: "bare-forky", docker: "28.5", compose: "2.40" },
] as const;

const LINK = ["/bin/ip", "link", "show", "eth0"] as const;

let lab: Lab;
let servers: Servers;
const guests = new Map<string, Guest>();

function guestOf(name: string): Guest {
  const guest = guests.get(name);
  if (!guest) throw new Error(`${name} was not ordered`);
  return guest;
}

beforeAll(async () => {
  lab = await Lab.open();
  servers = await Servers.start(lab);
  await servers.worker.start();
  for (const [index, { name, image }] of RELEASES.entries()) {
    const userData = await servers.userData({ name, docker: "distro", compose: true });
    guests.set(name, await lab.order({ name, image, index: index + 1, userData }));
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

test("user-data alone takes bare servers into the mesh", async () => {
  await Promise.all(
    [...guests.values()].map(async (guest) => {
      await guest.settled();
      await untilInMesh(guest, 400);
    }),
  );
});

describe.each(["debian13", "debian14"])("%s in layout compose", (name) => {
  const layout = (value: string) =>
    `sed -i 's/^LAYOUT=.*//' /etc/meshboot/meshboot.conf; echo LAYOUT=${value} >>/etc/meshboot/meshboot.conf; meshboot up --restart-docker`;
  const guard = () => guestOf(name).sh("ip -4 route show table all | grep ^unreachable || :");

  test("has the route back within seconds that keeps dockerd's pools off the mesh, when networkd has dropped it", async () => {
    const guest = guestOf(name);
    await guest.sh(layout("compose"));
    const put = await guard();
    expect(put).toMatch(/^unreachable 172\.28\.0\.0\/16 .*metric 5101/);
    await guest.sh(
      "systemctl kill -s STOP meshboot-watch; ip -4 route del $(ip -4 route | grep ^unreachable)",
    );
    expect(await guard()).toBe("");
    await guest.run("systemctl", "kill", "-s", "CONT", "meshboot-watch");
    for (const again of ["networkctl reconfigure eth0", "systemctl restart systemd-networkd"]) {
      await guest.sh(again);
      await until(`the route to be there after ${again}`, 60, async () => {
        const there = await guard();
        return there === put ? holds(undefined) : not(there);
      });
    }
    await guest.sh(layout("split"));
    expect(await guard()).toBe("");
  });
});

describe.each(RELEASES)("$name", ({ name, docker, compose }) => {
  test("has the release's Docker, its command and Compose", async () => {
    const guest = guestOf(name);
    expect(await guest.run("docker", "version", "--format", "{{.Server.Version}}")).toMatch(`${docker}.`);
    expect(await guest.run("docker-compose", "--version")).toMatch(` ${compose}.`);
  });

  test("had the rules in force before dockerd started for the first time", async () => {
    const said = await guestOf(name).run(
      ...(["journalctl", "--boot", "--output=cat", "--no-pager"] as const),
      ...["--unit=meshboot.service", "--unit=docker.service"],
    );
    const loaded = said.indexOf("loads nft table inet meshboot");
    const started = said.indexOf("Starting docker.service");
    expect(loaded, said).toBeGreaterThan(-1);
    expect(started, said).toBeGreaterThan(loaded);
  });

  test("gives a network that comes and goes a piece of the lease each time, without IPv6 too", async () => {
    const guest = guestOf(name);
    const { slot } = await meshStatus(guest);
    // Docker before 28 goes on from the subnet that it gave last, and the lease has eight.
    const subnets = await guest.sh(`
      for _ in $(seq 20); do
        docker network create fleeting >/dev/null
        docker network inspect -f '{{(index .IPAM.Config 0).Subnet}}' fleeting
        docker network rm fleeting >/dev/null
      done
    `);
    const inside = subnets.split("\n").filter((subnet) => subnet.startsWith(`172.28.${slot}.`));
    expect(inside, subnets).toHaveLength(20);
  });

  test("gives networks a piece of the lease each, with and without IPv6, until it is full", async () => {
    const guest = guestOf(name);
    const { slot } = await meshStatus(guest);
    const pieces = await guest.sh(`
      for net in a b c d e f g h i; do
        case $net in a | c | d | g) six=--ipv6 ;; *) six= ;; esac
        docker network create $six $net >/dev/null
        docker network inspect -f '{{range .IPAM.Config}}{{println .Subnet}}{{end}}' $net | grep '[.]'
      done
      docker network rm a b c d e f g h i >/dev/null
    `);
    const places = Array.from({ length: 8 }, (_, place) => `172.28.${slot}.${128 + 16 * place}/28`);
    expect(pieces.split("\n").slice(0, 8).sort()).toEqual(places.sort());
    expect(pieces.split("\n")[8]).not.toMatch(/^172\.28\./);
  });

  test("gives containers the mesh's MTU where somebody asks for it, and Docker's own again", async () => {
    const guest = guestOf(name);
    await importImage(guest);
    await guest.run("docker", "network", "create", "before");
    const mtuOn = async (network: string) => {
      const link = await guest.run("docker", "run", "--rm", `--network=${network}`, "lab", ...LINK);
      return /mtu (\d+)/.exec(link)?.[1];
    };
    await guest.sh("echo MTU=auto >>/etc/meshboot/meshboot.conf && meshboot up --restart-docker");
    await guest.run("docker", "network", "create", "after");
    expect([await mtuOn("bridge"), await mtuOn("before"), await mtuOn("after")]).toEqual([
      ...["2800", "1500"],
      docker === "20.10" ? "1500" : "2800",
    ]);
    await guest.sh("sed -i /^MTU=/d /etc/meshboot/meshboot.conf && meshboot up --restart-docker");
    await guest.run("docker", "network", "rm", "before", "after");
    expect(await mtuOn("bridge")).toBe("1500");
  });

  test("spares a network that was made in the mesh's ranges, also at a boot before dockerd tells of it", async () => {
    const guest = guestOf(name);
    await guest.run("docker", "network", "create", "--subnet=172.28.64.0/20", "theirs");
    const { ipv4 } = await startContainer(guest, "theirs", "theirs");
    const expectSpared = async () => {
      const { routes, routesExpected, rules, zerotier } = await meshStatus(guest);
      expect({ rules, zerotier, left: routesExpected - routes }).toEqual({
        ...{ rules: true, zerotier: "OK" },
        left: 16,
      });
      await guest.run("ping", "-c", "1", "-W", "5", ipv4);
      const { code, stdout } = await guest.try("meshboot", "doctor");
      expect(code, stdout).toBe(3);
      expect(stdout).toMatch(/^fault +overlap: 172\.28\.64\.0\/20 \(the Docker network theirs\) overlaps/m);
    };
    expect((await guest.try("meshboot", "up")).code).toBe(3);
    await expectSpared();
    await guest.reboot();
    await guest.settled();
    await until("the container to run and `up` to have ended", 240, async () => {
      const { stdout } = await guest.try("journalctl", "--boot", "--unit=meshboot.service", "--output=cat");
      const running = await guest.try("docker", "ps", "--quiet", "--filter=name=theirs");
      return /refused: .*All else is in place/.test(stdout) && running.stdout !== ""
        ? holds(undefined)
        : not(stdout);
    });
    await expectSpared();
    await guest.sh(
      "docker rm --force theirs && docker network rm theirs && systemctl restart meshboot.service",
    );
    await untilInMesh(guest);
  });

  test("is not changed by another `meshboot up`, nor is dockerd restarted", async () => {
    const guest = guestOf(name);
    // So that what is known of Docker's bridges is not of the networks that came and went in the test before.
    await guest.run("meshboot", "keep");
    const before = await snapshot(guest);
    const started = await guest.run("systemctl", "show", "-p", "MainPID", "docker.service");
    await guest.run("meshboot", "up");
    expect(difference(before, await snapshot(guest))).toEqual({});
    expect(await guest.run("systemctl", "show", "-p", "MainPID", "docker.service")).toBe(started);
  });

  test("keeps nothing of it after `meshboot down`, and runs Docker as its packages have it", async () => {
    const guest = guestOf(name);
    await guest.run("meshboot", "down", "--restart-docker");
    expect(await guest.sh("nft list tables")).not.toContain("meshboot");
    expect(await guest.run("ip", "route")).not.toContain("172.28.");
    expect(await guest.run("systemctl", "is-active", "docker.service")).toBe("active");
    expect(await guest.sh("tr '\\0' ' ' </proc/$(pidof dockerd)/cmdline")).not.toContain("--bip");
    expect(await guest.run("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
  });
});
