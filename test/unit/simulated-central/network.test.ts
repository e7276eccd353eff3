import { describe, expect } from "vitest";
import { NETWORK, test } from "./central-test.ts";

const path = `/network/${NETWORK}`;

describe("networks", () => {
  test("are listed, made with or without settings, read and deleted", async ({ sim }) => {
    const empty = await sim.api("POST", "/network", {});
    const named = await sim.api("POST", "/network", { config: { name: "mesh", private: true } });
    expect(empty.body.id).toMatch(/^8056c2e21c[0-9a-f]{6}$/);
    expect(named.body.config).toMatchObject({ name: "mesh", private: true, mtu: 2800, multicastLimit: 32 });
    const list = await sim.api("GET", "/network");
    expect(list.body.map(({ id }: { id: string }) => id)).toEqual([NETWORK, empty.body.id, named.body.id]);
    expect((await sim.api("GET", `/network/${named.body.id}`)).body.id).toBe(named.body.id);
    expect((await sim.api("DELETE", `/network/${named.body.id}`)).status).toBe(200);
    expect((await sim.api("GET", `/network/${named.body.id}`)).status).toBe(404);
  });

  test("begin private, without route, pool or automatic address", async ({ sim }) => {
    const { body } = await sim.api("GET", path);
    expect(body.config).toMatchObject({
      private: true,
      routes: [],
      ipAssignmentPools: [],
      v4AssignMode: { zt: false },
      v6AssignMode: { "6plane": false, rfc4193: false, zt: false },
    });
  });

  test("count their members", async ({ sim }) => {
    await sim.api("POST", `${path}/member/4e8d87c868`, { config: { authorized: true } });
    await sim.ask("39f51dfb25");
    expect((await sim.api("GET", path)).body).toMatchObject({
      totalMemberCount: 2,
      authorizedMemberCount: 1,
      onlineMemberCount: 1,
    });
  });
});

describe("a change of a network", () => {
  test("is merged key by key: what is left out, null, unknown or read-only stays", async ({ sim }) => {
    await sim.api("POST", path, { description: "ours", config: { name: "mesh", mtu: 1400 } });
    const { body } = await sim.api("POST", path, {
      id: "8056c2e21c0000ff",
      unknown: 1,
      config: { name: null, mtu: 1500, creationTime: 5, unknown: [] },
    });
    expect(body).toMatchObject({ id: NETWORK, description: "ours" });
    expect(body.config).toMatchObject({ name: "mesh", mtu: 1500 });
    expect(body.config.creationTime).toBeGreaterThan(5);
    expect(body.config).not.toHaveProperty("unknown");
  });

  test("replaces lists as a whole", async ({ sim }) => {
    const first = [
      { target: "10.147.17.0/24", via: null },
      { target: "172.28.3.0/24", via: "10.147.17.3" },
    ];
    const second = [{ target: "172.28.4.0/24", via: "10.147.17.4" }];
    const pool = { ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" };
    await sim.api("POST", path, { config: { routes: first, ipAssignmentPools: [pool] } });
    const { body } = await sim.api("POST", path, { config: { routes: second } });
    expect(body.config.routes).toEqual(second);
    expect(body.config.ipAssignmentPools).toEqual([pool]);
    const emptied = await sim.api("POST", path, { config: { routes: [], ipAssignmentPools: [] } });
    expect(emptied.body.config).toMatchObject({ routes: [], ipAssignmentPools: [] });
  });

  test("replaces the assign modes as a whole: a flag left out is lost", async ({ sim }) => {
    await sim.api("POST", path, {
      config: { v6AssignMode: { "6plane": true }, v4AssignMode: { zt: true } },
    });
    const { body } = await sim.api("POST", path, { config: { v6AssignMode: { rfc4193: true } } });
    expect(body.config.v6AssignMode).toEqual({ "6plane": false, rfc4193: true, zt: false });
    expect(body.config.v4AssignMode).toEqual({ zt: true });
  });

  test("moves the time of the last change only when something changed", async ({ sim }) => {
    const network = sim.central.state.networks.get(NETWORK);
    await sim.api("POST", path, { config: { name: "mesh" } });
    const revision = network?.revision;
    await sim.api("POST", path, { config: { name: "mesh" } });
    expect(network?.revision).toBe(revision);
    await sim.api("POST", path, { config: { name: "other" } });
    expect(network?.revision).toBe((revision ?? 0) + 1);
  });

  test("of a type that Central dislikes is answered 500 with its one form of error", async ({ sim }) => {
    for (const body of [{ config: { private: "yes" } }, "no json", [], "7"]) {
      const answer = await sim.call("POST", `${sim.central.url}${path}`, body, {
        authorization: "token token-of-the-owner",
      });
      expect(answer).toMatchObject({ status: 500, body: { type: "internal", message: "JSON error" } });
    }
  });

  test("that cannot be read makes no network", async ({ sim }) => {
    const answer = await sim.call("POST", `${sim.central.url}/network`, "no json", {
      authorization: "token token-of-the-owner",
    });
    expect(answer.status).toBe(500);
    expect((await sim.api("GET", "/network")).body).toHaveLength(1);
  });
});
