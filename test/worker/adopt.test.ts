// A network that was built by hand, by the recipe: its servers become leases, and nothing changes for them.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Member, memberOf, setAuthorized } from "../../scripts/simulated-central/state.ts";
import { adoptionSchema, LEFT_REASONS } from "../../worker/schema/adoption.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOTHING = { settings: {}, members: [], routes: { missing: [], leftOver: [] } };

interface ByHand {
  readonly name?: string;
  readonly addresses?: readonly string[];
  readonly authorized?: boolean;
}

/** A member that somebody made by hand. */
function member(node: string, { name = "", addresses = [], authorized = true }: ByHand = {}): Member {
  const made = memberOf(use.world.central.network, node, use.world.now());
  setAuthorized(made, authorized, use.world.now());
  made.name = name;
  made.config.ipAssignments = [...addresses];
  return made;
}

function route(target: string, via: string | null): void {
  use.world.central.network.config.routes.push({ target, via });
}

/** A server after the recipe: its address, and the route to its containers. */
function server(number: number, slot: number, name = `hand${number}`): Member {
  route(`172.28.${slot}.0/24`, `10.147.17.${slot}`);
  return member(identity(number).node, { name, addresses: [`10.147.17.${slot}`] });
}

/** The network as the recipe has it: 6PLANE, the on-link route, and laptops' addresses out of the servers' way. */
function recipe(): void {
  const { config } = use.world.central.network;
  config.v6AssignMode["6plane"] = true;
  config.v4AssignMode.zt = true;
  config.ipAssignmentPools = [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }];
  route("10.147.17.0/24", null);
}

/** All that the controller holds, as text. */
const held = (): string => {
  const { members, ...network } = use.world.central.network;
  return JSON.stringify({ network, members: [...members] });
};

const writes = (): number => use.world.central.calls.filter(({ method }) => method !== "GET").length;

const post = (body: object, query = "") => use.world.admin("POST", `/v1/adopt${query}`, body);

async function listed(body: object = {}) {
  const { status, json } = await post(body, "?dryRun=true");
  expect([status, json["type"]]).toEqual([200, undefined]);
  return adoptionSchema.parse(json);
}

/** Lists, and does what was listed. */
async function adopted(body: object = {}) {
  const { plan, dryRun: isDry, ...rest } = await listed(body);
  expect(isDry).toBe(true);
  const { status, json } = await post({ ...body, plan });
  expect([status, json["type"]]).toEqual([200, undefined]);
  const { dryRun, ...done } = adoptionSchema.parse(json);
  expect([dryRun, done]).toEqual([false, { plan, ...rest }]);
  return done;
}

/** The hourly runs of so many hours, and all that comes of them. */
async function hours(count: number): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    use.world.advance(HOUR);
    await use.world.object.reconcile();
    await use.world.settle();
  }
}

async function reasonOf(node: string) {
  const { left } = await listed({ nodes: [node] });
  expect(left.map(({ node: id }) => id)).toEqual([node]);
  return left[0]?.reason;
}

const pool = async () =>
  z
    .object({
      excluded: z.array(z.number()),
      conflicts: z.array(z.unknown()),
      addressConflicts: z.array(z.unknown()),
    })
    .parse((await use.world.admin("GET", "/v1/pool")).json);

