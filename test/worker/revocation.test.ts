import { describe, expect, it } from "vitest";
import { setAuthorized } from "../../scripts/simulated-central/state.ts";
import { identity } from "./identities.ts";
import { type Answer, useWorld } from "./world.ts";

const use = useWorld();
const { node } = identity(0);
const path = `/v1/nodes/${node}`;
const LIST = /\/member$/;

/** What the operator does by hand at the controller. */
function authorizeAtController(authorized: boolean): void {
  const member = use.world.central.network.members.get(node);
  if (member === undefined) throw new Error("there is no member");
  setAuthorized(member, authorized, use.world.now());
}

const isAuthorized = () => use.world.central.network.members.get(node)?.config.authorized;
const read = async () => (await use.world.admin("GET", path)).json;
const state = async () => (await read())["state"];

async function cron(): Promise<void> {
  await use.world.object.reconcile();
  await use.world.settle();
}

/** A server that is in the mesh, with the key that let it in. */
async function enrolled(): Promise<{ key: string; leave(): Promise<Answer>; enrol(): Promise<Answer> }> {
  const key = await use.world.key();
  const { json } = await use.world.enrol({ key });
  await use.world.settle();
  return {
    key,
    leave: () => use.world.call("DELETE", path, { token: String(json["token"]) }),
    enrol: () => use.world.enrol({ key }),
  };
}

describe("a node that was taken out", () => {
  it("cannot release itself to come back with its key", async () => {
    const server = await enrolled();
    await use.world.admin("POST", `${path}/revoke`);
    const left = await server.leave();
    expect([left.status, left.json["type"]]).toEqual([403, "/problems/revoked"]);
    expect((await server.enrol()).json["type"]).toBe("/problems/revoked");
    expect([await state(), isAuthorized()]).toEqual(["revoked", false]);
    await use.world.admin("DELETE", path);
    expect((await server.enrol()).json["type"]).toBe("/problems/revoked");
  });

  it("cannot either when it was taken out at the controller and no run has seen it yet", async () => {
    const server = await enrolled();
    authorizeAtController(false);
    const left = await server.leave();
    expect([left.status, left.json["type"]]).toEqual([403, "/problems/revoked"]);
    expect((await server.enrol()).json["type"]).toBe("/problems/revoked");
    expect([await state(), isAuthorized()]).toEqual(["revoked", false]);
  });

  it("does not release itself while nobody can say whether it was", async () => {
    const server = await enrolled();
    use.world.central.fail("GET", `/member/${node}`, { kind: "status", status: 500 });
    const left = await server.leave();
    expect([left.status, left.json["type"]]).toEqual([503, "/problems/controller-unreachable"]);
    expect((await server.leave()).status).toBe(204);
    expect((await server.enrol()).status).toBe(200);
  });
});

describe("the hourly run", () => {
  it("does not revoke a node that is approved while the members are listed", async () => {
    await enrolled();
    await use.world.admin("POST", `${path}/revoke`);
    await use.world.settle();
    const list = use.world.central.holdAnswer(LIST);
    const run = use.world.object.reconcile();
    await list.seen();
    expect((await use.world.admin("POST", `${path}/approve`)).json["delivered"]).toBe(true);
    list.free();
    await run;
    expect([await state(), isAuthorized()]).toEqual(["active", true]);
  });

  it("does not hold an old list against what the controller was told since", async () => {
    await enrolled();
    const list = use.world.central.holdAnswer(LIST);
    const run = use.world.object.reconcile();
    await list.seen();
    expect((await use.world.admin("POST", `${path}/revoke`)).json["delivered"]).toBe(true);
    list.free();
    await run;
    expect(await read()).toMatchObject({ state: "revoked", delivered: true });
  });

  it("revokes by what the member is now, not by what it was in the list", async () => {
    await enrolled();
    authorizeAtController(false);
    const list = use.world.central.holdAnswer(LIST);
    const run = use.world.object.reconcile();
    await list.seen();
    authorizeAtController(true);
    list.free();
    await run;
    expect(await state()).toBe("active");
  });

  it("does not revoke a node that is approved while its member is read", async () => {
    await enrolled();
    authorizeAtController(false);
    const one = use.world.central.holdAnswer(/\/member\/[0-9a-f]+$/);
    const run = use.world.object.reconcile();
    await one.seen();
    const approved = use.world.admin("POST", `${path}/approve`);
    while ((await use.world.outbox()).every(({ kind }) => kind !== "member"));
    one.free();
    await run;
    await approved;
    expect([await state(), isAuthorized()]).toEqual(["active", true]);
  });

  it("takes nothing from the controller while a change of ours is on its way there", async () => {
    await enrolled();
    await use.world.admin("POST", `${path}/revoke`);
    await use.world.settle();
    use.world.central.fail("POST", "/member", { kind: "status", status: 500 });
    expect((await use.world.admin("POST", `${path}/approve`)).json["delivered"]).toBe(false);
    await use.world.object.reconcile();
    expect(await state()).toBe("active");
    await use.world.settle();
    expect([await state(), isAuthorized()]).toEqual(["active", true]);
  });

  it("takes out again whom the operator revoked here and somebody authorized there", async () => {
    await enrolled();
    await use.world.admin("POST", `${path}/revoke`);
    await use.world.settle();
    authorizeAtController(true);
    await use.world.object.reconcile();
    expect(await read()).toMatchObject({ state: "revoked", delivered: false });
    await use.world.settle();
    expect(await read()).toMatchObject({ state: "revoked", delivered: true });
    expect(isAuthorized()).toBe(false);
  });

  it("leaves alone whoever waits for approval and is authorized there: that is the operator's doing", async () => {
    await use.world.enrol({ key: await use.world.key({ approval: true }) });
    await use.world.call("GET", "/healthz");
    await use.world.central.fetch(`https://api.zerotier.com/api/v1/network/8056c2e21c000001/member/${node}`, {
      method: "POST",
      headers: { authorization: "token central-token-of-the-tests-0123456789" },
      body: JSON.stringify({ config: { authorized: true } }),
    });
    await use.world.object.reconcile();
    expect(await read()).toMatchObject({ state: "pending", delivered: true });
    await use.world.settle();
    expect([await state(), isAuthorized()]).toEqual(["pending", true]);
  });

  it("lets in again whom the operator took out and let in again at the controller", async () => {
    await enrolled();
    authorizeAtController(false);
    await cron();
    expect(await state()).toBe("revoked");
    authorizeAtController(true);
    await cron();
    expect([await state(), isAuthorized()]).toEqual(["active", true]);
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
  });

  it("keeps out whom the operator took out there first and then here too", async () => {
    await enrolled();
    authorizeAtController(false);
    await cron();
    await use.world.admin("POST", `${path}/revoke`);
    await use.world.settle();
    authorizeAtController(true);
    await cron();
    expect([await state(), isAuthorized()]).toEqual(["revoked", false]);
  });
});
