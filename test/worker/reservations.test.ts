// Names that keep their slots, and servers that take one another's place.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { memberOf } from "../../scripts/simulated-central/state.ts";
import { identity } from "./identities.ts";
import { ADMIN, useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;

const reserve = (body: unknown) => use.world.admin("POST", "/v1/reservations", body);
const listed = async () => (await use.world.admin("GET", "/v1/reservations")).json["items"];
const member = (number: number) => use.world.central.network.members.get(identity(number).node);
const node = (number: number) => `/v1/nodes/${identity(number).node}`;
const beat = (number: number, token: unknown) =>
  use.world.call("POST", `${node(number)}/heartbeat`, {
    token: String(token),
    body: { state: "ok" },
  });
const keyOf = (json: unknown): string => z.object({ key: z.object({ key: z.string() }) }).parse(json).key.key;
const replace = async (number: number) =>
  keyOf((await use.world.admin("POST", `${node(number)}/replace`, {})).json);

describe("a reserved name", () => {
  it("has its addresses before any server is ordered, and keeps them from all others", async () => {
    const made = await reserve({ name: "db1" });
    expect([made.status, made.json]).toMatchObject([
      201,
      {
        name: "db1",
        slot: 1,
        node: null,
        zerotier: { ipv4: "10.147.17.1/24" },
        docker: { ipv4: { subnet: "172.28.1.0/24", gateway: "172.28.1.1" } },
      },
    ]);
    const again = await reserve({ name: "db1" });
    expect([again.status, again.json]).toEqual([200, made.json]);
    const other = await use.world.enrol({ key: await use.world.key(), name: "db1" });
    expect(other.json).toMatchObject({ name: "db1-2", slot: 2 });
    expect((await use.world.admin("PATCH", node(0), { name: "db1" })).json).toMatchObject({
      type: "/problems/name-reserved",
      status: 409,
      detail: expect.stringContaining("the name db1 is reserved with slot 1"),
    });
    expect((await use.world.admin("PUT", node(1), { slot: 1 })).json).toMatchObject({
      type: "/problems/slot-taken",
      detail: expect.stringContaining("slot 1 is reserved for db1"),
    });
    const pool = await use.world.admin("GET", "/v1/pool");
    expect(pool.json["slots"]).toMatchObject({ total: 239, active: 1, reserved: 1, free: 237 });
  });

  it("shows what would end with it before it is given up, and ends nothing by that", async () => {
    await reserve({ name: "db1", slot: 7 });
    const key = await use.world.key({ reservation: "db1" });
    const preview = await use.world.admin("DELETE", "/v1/reservations/db1?dryRun=true");
    expect([preview.status, preview.json]).toMatchObject([
      200,
      { name: "db1", slot: 7, node: null, keys: [expect.stringMatching(/^[0-9a-f]{16}$/)] },
    ]);
    expect((await use.world.enrol({ key })).json).toMatchObject({ name: "db1", slot: 7 });
    const held = await use.world.admin("DELETE", "/v1/reservations/db1?dryRun=true");
    expect(held.json["node"]).toBe(identity(0).node);
    expect((await use.world.admin("DELETE", "/v1/reservations/db2?dryRun=true")).status).toBe(404);
  });

  it("is leased by a key that was made for it, whatever the server calls itself", async () => {
    await reserve({ name: "db1", slot: 7 });
    const [key, other] = [
      await use.world.key({ reservation: "db1" }),
      await use.world.key({ reservation: "db1" }),
    ];
    expect((await use.world.enrol({ key, name: "debian" })).json).toMatchObject({ name: "db1", slot: 7 });
    expect((await use.world.enrol({ key, name: "debian" })).json).toMatchObject({ name: "db1", slot: 7 });
    const second = await use.world.enrol({ key: other, number: 1, name: "debian" });
    expect([second.status, second.json]).toMatchObject([
      409,
      {
        type: "/problems/name-taken",
        detail: expect.stringContaining(`POST ${node(0)}/replace makes one`),
      },
    ]);
    expect((await use.world.admin("GET", "/v1/refusals")).json).toMatchObject({
      items: [{ problem: "/problems/name-taken", about: identity(0).node }],
    });
    expect(await listed()).toMatchObject([{ name: "db1", slot: 7, node: identity(0).node }]);
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({
      items: [{ reservation: "db1", takesOver: null }, { reservation: "db1" }],
    });
  });

  it("is leased by PUT with the name", async () => {
    await reserve({ name: "db1", slot: 7 });
    const put = await use.world.admin("PUT", node(0), { name: "db1" });
    expect([put.status, put.json]).toMatchObject([201, { name: "db1", slot: 7 }]);
    expect((await use.world.admin("PUT", node(1), { name: "db1" })).json["type"]).toBe(
      "/problems/name-taken",
    );
  });

  it("is that of a node that runs, and follows when that is renamed", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    expect((await reserve({ name: "db1", slot: 9 })).json["type"]).toBe("/problems/slot-taken");
    expect((await reserve({ name: "db1" })).json).toMatchObject({ slot: 1, node: identity(0).node });
    await use.world.admin("PATCH", node(0), { name: "db2" });
    expect(await listed()).toMatchObject([{ name: "db2", slot: 1 }]);
  });

  it("never ends by time, and stays when its server leaves", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    const other = await use.world.enrol({ key: await use.world.key(), number: 1, name: "web1" });
    await reserve({ name: "db1" });
    await use.world.settle();
    for (let hours = 0; hours < 31 * 24; hours += 6) {
      use.world.advance(DAY / 4 - 60_000);
      await use.world.object.reconcile();
    }
    expect(other.json["slot"]).toBe(2);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toMatchObject([{ name: "db1" }]);
  });

  it("is given up with the keys that were made for it; its node stays", async () => {
    await reserve({ name: "db1" });
    const [key, other] = [
      await use.world.key({ reservation: "db1" }),
      await use.world.key({ reservation: "db1" }),
    ];
    await use.world.enrol({ key });
    expect((await use.world.admin("DELETE", "/v1/reservations/db1")).status).toBe(204);
    expect(await listed()).toEqual([]);
    expect((await use.world.enrol({ key: other, number: 1 })).json["type"]).toBe("/problems/key-revoked");
    expect((await use.world.enrol({ key })).json).toMatchObject({ name: "db1", slot: 1 });
    const gone = await use.world.admin("DELETE", "/v1/reservations/db1");
    expect([gone.status, gone.json["detail"]]).toEqual([404, expect.stringContaining("db1 is not reserved")]);
  });

  it("shows no key of before for the next name in its slot, and gives out no user-data with one", async () => {
    await reserve({ name: "db1", slot: 7 });
    const body = { key: { reservation: "db1" } };
    const make = () =>
      use.world.call("POST", "/v1/user-data", {
        token: ADMIN,
        body,
        headers: { "Idempotency-Key": "web" },
      });
    expect((await make()).status).toBe(201);
    await use.world.admin("DELETE", "/v1/reservations/db1");
    await reserve({ name: "mail1", slot: 7 });
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({
      items: [{ state: "revoked", reservation: null }],
    });
    const again = await make();
    expect([again.status, again.json["type"]]).toEqual([409, "/problems/idempotency-key-used"]);
  });

  it("stays when a server is denied that only asks for it", async () => {
    await reserve({ name: "db1" });
    const key = await use.world.key({ reservation: "db1", approval: true });
    expect((await use.world.enrol({ key })).status).toBe(202);
    const preview = await use.world.admin("DELETE", `${node(0)}?dryRun=true`);
    expect(preview.json).toMatchObject({ freeAt: null, stays: [expect.stringContaining("keeps slot 1")] });
    await use.world.admin("DELETE", node(0));
    expect(await listed()).toMatchObject([{ name: "db1", slot: 1, node: null }]);
  });

  it("is that of its server again when that has left by itself, and not when the operator has ended it", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const { json } = await use.world.enrol({ key, name: "db1" });
    await reserve({ name: "db1" });
    await use.world.call("DELETE", node(0), { token: String(json["token"]) });
    expect((await use.world.enrol({ key, name: "debian" })).json).toMatchObject({ name: "db1", slot: 1 });
    await use.world.admin("POST", `${node(0)}/retire`);
    const other = await use.world.enrol({ name: "debian" });
    expect(other.json).toMatchObject({ name: "debian", slot: 2 });
  });

  it("is no other server's that had the slot before it was reserved", async () => {
    const key = await use.world.key();
    const { json } = await use.world.enrol({ key, name: "web1" });
    await use.world.call("DELETE", node(0), { token: String(json["token"]) });
    await use.world.settle();
    use.world.advance(8 * DAY);
    expect((await reserve({ name: "db1", slot: 1 })).status).toBe(201);
    expect((await use.world.enrol({ key, name: "web1" })).json).toMatchObject({ name: "web1", slot: 2 });
  });

  it("does not keep a server from its lease that was moved when the reservation was given up", async () => {
    await reserve({ name: "db1", slot: 7 });
    const key = await use.world.key({ reservation: "db1" });
    use.world.central.fail("POST", "/member/", { kind: "status", status: 500 });
    expect((await use.world.enrol({ key })).status).toBe(503);
    await use.world.admin("DELETE", "/v1/reservations/db1");
    const laptop = memberOf(use.world.central.network, "1a60700001", use.world.now());
    laptop.config.ipAssignments = ["10.147.17.7"];
    use.world.advance(60_000);
    for (let times = 0; times < 2; times++)
      expect((await use.world.enrol({ key })).json).toMatchObject({ name: "db1", slot: 1, state: "active" });
  });

  it("is asked for by no key before it is there, nor by one that contradicts itself", async () => {
    const body = { reservation: "db1" };
    expect((await use.world.admin("POST", "/v1/keys", body)).status).toBe(404);
    expect((await use.world.admin("POST", "/v1/user-data", { key: body })).status).toBe(404);
    await reserve({ name: "db1" });
    for (const terms of [
      { takeover: true },
      { ...body, names: "db*" },
      { ...body, maxUses: 2 },
      { ...body, ephemeralMinutes: 240 },
      { ...body, takeover: true, approval: true },
    ])
      expect((await use.world.admin("POST", "/v1/keys", terms)).status).toBe(400);
    const nothing = await use.world.admin("POST", "/v1/keys", { ...body, takeover: true });
    expect([nothing.status, nothing.json["detail"]]).toEqual([
      400,
      expect.stringContaining("no node has db1"),
    ]);
    const named = await use.world.admin("POST", "/v1/user-data", { name: "web1", key: body });
    expect([named.status, named.json["detail"]]).toEqual([400, expect.stringContaining("but as db1")]);
    const made = await use.world.admin("POST", "/v1/user-data", { key: body });
    expect([made.status, made.json["key"]]).toMatchObject([201, { reservation: "db1" }]);
  });

  it("refuses a server while somebody else has its address, and lets it in after", async () => {
    await reserve({ name: "db1", slot: 7 });
    const key = await use.world.key({ reservation: "db1" });
    const laptop = memberOf(use.world.central.network, "1a60700001", use.world.now());
    laptop.config.ipAssignments = ["10.147.17.7"];
    use.world.advance(10_000);
    const refused = await use.world.enrol({ key });
    expect([refused.status, refused.json["type"]]).toEqual([409, "/problems/slot-taken"]);
    laptop.config.ipAssignments = [];
    use.world.advance(10_000);
    expect((await use.world.enrol({ key })).json).toMatchObject({ name: "db1", slot: 7 });
  });
});

