// What a key lets in, what is seen of it, and what taking it back does.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { countRows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { inOwnStores } from "./own-stores.ts";
import { ADMIN, useWorld } from "./world.ts";

const use = useWorld();
const REVOKED = { type: "/problems/key-revoked", status: 403 };
const keys = z.object({
  items: z.array(z.looseObject({ id: z.string(), state: z.string(), lastUsedAt: z.string().nullable() })),
});
const nodes = z.object({ items: z.array(z.looseObject({ node: z.string(), state: z.string() })) });

const listed = async () => keys.parse((await use.world.admin("GET", "/v1/keys")).json).items;
const lastId = async () => (await listed()).at(-1)?.id ?? "none";
const cameBy = async (id: string) =>
  nodes.parse((await use.world.admin("GET", `/v1/nodes?key=${id}&sort=slot`)).json).items;
const revoke = (id: string, body: unknown) => use.world.admin("POST", `/v1/keys/${id}/revoke`, body);
const member = (number: number) => use.world.central.network.members.get(identity(number).node);

describe("a key with a pattern of names", () => {
  it("lets in servers of such names, and says to others which it wants", async () => {
    const key = await use.world.key({ names: "web-*", maxUses: 9 });
    const refused = await use.world.enrol({ key, name: "db1" });
    expect([refused.status, refused.json]).toMatchObject([
      403,
      {
        type: "/problems/name-not-allowed",
        detail: expect.stringContaining("lets in servers named web-*, and this one is db1"),
      },
    ]);
    expect(await listed()).toMatchObject([{ names: "web-*", uses: 0, lastUsedAt: null }]);
    expect((await use.world.enrol({ key, name: "web-1" })).status).toBe(200);
    expect((await use.world.admin("GET", "/v1/refusals")).json).toMatchObject({
      items: [{ problem: "/problems/name-not-allowed", name: "db1", about: "web-*" }],
    });
  });

  it("lets in a second server of a name under a number, and one that was renamed since", async () => {
    const key = await use.world.key({ names: "web", maxUses: 2 });
    expect((await use.world.enrol({ key, name: "web" })).json).toMatchObject({ name: "web" });
    expect((await use.world.enrol({ key, number: 1, name: "web" })).json).toMatchObject({ name: "web-2" });
    await use.world.admin("PATCH", `/v1/nodes/${identity(1).node}`, { name: "db1" });
    const again = await use.world.enrol({ key, number: 1, name: "db1" });
    expect([again.status, again.json["name"]]).toEqual([200, "db1"]);
  });

  it.each(["", "web_*", "*-*", "-*", "*-", "a".repeat(64), `${"a".repeat(61)}*bcd`, `${"a".repeat(63)}*b`])(
    "is not made of %j",
    async (names) => {
      const { status, json } = await use.world.admin("POST", "/v1/keys", { names });
      expect([status, json["detail"]]).toEqual([400, expect.stringContaining("names")]);
    },
  );

  it("is not made with user-data for a server of another name", async () => {
    const body = { name: "db1", key: { names: "web-*" } };
    const { status, json } = await use.world.admin("POST", "/v1/user-data", body);
    expect([status, json["detail"]]).toEqual([400, expect.stringContaining("but as web-*")]);
    expect(await listed()).toEqual([]);
    expect((await use.world.admin("POST", "/v1/user-data", { ...body, name: "web-1" })).status).toBe(201);
  });
});

describe("the use of a key", () => {
  it("is read by itself, without its secret", async () => {
    const key = await use.world.key({ names: "web-*", note: "rack 7" });
    const { status, json, text } = await use.world.admin("GET", `/v1/keys/${await lastId()}`);
    expect([status, json]).toMatchObject([200, { names: "web-*", note: "rack 7", state: "valid", uses: 0 }]);
    expect(text).not.toContain(key);
    expect((await use.world.admin("GET", `/v1/keys/${"0".repeat(16)}`)).status).toBe(404);
  });

  it("is shown with its last time, and with whom it let in", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const id = await lastId();
    const other = await use.world.key();
    await use.world.enrol({ key });
    await use.world.enrol({ key, number: 1, name: "web2" });
    await use.world.enrol({ key: other, number: 2, name: "web3" });
    const [before] = await listed();
    expect(before).toMatchObject({ uses: 2, state: "spent", lastUsedAt: expect.any(String) });
    use.world.advance(3_600_000);
    await use.world.enrol({ key, number: 1, name: "web2" });
    const [after] = await listed();
    expect(after).toMatchObject({ uses: 2 });
    expect(Date.parse(after?.lastUsedAt ?? "") - Date.parse(before?.lastUsedAt ?? "")).toBeGreaterThanOrEqual(
      3_600_000,
    );
    expect((await cameBy(id)).map(({ node }) => node)).toEqual([identity(0).node, identity(1).node]);
  });
});

