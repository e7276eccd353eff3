import { describe, expect } from "vitest";
import { NETWORK, NODE, test } from "./central-test.ts";

const members = `/network/${NETWORK}/member`;
const path = `${members}/${NODE}`;

describe("members", () => {
  test("can be made, named, authorized and given addresses in one call before they were seen", async ({
    sim,
  }) => {
    const { body } = await sim.api("POST", path, {
      name: "web1",
      config: { authorized: true, ipAssignments: ["10.147.17.233"] },
    });
    expect(body).toMatchObject({
      id: `${NETWORK}-${NODE}`,
      nodeId: NODE,
      networkId: NETWORK,
      name: "web1",
      lastSeen: 0,
      clientVersion: null,
    });
    expect(body.config).toMatchObject({
      authorized: true,
      ipAssignments: ["10.147.17.233"],
      noAutoAssignIps: false,
      vMajor: -1,
      lastDeauthorizedTime: 0,
    });
    expect(body.config.lastAuthorizedTime).toBeGreaterThan(0);
    expect(body.config).not.toHaveProperty("identity");
  });

  test("are listed whole; 404 when they are unknown, or when their network is", async ({ sim }) => {
    expect((await sim.api("GET", members)).body).toEqual([]);
    const made = await sim.api("POST", path, {});
    const list = await sim.api("GET", members);
    expect(list.body).toHaveLength(1);
    expect(list.body[0]).toMatchObject({ ...made.body, clock: list.body[0].clock });
    expect((await sim.api("GET", `${members}/39f51dfb25`)).status).toBe(404);
    expect((await sim.api("DELETE", `${members}/39f51dfb25`)).status).toBe(404);
    expect((await sim.api("POST", `${members}/not-an-id`, {})).status).toBe(404);
    expect((await sim.api("POST", `/network/8056c2e21c0000ff/member/${NODE}`, {})).status).toBe(404);
  });

  test("are merged key by key; addresses are replaced as a whole", async ({ sim }) => {
    await sim.api("POST", path, {
      name: "web1",
      config: { authorized: true, ipAssignments: ["10.147.17.3", "10.147.17.4"] },
    });
    const { body } = await sim.api("POST", path, { config: { ipAssignments: ["10.147.17.5/24", "x"] } });
    expect(body).toMatchObject({
      name: "web1",
      config: { authorized: true, ipAssignments: ["10.147.17.5"] },
    });
  });

  test("cannot be given an identity, nor their times", async ({ sim }) => {
    const { body } = await sim.api("POST", path, {
      lastSeen: 5,
      config: { identity: `${NODE}:0:${"ab".repeat(64)}`, creationTime: 5, revision: 99 },
    });
    expect(body.config).not.toHaveProperty("identity");
    expect(body).toMatchObject({ lastSeen: 0, config: { revision: 1 } });
  });

  test("keep the revision when nothing changes, and the times of authorization", async ({ sim }) => {
    const first = await sim.api("POST", path, { config: { authorized: true } });
    const again = await sim.api("POST", path, { config: { authorized: true } });
    expect(again.body.config).toEqual(first.body.config);
    const off = await sim.api("POST", path, { config: { authorized: false } });
    expect(off.body.config.revision).toBe(first.body.config.revision + 1);
    expect(off.body.config.lastDeauthorizedTime).toBeGreaterThan(0);
  });

  test("with an address that is no text are not made", async ({ sim }) => {
    const answer = await sim.call("POST", `${sim.central.url}${path}`, '{"config":{"ipAssignments":[1]}}', {
      authorization: "token token-of-the-owner",
    });
    expect(answer).toMatchObject({ status: 500, body: { message: "JSON error" } });
    expect((await sim.api("GET", path)).status).toBe(404);
  });

  test("are kept under the id in the case that was sent", async ({ sim }) => {
    await sim.api("POST", `${members}/${NODE.toUpperCase()}`, {});
    expect((await sim.api("GET", path)).status).toBe(404);
  });

  test("come back unauthorized when they are deleted and the node goes on asking", async ({ sim }) => {
    await sim.api("POST", path, { name: "web1", config: { authorized: true } });
    expect((await sim.api("DELETE", path)).status).toBe(200);
    expect((await sim.ask(NODE)).body.status).toBe("ACCESS_DENIED");
    expect((await sim.api("GET", path)).body).toMatchObject({ name: "", config: { authorized: false } });
  });
});