describe("replacing a server", () => {
  it("gives another its name and slot, and puts it out for good", async () => {
    const key = await use.world.key({ tags: ["db"] });
    const old = await use.world.enrol({ key, name: "db1" });
    await use.world.settle();
    const heirKey = await replace(0);
    expect(member(0)?.config.authorized).toBe(true);
    const heir = await use.world.enrol({ key: heirKey, number: 1, name: "debian" });
    expect(heir.json).toMatchObject({ name: "db1", slot: 1, state: "active" });
    expect(member(0)).toBeUndefined();
    expect(member(1)?.config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
    await use.world.settle();
    expect(use.world.central.network.config.routes).toContainEqual({
      target: "172.28.1.0/24",
      via: "10.147.17.1",
    });
    expect((await use.world.admin("GET", node(1))).json).toMatchObject({ tags: ["db"] });
    // The old one wakes up.
    const told = await beat(0, old.json["token"]);
    expect([told.status, told.json]).toMatchObject([
      403,
      { type: "/problems/revoked", detail: expect.stringContaining("the operator replaced node") },
    ]);
    expect((await use.world.enrol({ key, name: "db1" })).json["type"]).toBe("/problems/revoked");
    expect((await use.world.enrol({ key: heirKey, name: "db1" })).status).toBe(403);
    // Somebody else's token is told nothing.
    expect((await beat(0, heir.json["token"])).status).toBe(401);
  });

  it("lets the new one in only when the controller has taken that the old one is out", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    await use.world.settle();
    const key = await replace(0);
    use.world.central.fail("DELETE", "/member/", { kind: "status", status: 500 });
    const waits = await use.world.enrol({ key, number: 1 });
    expect([waits.status, waits.json["type"]]).toEqual([503, "/problems/controller-unreachable"]);
    expect(member(1)).toBeUndefined();
    use.world.advance(60_000);
    expect((await use.world.enrol({ key, number: 1 })).json).toMatchObject({ name: "db1", slot: 1 });
    expect([member(0), member(1)?.config.authorized]).toEqual([undefined, true]);
  });

  it("keeps the place for whoever comes, when the old one is deleted meanwhile", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    const key = await replace(0);
    await use.world.admin("POST", `${node(0)}/retire`);
    expect((await use.world.enrol({ key, number: 1 })).json).toMatchObject({ name: "db1", slot: 1 });
  });

  it("refuses a second one, and a key of before that one", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    const [first, second] = [await replace(0), await replace(0)];
    expect((await use.world.enrol({ key: first, number: 1 })).status).toBe(200);
    const late = await use.world.enrol({ key: second, number: 2 });
    expect([late.status, late.json]).toMatchObject([
      409,
      { type: "/problems/name-taken", detail: expect.stringContaining(identity(1).node) },
    ]);
  });
});