describe("ten servers with their routes", () => {
  const SLOTS = [3, 5, 7, 11, 20, 21, 22, 100, 200, 239];
  const laptop = "1a60700001";

  function build(): void {
    recipe();
    for (const [number, slot] of SLOTS.entries()) server(number, slot);
    member(laptop, { name: "laptop", addresses: ["10.147.17.241"] });
    route("192.168.40.0/24", "10.147.17.241");
  }

  it("are leases, and nothing has changed at the controller, nor does by the runs of a week", async () => {
    build();
    const before = held();
    const done = await adopted();
    expect(done).toMatchObject({ more: false, changes: NOTHING, leftInAll: 1 });
    expect(done.left).toMatchObject([{ node: laptop, name: "laptop", reason: "address-automatic" }]);
    expect(done.adopted).toEqual(
      SLOTS.map((slot, number) => ({
        node: identity(number).node,
        name: `hand${number}`,
        slot,
        zerotier: { ipv4: `10.147.17.${slot}/24` },
        docker: { ipv4: { subnet: `172.28.${slot}.0/24` } },
        routed: true,
      })),
    );
    expect(await pool()).toEqual({ excluded: [], conflicts: [], addressConflicts: [] });
    await use.world.settle();
    await hours(3);
    use.world.advance(7 * DAY);
    await hours(2);
    expect(held()).toBe(before);
    expect(writes()).toBe(0);
    const { items } = z
      .object({
        items: z.array(
          z.object({ node: z.string(), slot: z.number(), delivered: z.boolean(), key: z.null() }),
        ),
      })
      .parse((await use.world.admin("GET", "/v1/nodes?sort=slot")).json);
    expect(items.map(({ slot, delivered }) => [slot, delivered])).toEqual(SLOTS.map((slot) => [slot, true]));
    expect(await listed()).toMatchObject({ adopted: [], leftInAll: 1 });
  });

  it("keep slot, name and address when their agents enrol, and a new one gets another slot", async () => {
    build();
    await adopted();
    await use.world.settle();
    const before = held();
    use.world.advance(60_000);
    const first = await use.world.enrol({ number: 0, name: "another-name" });
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({
      name: "hand0",
      slot: 3,
      state: "active",
      zerotier: { ipv4: "10.147.17.3/24" },
    });
    await use.world.settle();
    expect(held()).toBe(before);
    const beat = await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
      token: String(first.json["token"]),
      body: { state: "ok" },
    });
    expect([beat.status, beat.json["slot"]]).toEqual([200, 3]);
    const another = await use.world.enrol({ number: 10, name: "web1" });
    expect([another.status, another.json["slot"]]).toEqual([200, 1]);
    await use.world.settle();
    await hours(2);
    expect(use.world.routes()).toEqual([
      "10.147.17.0/24",
      ...SLOTS.map((slot) => `172.28.${slot}.0/24 via 10.147.17.${slot}`),
      "192.168.40.0/24 via 10.147.17.241",
      "172.28.1.0/24 via 10.147.17.1",
    ]);
    // By now it is ours: with its lease its route and its member go.
    await use.world.admin("DELETE", `/v1/nodes/${identity(1).node}`);
    await use.world.settle();
    expect(use.world.routes()).not.toContain("172.28.5.0/24 via 10.147.17.5");
    expect(use.world.central.network.members.has(identity(1).node)).toBe(false);
  });

  it("are each in the log, by the operator, and do not end by time", async () => {
    build();
    await adopted();
    const { items } = (await use.world.admin("GET", "/v1/events?action=adopted")).json;
    expect(items).toHaveLength(10);
    expect(items).toMatchObject(
      SLOTS.map((slot, number) => ({
        by: { who: "operator", id: "root" },
        node: identity(number).node,
        name: `hand${number}`,
        slot,
        state: "active",
      })).reverse(),
    );
    await use.world.settle();
    for (let week = 0; week < 6; week++) {
      use.world.advance(7 * DAY - 10 * HOUR);
      await hours(10);
    }
    expect((await use.world.admin("GET", "/v1/nodes?state=stale")).json["items"]).toHaveLength(10);
    expect(writes()).toBe(0);
  });

  it("are adopted one by one where only some are named", async () => {
    build();
    const before = held();
    const { node } = identity(4);
    const done = await adopted({ nodes: [node, "aabbccddee"] });
    expect(done.adopted.map(({ slot }) => slot)).toEqual([20]);
    expect(done.left).toMatchObject([{ node: "aabbccddee", reason: "no-member" }]);
    expect((await pool()).excluded).toEqual(SLOTS.filter((slot) => slot !== 20));
    expect(await reasonOf(node)).toBe("has-lease");
    expect((await adopted()).adopted).toHaveLength(9);
    await use.world.settle();
    await hours(2);
    expect(held()).toBe(before);
  });

  it("stay as they are beyond ROUTE_LIMIT, also when a lower slot is leased", async () => {
    build();
    for (let slot = 120; slot < 160; slot++) route(`172.28.${slot}.0/24`, `10.147.17.${slot}`);
    for (let slot = 120; slot < 160; slot++)
      member(`ab000000${slot.toString(16)}`, { name: `many${slot}`, addresses: [`10.147.17.${slot}`] });
    const before = held();
    const done = await adopted();
    expect([done.adopted.length, done.changes]).toEqual([50, NOTHING]);
    await use.world.settle();
    const routes = use.world.routes();
    await hours(2);
    expect(held()).toBe(before);
    expect((await use.world.enrol({ number: 10 })).json["slot"]).toBe(1);
    await use.world.settle();
    await hours(2);
    expect(use.world.routes()).toEqual(routes);
  });
});

