// What somebody else left at the controller, and how servers come in all the same.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const { node } = identity(0);
const NETWORK = env.ZEROTIER_NETWORK;
const member = (number = 0) => use.world.central.network.members.get(identity(number).node);
const atController = (path: string, init: { method: string; body?: object }) =>
  use.world.central.fetch(`${env.ZEROTIER_URL}/network/${NETWORK}${path}`, {
    method: init.method,
    headers: { authorization: `token ${env.ZEROTIER_TOKEN}` },
    ...(init.body && { body: JSON.stringify(init.body) }),
  });

describe("a member that is kept from addresses of the controller's choice, and so from its 6PLANE address", () => {
  const keepFrom = () =>
    atController(`/member/${node}`, { method: "POST", body: { config: { noAutoAssignIps: true } } });

  it("gets them with its lease", async () => {
    await keepFrom();
    expect((await use.world.enrol()).status).toBe(200);
    expect(member()?.config).toMatchObject({ authorized: true, noAutoAssignIps: false });
  });

  it("gets them back by the hourly run", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.advance(60_000);
    await keepFrom();
    await use.world.object.reconcile();
    expect((await use.world.admin("GET", `/v1/nodes/${node}`)).json["delivered"]).toBe(false);
    await use.world.settle();
    expect(member()?.config.noAutoAssignIps).toBe(false);
    expect(use.world.log.join()).toContain("member-drifted");
  });
});

describe("a foreign route with host bits", () => {
  it("keeps its slot from being leased, and stays as it was", async () => {
    use.world.central.network.config.routes.push({ target: "172.28.1.1/24", via: "10.147.17.250" });
    expect((await use.world.enrol()).json["slot"]).toBe(2);
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.1.1/24 via 10.147.17.250");
    expect((await use.world.admin("GET", "/v1/pool")).json).toMatchObject({
      conflicts: [{ target: "172.28.1.1/24", via: "10.147.17.250" }],
      excluded: [1],
    });
  });
});

describe("an entry of the member list that cannot be read", () => {
  it("of a foreign member keeps no server out, and is named in the log", async () => {
    use.world.central.listing = (entries) => [...entries, { nodeId: "aabbccddee", config: null }];
    expect((await use.world.enrol()).status).toBe(200);
    expect(use.world.log.join()).toContain('"event":"members-unread","count":1,"members":"aabbccddee"');
    await use.world.settle();
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toMatchObject([{ state: "active" }]);
  });

  it("of one of ours changes nothing: neither revoked nor authorized", async () => {
    await use.world.enrol();
    await use.world.settle();
    use.world.advance(60_000);
    use.world.central.listing = (entries) => entries.map(() => ({ nodeId: node, config: null }));
    const writes = use.world.central.count("POST", /./);
    await use.world.object.reconcile();
    await use.world.settle();
    expect((await use.world.admin("GET", `/v1/nodes/${node}`)).json["state"]).toBe("active");
    expect(use.world.central.count("POST", /./)).toBe(writes);
  });
});

describe("a member that was deleted at the controller", () => {
  it("is brought back by the next enrolment of its server", async () => {
    const key = await use.world.key();
    const { json } = await use.world.enrol({ key });
    await use.world.settle();
    use.world.advance(60_000);
    await atController(`/member/${node}`, { method: "DELETE" });
    expect(member()).toBeUndefined();
    const again = await use.world.enrol({ key });
    expect([again.status, again.json["slot"]]).toEqual([200, json["slot"]]);
    expect(member()?.config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.1"] });
  });

  it("is brought back by PUT", async () => {
    await use.world.admin("PUT", `/v1/nodes/${node}`, { slot: 7 });
    await use.world.settle();
    use.world.advance(60_000);
    await atController(`/member/${node}`, { method: "DELETE" });
    expect((await use.world.admin("PUT", `/v1/nodes/${node}`, { slot: 7 })).status).toBe(200);
    expect(member()?.config).toMatchObject({ authorized: true, ipAssignments: ["10.147.17.7"] });
  });

  it("does not keep its server from the lease while the controller is away", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    await use.world.settle();
    use.world.central.fail("GET", "/member/", { kind: "status", status: 500, times: 9 });
    expect((await use.world.enrol({ key })).status).toBe(200);
  });
});
