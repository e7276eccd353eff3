import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { setAuthorized } from "../../scripts/simulated-central/state.ts";
import { makeApp } from "../../worker/app.ts";
import { parseConfig } from "../../worker/config/config.ts";
import { health } from "../../worker/network/health.ts";
import { identity } from "./identities.ts";
import { ownNetwork } from "./own-stores.ts";
import { ORIGIN, useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;
const { node } = identity(0);
const member = () => use.world.central.network.members.get(node);

async function cron(): Promise<void> {
  await use.world.object.reconcile();
  await use.world.settle();
}

async function state(): Promise<unknown> {
  return (await use.world.admin("GET", `/v1/nodes/${node}`)).json["state"];
}

describe("the network at first use", () => {
  it("is made fit, and what the operator set stays", async () => {
    const { config } = use.world.central.network;
    config.routes = [{ target: "192.168.5.0/24", via: "10.147.17.250" }];
    config.v6AssignMode = { "6plane": false, rfc4193: true, zt: false };
    await use.world.enrol();
    expect(use.world.central.network.config).toMatchObject({
      routes: [
        { target: "10.147.17.0/24", via: null },
        { target: "192.168.5.0/24", via: "10.147.17.250" },
      ],
      v6AssignMode: { "6plane": true, rfc4193: true, zt: false },
      ipAssignmentPools: [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }],
    });
  });

  it("that cannot carry the mesh is named with the remedy, and no lease is made", async () => {
    use.world.central.network.config.private = false;
    const { status, json } = await use.world.enrol();
    expect([status, json["type"]]).toEqual([503, "/problems/network-unfit"]);
    expect(json["errors"]).toEqual([expect.stringContaining("Access Control")]);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
  });

  it("that no longer fits lets nobody new in until it is put right, and the health says so", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.central.network.config.private = false;
    await use.world.object.reconcile();
    const health = await use.world.health();
    expect([health.status, health.json["status"]]).toEqual([503, "unfit"]);
    expect((await use.world.enrol({ number: 1 })).json["type"]).toBe("/problems/network-unfit");
    expect((await use.world.enrol()).status).toBe(200);
    use.world.central.network.config.private = true;
    expect((await use.world.enrol({ number: 1 })).status).toBe(200);
    expect((await use.world.health()).status).toBe(200);
  });

  it("warns of settings that name another pool, and lets servers in from the one that is kept", async () => {
    await use.world.enrol();
    await use.world.settle();
    const moved = parseConfig({ ...env, DOCKER_POOL: "172.16.0.0/16" });
    if (!moved.ok) throw new Error(moved.error.join());
    const { value: config } = moved;
    const asked = await runInDurableObject(use.world.object, async (_, state) => {
      const net = ownNetwork(state.storage, config, () => use.world.now());
      return { health: health(net, true), refusal: await net.readiness.refusal() };
    });
    expect(asked.refusal).toBeUndefined();
    const NETWORK = { getByName: () => ({ health: async () => asked.health }) };
    for (const path of ["/healthz", "/"]) {
      const ask = (init?: RequestInit) =>
        makeApp().fetch(new Request(`${ORIGIN}${path}`, init), { ...env, NETWORK });
      const answer = await ask();
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect(text).toContain("DOCKER_POOL …, NODE_PREFIX 24, which stays in use");
      expect(text).not.toMatch(/172\.|10\.147|\d lease/);
      const full = await (await ask({ headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` } })).text();
      expect(full).toContain("DOCKER_POOL 172.28.0.0/16, NODE_PREFIX 24, which stays in use");
    }
  });

  it("is asked once for all enrolments that wait", async () => {
    const key = await use.world.key({ maxUses: 5 });
    await Promise.all([0, 1, 2, 3, 4].map((number) => use.world.enrol({ key, number })));
    // What was read is shared for three seconds, and on a busy machine they take longer.
    expect(use.world.central.count("GET", /^\/network\/[0-9a-f]+$/)).toBeLessThan(5);
    expect(use.world.central.count("GET", /\/member$/)).toBeLessThan(5);
  });

  it("has members and routes of others: their slots are not leased", async () => {
    const { config } = use.world.central.network;
    config.routes = [{ target: "172.28.2.0/23", via: "10.147.17.250" }];
    await use.world.admin("GET", "/v1/pool");
    const held = "10.147.17.1";
    await use.world.central.fetch(
      `https://api.zerotier.com/api/v1/network/8056c2e21c000001/member/aabbccddee`,
      {
        method: "POST",
        headers: { authorization: "token central-token-of-the-tests-0123456789" },
        body: JSON.stringify({ config: { authorized: true, ipAssignments: [held] } }),
      },
    );
    expect((await use.world.enrol()).json["slot"]).toBe(4);
    const pool = await use.world.admin("GET", "/v1/pool");
    expect(pool.json).toMatchObject({
      excluded: [1, 2, 3],
      conflicts: [{ target: "172.28.2.0/23", via: "10.147.17.250" }],
    });
    expect((await use.world.admin("PUT", `/v1/nodes/${identity(1).node}`, { slot: 2 })).json["type"]).toBe(
      "/problems/slot-taken",
    );
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.2.0/23 via 10.147.17.250");
  });
});

describe("servers that were set up by hand", () => {
  const NETWORK = "8056c2e21c000001";

  /** Gives a member an address, and the subnet of the slot a route to it, as people do by hand. */
  async function setUp(slot: number, id = "aabbccddee"): Promise<void> {
    const address = `10.147.17.${slot}`;
    await use.world.central.fetch(`${env.ZEROTIER_URL}/network/${NETWORK}/member/${id}`, {
      method: "POST",
      headers: { authorization: `token ${env.ZEROTIER_TOKEN}` },
      body: JSON.stringify({ config: { authorized: true, ipAssignments: [address] } }),
    });
    use.world.central.network.config.routes.push({ target: `172.28.${slot}.0/24`, via: address });
  }

  it("keep slot and route, also when they came a moment before the next server", async () => {
    const key = await use.world.key({ maxUses: 5 });
    await use.world.enrol({ key });
    await use.world.settle();
    use.world.advance(10_000);
    await setUp(2);
    expect((await use.world.enrol({ key, number: 1 })).json["slot"]).toBe(3);
    await use.world.settle();
    await cron();
    expect(use.world.routes()).toEqual([
      "10.147.17.0/24",
      "172.28.1.0/24 via 10.147.17.1",
      "172.28.2.0/24 via 10.147.17.2",
      "172.28.3.0/24 via 10.147.17.3",
    ]);
    const before = use.world.central.count("POST", /./);
    expect((await use.world.enrol({ key, number: 1 })).json["slot"]).toBe(3);
    expect(use.world.central.count("POST", /./)).toBe(before);
  });

  it("on a slot that was released keep the route, once ours was withdrawn", async () => {
    await use.world.enrol();
    await use.world.settle();
    await use.world.admin("DELETE", `/v1/nodes/${node}`);
    await use.world.settle();
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    use.world.central.network.config.routes.push({ target: "172.28.1.0/24", via: "10.147.17.1" });
    await cron();
    expect(use.world.routes()).toEqual(["10.147.17.0/24", "172.28.1.0/24 via 10.147.17.1"]);
    expect((await use.world.admin("GET", "/v1/pool")).json["excluded"]).toEqual([1]);
  });

  it("do not keep ours from being withdrawn when the answer to its write got lost", async () => {
    await use.world.enrol();
    use.world.central.fail("POST", `/network/${NETWORK}`, { kind: "lost" });
    await use.world.fireAlarm();
    expect(use.world.routes()).toHaveLength(2);
    await use.world.admin("DELETE", `/v1/nodes/${node}`);
    await use.world.settle();
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
  });

  it("with the address of a lease are reported, and so is a server of ours with a second address", async () => {
    const key = await use.world.key({ maxUses: 5 });
    await use.world.enrol({ key });
    await use.world.settle();
    await setUp(1);
    member()?.config.ipAssignments.push("10.147.17.2");
    await cron();
    const { json } = await use.world.admin("GET", "/v1/pool");
    expect(json).toMatchObject({
      addressConflicts: [{ slot: 1, address: "10.147.17.1", node, member: "aabbccddee" }],
      excluded: [2],
    });
    expect(use.world.log.filter((line) => line.includes('"event":"address-conflicts"'))).toHaveLength(1);
    expect((await use.world.enrol({ key, number: 1 })).json["slot"]).toBe(3);
  });
});

describe("the cron trigger", () => {
  it("takes a member deauthorized at the controller as revoked, and withdraws its route", async () => {
    await use.world.enrol();
    await use.world.settle();
    const found = member();
    if (found !== undefined) setAuthorized(found, false, use.world.now());
    await cron();
    expect(await state()).toBe("revoked");
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    await cron();
    expect(member()?.config.authorized).toBe(false);
  });

  it("gives a member that was deleted there and authorized again its leased address in the same run", async () => {
    await use.world.enrol();
    await use.world.settle();
    const found = member();
    if (found === undefined) throw new Error("no member");
    setAuthorized(found, false, use.world.now());
    await cron();
    expect(await state()).toBe("revoked");
    // The controller has chosen an address for it, as it does for one that has none.
    Object.assign(found.config, { authorized: true, ipAssignments: ["10.147.17.250"] });
    await cron();
    expect(await state()).toBe("active");
    expect(member()?.config.ipAssignments).toEqual(["10.147.17.1"]);
  });

  it("puts back a member, an address and a route that are missing", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.central.network.members.delete(node);
    use.world.central.network.config.routes = [{ target: "192.168.5.0/24", via: "10.147.17.250" }];
    await cron();
    expect(member()).toMatchObject({
      name: "web1",
      config: { authorized: true, ipAssignments: ["10.147.17.1"] },
    });
    expect(use.world.routes()).toEqual([
      "10.147.17.0/24",
      "192.168.5.0/24 via 10.147.17.250",
      "172.28.1.0/24 via 10.147.17.1",
    ]);
    const found = member();
    if (found !== undefined) found.config.ipAssignments = ["10.147.17.250"];
    await cron();
    expect(member()?.config.ipAssignments).toEqual(["10.147.17.1"]);
  });

  it("changes nothing when nothing differs", async () => {
    await use.world.enrol();
    await use.world.settle();
    const before = use.world.central.calls.length;
    await cron();
    expect(use.world.central.calls.slice(before).map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  it("leaves alone a route that takes a leased slot's place, and says so", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.central.network.config.routes = [
      { target: "10.147.17.0/24", via: null },
      { target: "172.28.1.0/24", via: "10.147.17.250" },
    ];
    await cron();
    expect(use.world.routes()).toEqual(["10.147.17.0/24", "172.28.1.0/24 via 10.147.17.250"]);
    expect(use.world.log.some((line) => line.includes('"event":"route-conflicts"'))).toBe(true);
  });

  it("lets leases age: stale after a week, released after a month, never while the controller is away", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.advance(8 * DAY);
    await cron();
    expect(await state()).toBe("stale");
    // Nobody can call while no run comes: it takes a week of them.
    for (let days = 8; days < 31; days += 0.25) {
      use.world.advance(DAY / 4 - 60_000);
      if (days > 29) use.world.central.fail("GET", "/network", { kind: "status", status: 500 });
      await use.world.object.reconcile();
    }
    expect(await state()).toBe("stale");
    expect(member()).toBeDefined();
    await cron();
    expect((await use.world.admin("GET", `/v1/nodes/${node}`)).status).toBe(404);
    expect(member()).toBeUndefined();
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
  });

  it("renews by what the controller has seen, which may forget it", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.advance(29 * DAY);
    const found = member();
    if (found !== undefined) found.lastSeen = use.world.now() - DAY;
    await cron();
    expect(await state()).toBe("offline");
    if (found !== undefined) found.lastSeen = 0;
    use.world.advance(5 * DAY);
    await cron();
    expect(await state()).toBe("offline");
  });

  it("only looks at a network that no server has come to", async () => {
    await cron();
    expect(use.world.central.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /network/8056c2e21c000001",
    ]);
    expect((await use.world.health()).json).toEqual({
      status: "ok",
      faults: [],
      warnings: [],
    });
  });

  it("finds a wrong token, network or setting before the first server does, and remembers it for the health", async () => {
    const found = async (): Promise<unknown[]> => {
      await cron();
      const { status, json } = await use.world.health();
      return [status, json["status"], json["faults"]];
    };
    use.world.central.fail("GET", "/network", { kind: "status", status: 401 });
    expect(await found()).toEqual([503, "waiting", [expect.stringContaining("ZEROTIER_TOKEN")]]);
    expect((await use.world.call("GET", "/")).text).toContain("ZEROTIER_TOKEN");
    use.world.central.fail("GET", "/network", { kind: "status", status: 404 });
    expect(await found()).toEqual([503, "waiting", [expect.stringContaining("ZEROTIER_NETWORK")]]);
    use.world.central.network.config.private = false;
    expect(await found()).toEqual([503, "unfit", [expect.stringContaining("Access Control")]]);
    use.world.central.network.config.private = true;
    expect(await found()).toEqual([200, "ok", []]);
    expect(use.world.central.calls.every(({ method }) => method === "GET")).toBe(true);
  });

  it("remembers what the first server met, also before the hourly run, and forgets it with the next that gets in", async () => {
    const health = async (): Promise<unknown[]> => {
      const { status, json } = await use.world.health();
      return [status, json["status"], json["faults"]];
    };
    use.world.central.fail("GET", "/network", { kind: "status", status: 401 });
    expect((await use.world.enrol()).json["type"]).toBe("/problems/controller-unauthorized");
    expect(await health()).toEqual([503, "waiting", [expect.stringContaining("ZEROTIER_TOKEN")]]);
    use.world.central.network.config.private = false;
    expect((await use.world.enrol()).json["type"]).toBe("/problems/network-unfit");
    expect(await health()).toEqual([503, "unfit", [expect.stringContaining("Access Control")]]);
    use.world.central.network.config.private = true;
    expect((await use.world.enrol()).status).toBe(200);
    expect(await health()).toEqual([200, "ok", []]);
  });

  it("warns that it could not read the controller, and takes it back when it can", async () => {
    await use.world.enrol();
    await use.world.settle();
    const health = () => use.world.health();
    use.world.central.fail("GET", "/network", { kind: "status", status: 401 });
    await cron();
    const warned = await health();
    expect([warned.status, warned.json["warnings"]]).toEqual([
      200,
      [expect.stringContaining("ZEROTIER_TOKEN")],
    ]);
    await cron();
    expect((await health()).json["warnings"]).toEqual([]);
  });
});