describe("what the controller has to be told", () => {
  it("is listed, and nothing else is told", async () => {
    const { config } = use.world.central.network;
    config.ipAssignmentPools = [{ ipRangeStart: "10.147.17.250", ipRangeEnd: "10.147.17.254" }];
    const plain = member(identity(0).node, { name: "Web server, 1", addresses: ["10.147.17.9"] });
    const kept = member(identity(1).node, {
      name: "Db",
      addresses: ["192.168.7.7", "10.147.17.10", "10.147.17.251"],
    });
    kept.config.noAutoAssignIps = true;
    const before = held();
    const { plan, adopted: leases, changes } = await listed();
    expect(held()).toBe(before);
    expect(leases.map(({ name, slot, routed }) => [name, slot, routed])).toEqual([
      ["web-server-1", 9, false],
      ["db", 10, false],
    ]);
    expect(changes).toEqual({
      settings: { v6: { sixPlane: true, rfc4193: false, zt: false } },
      members: [{ node: identity(1).node, name: "db", autoAssign: true }],
      routes: {
        missing: [
          { target: "10.147.17.0/24", via: null },
          { target: "172.28.9.0/24", via: "10.147.17.9" },
          { target: "172.28.10.0/24", via: "10.147.17.10" },
        ],
        leftOver: [],
      },
    });
    expect((await post({ plan })).status).toBe(200);
    await use.world.settle();
    await hours(2);
    // With what was listed undone, all is as it was.
    const now = use.world.central.network;
    expect(now.config.routes).toEqual(changes.routes.missing);
    Object.assign(now, { revision: 1, lastModified: now.creationTime });
    now.config.routes = [];
    now.config.v6AssignMode["6plane"] = false;
    Object.assign(kept, { name: "Db", revision: 1 });
    kept.config.noAutoAssignIps = true;
    expect(plain.name).toBe("Web server, 1");
    expect(held()).toBe(before);
    expect(kept.config.ipAssignments).toEqual(["192.168.7.7", "10.147.17.10", "10.147.17.251"]);
    expect(
      use.world.central.calls
        .filter(({ method }) => method !== "GET")
        .map(({ path }) => path.split("/").at(-1)),
    ).toEqual([
      use.world.central.network.id,
      ...[identity(1).node, use.world.central.network.id].sort((a) => (a === identity(1).node ? -1 : 1)),
    ]);
  });

  it("is nothing before there is anything to adopt", async () => {
    member("1a60700001", { addresses: ["10.147.17.241"] });
    const before = held();
    expect((await adopted()).changes).toEqual(NOTHING);
    await use.world.settle();
    await hours(1);
    expect(held()).toBe(before);
  });

  it("comes later where the controller is away just then; the leases stand", async () => {
    use.world.central.network.config.ipAssignmentPools = [];
    member(identity(0).node, { addresses: ["10.147.17.9"] });
    const { plan } = await listed();
    use.world.central.fail("POST", "", { kind: "status", status: 500, times: 3 });
    expect((await post({ plan })).status).toBe(200);
    await hours(2);
    expect(use.world.routes()).toEqual(["10.147.17.0/24", "172.28.9.0/24 via 10.147.17.9"]);
  });
});