describe("retiring and deleting a server", () => {
  it("keeps name and slot, or gives them up", async () => {
    await use.world.enrol({ key: await use.world.key(), name: "db1" });
    await use.world.settle();
    const retired = await use.world.admin("POST", `${node(0)}/retire`);
    expect([retired.status, retired.json]).toMatchObject([
      200,
      { name: "db1", slot: 1, freeAt: null, reservation: { name: "db1", slot: 1, node: null } },
    ]);
    expect(member(0)).toBeUndefined();
    const key = await use.world.key({ reservation: "db1" });
    expect((await use.world.enrol({ key, number: 1 })).json).toMatchObject({ name: "db1", slot: 1 });
    expect((await use.world.admin("DELETE", node(1))).status).toBe(204);
    expect(await listed()).toEqual([]);
    const next = await use.world.enrol({ key: await use.world.key(), number: 2, name: "db1" });
    expect(next.json).toMatchObject({ name: "db1", slot: 2 });
  });

  it("says before what it would break, and changes nothing by that", async () => {
    const { json } = await use.world.enrol({ key: await use.world.key(), name: "db1" });
    await use.world.settle();
    const before = await use.world.admin("GET", node(0));
    const [deleted, retired, replaced] = [
      await use.world.admin("DELETE", `${node(0)}?dryRun=true`),
      await use.world.admin("POST", `${node(0)}/retire?dryRun=true`),
      await use.world.admin("POST", `${node(0)}/replace?dryRun=true`, {}),
    ];
    for (const { status, json } of [deleted, retired, replaced])
      expect([status, json]).toMatchObject([
        200,
        { dryRun: true, name: "db1", slot: 1, node: identity(0).node },
      ]);
    expect(deleted.json).toMatchObject({
      breaks: expect.arrayContaining([expect.stringContaining("10.147.17.1, 172.28.1.0/24")]),
      stays: [],
      freeAt: expect.any(String),
    });
    expect(retired.json).toMatchObject({
      freeAt: null,
      stays: expect.arrayContaining([expect.stringContaining("keeps slot 1")]),
    });
    expect(replaced.json["breaks"]).toEqual(
      expect.arrayContaining([expect.stringContaining("once the new server is in")]),
    );
    expect((await use.world.admin("GET", node(0))).json).toEqual(before.json);
    const own = await use.world.call("DELETE", `${node(0)}?dryRun=true`, { token: String(json["token"]) });
    expect([own.status, own.json["type"]]).toEqual([403, "/problems/forbidden"]);
    // Where it would pass unseen, it is refused.
    for (const [method, path] of [
      ["DELETE", node(0)],
      ["POST", `${node(0)}/retire`],
      ["POST", `${node(0)}/revoke`],
      ["POST", "/v1/reconcile"],
    ] as const) {
      const { status, json } = await use.world.admin(method, path, { dryRun: true });
      expect([status, json["detail"]]).toEqual([400, expect.stringContaining("?dryRun=true")]);
    }
    expect((await use.world.admin("GET", node(0))).json).toEqual(before.json);
    expect(await listed()).toEqual([]);
    expect(await use.world.outbox()).toEqual([]);
    expect((await use.world.admin("POST", `${node(0)}/approve`, {})).status).toBe(200);
  });
});