describe("taking a key back", () => {
  it("lets in nobody else, and leaves in the mesh whom it let in", async () => {
    const key = await use.world.key({ maxUses: 3 });
    await use.world.enrol({ key });
    await use.world.enrol({ key, number: 1, name: "web2" });
    await use.world.settle();
    const id = await lastId();
    const revoked = await revoke(id, {});
    expect([revoked.status, revoked.json]).toMatchObject([200, { id, state: "revoked", revokedNodes: [] }]);
    expect((await use.world.enrol({ key, number: 2, name: "web3" })).json).toMatchObject(REVOKED);
    expect(await cameBy(id)).toMatchObject([{ state: "active" }, { state: "active" }]);
    expect(await use.world.outbox()).toEqual([]);
    // Whose answer was lost, or who waits, would have no token for its lease.
    expect((await use.world.enrol({ key })).status).toBe(200);
    const other = await use.world.key();
    await use.world.enrol({ key: other, number: 1, name: "web2" });
    expect((await use.world.enrol({ key, number: 1, name: "web2" })).json).toMatchObject(REVOKED);
    // It left, and comes back with a key that it has.
    await use.world.admin("DELETE", `/v1/nodes/${identity(0).node}`);
    expect((await use.world.enrol({ key })).json).toMatchObject(REVOKED);
  });

  it("lets one that waits for approval fetch its lease when it is approved", async () => {
    const key = await use.world.key({ approval: true });
    expect((await use.world.enrol({ key })).status).toBe(202);
    await revoke(await lastId(), {});
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`);
    const { status, json } = await use.world.enrol({ key });
    expect([status, json["token"]]).toEqual([200, expect.stringMatching(/^mbn_/)]);
  });

  it("takes its nodes out too, and the controller hears of it in the same call", async () => {
    const key = await use.world.key({ maxUses: 4 });
    const id = await lastId();
    for (const number of [0, 1, 2]) await use.world.enrol({ key, number, name: `web${number}` });
    const other = await use.world.key();
    // It came in by another key since.
    await use.world.enrol({ key: other, number: 2, name: "web2" });
    await use.world.admin("POST", `/v1/nodes/${identity(1).node}/revoke`);
    await use.world.settle();
    const { json } = await revoke(id, { nodes: true });
    const out = [identity(0).node, identity(1).node];
    expect(json["revokedNodes"]).toEqual(out);
    expect([0, 1, 2].map((number) => member(number)?.config.authorized)).toEqual([false, false, true]);
    expect((await use.world.enrol({ key: other, number: 2, name: "web2" })).status).toBe(200);
    expect((await use.world.enrol({ key })).json).toMatchObject({ type: "/problems/revoked" });
    expect((await revoke(id, { nodes: true })).json["revokedNodes"]).toEqual(out);
    // Let in again by the operator's word, it goes with that key no more.
    const approved = await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`);
    expect(approved.json).toMatchObject({ state: "active", delivered: true, key: null });
    expect((await revoke(id, { nodes: true })).json["revokedNodes"]).toEqual([identity(1).node]);
    expect(member(0)?.config.authorized).toBe(true);
  });

  it("takes its nodes out by and by when the controller does not answer, also after a crash", async () => {
    const key = await use.world.key({ maxUses: 2 });
    for (const number of [0, 1]) await use.world.enrol({ key, number, name: `web${number}` });
    await use.world.settle();
    use.world.central.fail("POST", "/member", { kind: "status", status: 503, times: 3 });
    const { json } = await revoke(await lastId(), { nodes: true });
    expect(json["revokedNodes"]).toEqual([identity(0).node, identity(1).node]);
    expect([0, 1].map((number) => member(number)?.config.authorized)).toEqual([true, true]);
    await use.world.crash();
    await use.world.settle();
    expect([0, 1].map((number) => member(number)?.config.authorized)).toEqual([false, false]);
  });

  it("is not got round by another key of the same owner that would not have let the node in", async () => {
    const leaked = await use.world.key();
    const id = await lastId();
    await use.world.enrol({ key: leaked, name: "evil" });
    const forWeb = await use.world.key({ names: "web-*" });
    expect((await use.world.enrol({ key: forWeb, name: "web-1" })).json).toMatchObject({
      type: "/problems/name-not-allowed",
    });
    const wantsApproval = await use.world.key({ approval: true });
    expect((await use.world.enrol({ key: wantsApproval })).status).toBe(200);
    expect((await revoke(id, { nodes: true })).json["revokedNodes"]).toEqual([identity(0).node]);
  });

  it("reads and writes what concerns its own nodes, however many others there are", async () => {
    const many = await use.world.key({ maxUses: 10 });
    for (let number = 3; number < 12; number++)
      await use.world.enrol({ key: many, number, name: `web${number}` });
    const key = await use.world.key({ maxUses: 2 });
    const id = await lastId();
    for (const number of [0, 1]) await use.world.enrol({ key, number, name: `db${number}` });
    await use.world.settle();
    const ofKey = { kind: "of-key", keyId: id } as const;
    const rows = await inOwnStores(use.world.object, (stores, storage) =>
      [
        () => stores.nodes.inOrder("slot", undefined, ofKey),
        () => stores.nodes.inOrder("name", undefined, ofKey),
        () => stores.nodes.inOrder("-slot", { by: 99, node: "ffffffffff" }, ofKey),
      ].map((find) => {
        const counted = countRows(storage);
        expect([...find()]).toHaveLength(2);
        return counted().read;
      }),
    );
    for (const read of rows) expect(read).toBeLessThan(8);
  });

  it("gives out no user-data with it again", async () => {
    const headers = { "Idempotency-Key": "web1" };
    const make = () => use.world.call("POST", "/v1/user-data", { token: ADMIN, body: {}, headers });
    expect((await make()).status).toBe(201);
    await revoke(await lastId(), {});
    expect((await make()).json).toMatchObject({
      type: "/problems/idempotency-key-used",
    });
  });

  it("knows the key, and what is asked of it", async () => {
    expect((await revoke("0123456789abcdef", {})).status).toBe(404);
    await use.world.key();
    expect((await revoke(await lastId(), { node: true })).json["detail"]).toContain("node");
    expect((await revoke(await lastId(), {})).json).toMatchObject({ state: "revoked" });
    expect((await use.world.admin("DELETE", `/v1/keys/${await lastId()}`)).status).toBe(204);
    expect(await listed()).toEqual([]);
  });
});
