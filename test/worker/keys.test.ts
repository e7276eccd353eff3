// What a key lets in, what is seen of it, and what taking it back does.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { identity } from "./identities.ts";
import { ADMIN, useWorld } from "./world.ts";

const use = useWorld();
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

  it.each(["", "web_*", "*-*", "a".repeat(64)])("is not made of %j", async (names) => {
    const { status, json } = await use.world.admin("POST", "/v1/keys", { names });
    expect([status, json["detail"]]).toEqual([400, expect.stringContaining("names")]);
  });

  it("is not made with user-data for a server of another name", async () => {
    const body = { name: "db1", key: { names: "web-*" } };
    const { status, json } = await use.world.admin("POST", "/v1/user-data", body);
    expect([status, json["detail"]]).toEqual([400, expect.stringContaining("key.names: ")]);
    expect(await listed()).toEqual([]);
    expect((await use.world.admin("POST", "/v1/user-data", { ...body, name: "web-1" })).status).toBe(201);
  });
});

describe("the use of a key", () => {
  it("is shown with its last time, and with whom it let in", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const id = await lastId();
    const other = await use.world.key();
    await use.world.enrol({ key });
    await use.world.enrol({ key, number: 1, name: "web2" });
    await use.world.enrol({ key: other, number: 2, name: "web3" });
    const [before] = await listed();
    expect(before).toMatchObject({ uses: 2, state: "spent", lastUsedAt: expect.any(String) });
    use.world.advance(60_000);
    await use.world.enrol({ key, number: 1, name: "web2" });
    const [after] = await listed();
    expect(after).toMatchObject({ uses: 2 });
    expect(Date.parse(after?.lastUsedAt ?? "") - Date.parse(before?.lastUsedAt ?? "")).toBeGreaterThanOrEqual(
      60_000,
    );
    expect((await cameBy(id)).map(({ node }) => node)).toEqual([identity(0).node, identity(1).node]);
  });
});

describe("taking a key back", () => {
  it("lets in nobody with it, also none that it let in before, and leaves the nodes in the mesh", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const { json } = await use.world.enrol({ key });
    await use.world.settle();
    const id = await lastId();
    const revoked = await revoke(id, {});
    expect([revoked.status, revoked.json]).toMatchObject([200, { id, state: "revoked", revokedNodes: [] }]);
    for (const number of [0, 1])
      expect((await use.world.enrol({ key, number })).json).toMatchObject({
        type: "/problems/key-revoked",
        status: 403,
      });
    expect(await cameBy(id)).toMatchObject([{ node: identity(0).node, state: "active" }]);
    const beat = await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "ok" },
    });
    expect(beat.status).toBe(200);
    expect(await use.world.outbox()).toEqual([]);
  });

  it("takes its nodes out too, at the controller as well, when that is wanted", async () => {
    const key = await use.world.key({ maxUses: 4 });
    const id = await lastId();
    for (const number of [0, 1, 2]) await use.world.enrol({ key, number, name: `web${number}` });
    const other = await use.world.key();
    // It came in by another key since.
    await use.world.enrol({ key: other, number: 2, name: "web2" });
    await use.world.admin("POST", `/v1/nodes/${identity(1).node}/revoke`);
    await use.world.settle();
    use.world.central.fail("POST", "/member", { kind: "status", status: 503 });
    const { json } = await revoke(id, { nodes: true });
    expect(json["revokedNodes"]).toEqual([identity(0).node]);
    await use.world.settle();
    expect([0, 1, 2].map((number) => member(number)?.config.authorized)).toEqual([false, false, true]);
    expect((await use.world.enrol({ key: other, number: 2, name: "web2" })).status).toBe(200);
    expect((await revoke(id, { nodes: true })).json["revokedNodes"]).toEqual([]);
    const approved = await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`);
    expect(approved.json).toMatchObject({ state: "active" });
    await use.world.settle();
    expect(member(0)?.config.authorized).toBe(true);
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