describe("a plan", () => {
  it("is needed", async () => {
    const { status, json } = await post({});
    expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
    expect(json["detail"]).toContain("?dryRun=true");
  });

  it("is outdated by a route, a name, an address that came in the meantime, and by other nodes", async () => {
    recipe();
    const first = server(0, 3);
    const refused = async (body: object) => {
      const { status, json } = await post(body);
      expect([status, json["type"]]).toEqual([409, "/problems/plan-outdated"]);
      expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
    };
    const { plan } = await listed();
    await refused({ plan, nodes: [identity(1).node] });
    await refused({ plan: "0".repeat(64) });
    first.name = "renamed";
    await refused({ plan });
    first.name = "hand0";
    route("172.28.3.128/25", "10.147.17.250");
    await refused({ plan });
    use.world.central.network.config.routes.pop();
    member("aabbccddee", { addresses: ["10.147.17.3"], authorized: false });
    await refused({ plan });
    use.world.central.network.members.delete("aabbccddee");
    expect((await post({ plan })).status).toBe(200);
    expect((await post({ plan })).status).toBe(409);
  });

  it("is outdated by an enrolment of the same server while the controller is read; there is one lease", async () => {
    recipe();
    server(0, 3);
    const { plan } = await listed();
    const key = await use.world.key();
    const held = use.world.central.hold(/\/member$/);
    const adopting = post({ plan });
    await held.seen();
    const enrolling = use.world.enrol({ key, number: 0, name: "agent" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    held.free();
    const [{ status }, enrolled] = await Promise.all([adopting, enrolling]);
    expect([enrolled.status, enrolled.json["slot"]]).toEqual([200, 3]);
    expect([200, 409]).toContain(status);
    const { items } = (await use.world.admin("GET", "/v1/nodes")).json;
    expect(items).toMatchObject([{ slot: 3, name: status === 200 ? "hand0" : "agent" }]);
  });

  it("is all done or not at all when the object crashes behind it", async () => {
    recipe();
    server(0, 3);
    server(1, 5);
    const before = held();
    await adopted();
    await use.world.crash();
    await hours(2);
    expect((await use.world.admin("GET", "/v1/nodes?sort=slot")).json["items"]).toMatchObject([
      { slot: 3 },
      { slot: 5 },
    ]);
    expect(held()).toBe(before);
  });
});

describe("names", () => {
  it("are the operator's where they can be, numbered where they are taken, and never empty", async () => {
    recipe();
    await use.world.admin("PUT", `/v1/nodes/${identity(9).node}`, { name: "web", slot: 1 });
    await use.world.admin("POST", "/v1/reservations", { name: "db", slot: 30 });
    await use.world.settle();
    for (const [number, name] of ["web", "WEB", "db", "", "---", "x".repeat(80)].entries())
      server(number, 20 + number, name);
    const { adopted: leases } = await adopted();
    expect(leases.map(({ name }) => name)).toEqual([
      "web-2",
      "web-3",
      "db-2",
      `node-${identity(3).node}`,
      `node-${identity(4).node}`,
      "x".repeat(63),
    ]);
    expect((await use.world.admin("GET", "/v1/nodes?name=web-3")).json["items"]).toHaveLength(1);
    expect((await use.world.enrol({ number: 8, name: "web" })).json["name"]).toBe("web-4");
  });

  it("that are reserved go with their slot", async () => {
    recipe();
    await use.world.admin("POST", "/v1/reservations", { name: "db", slot: 30 });
    server(0, 30, "db");
    const before = held();
    expect((await adopted()).adopted).toMatchObject([{ name: "db", slot: 30 }]);
    await use.world.settle();
    expect(held()).toBe(before);
  });
});

describe("a member is left", () => {
  const node = identity(0).node;
  const tried = new Set<string>();

  const cases: Record<string, () => unknown> = {
    "not-authorized": () => member(node, { addresses: ["10.147.17.3"], authorized: false }),
    "no-address": () => member(node, { addresses: ["fd00::1"] }),
    "address-outside": () => member(node, { addresses: ["10.9.9.9"] }),
    "address-automatic": () => member(node, { addresses: ["10.147.17.250"] }),
    "address-of-no-slot": () => member(node, { addresses: ["10.147.17.0"] }),
    "two-addresses": () => member(node, { addresses: ["10.147.17.3", "10.147.17.4"] }),
    "address-shared": () => {
      server(0, 3);
      member("aabbccddee", { addresses: ["10.147.17.3"], authorized: false });
    },
    "other-route": () => {
      member(node, { addresses: ["10.147.17.20"] });
      route("172.28.5.0/24", "10.147.17.20");
    },
    "slot-routed": () => {
      server(0, 3);
      route("172.28.2.0/23", "10.147.17.250");
    },
    "slot-leased": async () => {
      await use.world.admin("PUT", `/v1/nodes/${identity(1).node}`, { slot: 3 });
      await use.world.settle();
      use.world.central.network.members.delete(identity(1).node);
      member(node, { addresses: ["10.147.17.3"] });
    },
    "slot-reserved": async () => {
      await use.world.admin("POST", "/v1/reservations", { name: "db1", slot: 3 });
      member(node, { name: "other", addresses: ["10.147.17.3"] });
    },
    "slot-resting": async () => {
      await use.world.admin("PUT", `/v1/nodes/${identity(1).node}`, { slot: 3 });
      await use.world.settle();
      await use.world.admin("DELETE", `/v1/nodes/${identity(1).node}`);
      await use.world.settle();
      member(node, { addresses: ["10.147.17.3"] });
    },
    "on-its-way": async () => {
      await use.world.admin("PUT", `/v1/nodes/${node}`, { slot: 3 });
      await use.world.settle();
      use.world.central.fail("POST", "/member", { kind: "status", status: 500, times: 99 });
      await use.world.admin("DELETE", `/v1/nodes/${node}`);
    },
    unread: () => {
      use.world.central.listing = (entries) => [...entries, { nodeId: node, config: null }];
    },
    "no-member": () => {},
    "has-lease": async () => {
      await use.world.admin("PUT", `/v1/nodes/${node}`, { slot: 3 });
      await use.world.settle();
    },
  };

  it.each(Object.entries(cases))("%s", async (reason, prepare) => {
    recipe();
    await prepare();
    use.world.advance(20_000);
    tried.add(reason);
    const { adopted: leases, left, changes } = await listed({ nodes: [node] });
    expect(leases).toEqual([]);
    expect(changes).toEqual(NOTHING);
    expect(left.map(({ node: id, reason: why }) => [id, why])).toEqual([[node, reason]]);
    expect(left[0]?.detail).toMatch(/\w{3}/);
    const before = writes();
    await adopted({ nodes: [node] });
    expect(writes()).toBe(before);
  });

  it("for each reason that there is", () => {
    expect([...tried].sort()).toEqual([...LEFT_REASONS].sort());
  });

  it("with what to change: a route of another slot, and each of its remedies is one", async () => {
    recipe();
    const made = member(node, { addresses: ["10.147.17.20"] });
    route("172.28.5.0/24", "10.147.17.20");
    const [first] = (await listed()).left;
    expect(first?.detail).toContain("172.28.5.0/24 via 10.147.17.20");
    expect(first?.detail).toContain("give the member 10.147.17.5 and the route that gateway");
    made.config.ipAssignments = ["10.147.17.5"];
    use.world.central.network.config.routes.pop();
    route("172.28.5.0/24", "10.147.17.5");
    expect((await adopted()).adopted).toMatchObject([{ slot: 5, routed: true }]);
  });

  it("no more once the quarantine of its slot is over, or it is its own", async () => {
    recipe();
    await use.world.admin("PUT", `/v1/nodes/${node}`, { slot: 3 });
    await use.world.settle();
    await use.world.admin("DELETE", `/v1/nodes/${node}`);
    await use.world.settle();
    use.world.advance(20 * 60_000);
    member(node, { addresses: ["10.147.17.3"] });
    expect((await adopted()).adopted).toMatchObject([{ slot: 3 }]);
    // Whom the operator deleted and adopts he lets in again.
    await use.world.settle();
    expect((await use.world.enrol({ number: 0 })).json["slot"]).toBe(3);
  });
});

it("a network that cannot carry the mesh is refused, with what to change", async () => {
  recipe();
  server(0, 3);
  use.world.central.network.config.ipAssignmentPools = [
    { ipRangeStart: "10.147.17.1", ipRangeEnd: "10.147.17.254" },
  ];
  const { status, json } = await post({}, "?dryRun=true");
  expect([status, json["type"]]).toEqual([503, "/problems/network-unfit"]);
  expect(json["detail"]).toContain("10.147.17.240-10.147.17.254");
});

it("what the operator does afterwards at the controller counts as for any lease", async () => {
  recipe();
  const made = server(0, 3);
  await adopted();
  await use.world.settle();
  use.world.advance(60_000);
  setAuthorized(made, false, use.world.now());
  await hours(1);
  expect((await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["state"]).toBe("revoked");
  expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
});

it("is for the operator alone", async () => {
  recipe();
  server(0, 3);
  const enrolled = await use.world.enrol({ number: 1 });
  for (const token of [undefined, String(enrolled.json["token"])]) {
    const { status } = await use.world.call("POST", "/v1/adopt?dryRun=true", { token, body: {} });
    expect(status).toBe(token === undefined ? 401 : 403);
  }
});
