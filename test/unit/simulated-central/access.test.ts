import { describe, expect, it } from "vitest";
import { startCentral } from "../../../scripts/simulated-central/server.ts";
import { NETWORK, NODE, OTHER_TOKEN, startSim, TOKEN, test } from "./central-test.ts";
import { faultsOfAnswer } from "./openapi.ts";

const ALL: [string, string, number][] = [
  ["GET", "/network", 403],
  ["POST", "/network", 403],
  ["GET", `/network/${NETWORK}`, 401],
  ["POST", `/network/${NETWORK}`, 401],
  ["DELETE", `/network/${NETWORK}`, 401],
  ["GET", `/network/${NETWORK}/member`, 401],
  ["GET", `/network/${NETWORK}/member/${NODE}`, 401],
  ["POST", `/network/${NETWORK}/member/${NODE}`, 401],
  ["DELETE", `/network/${NETWORK}/member/${NODE}`, 401],
];

describe("the token", () => {
  test("is wanted by every call: 403 for the list of networks, 401 elsewhere, as documented", async ({
    sim,
  }) => {
    for (const [method, path, status] of ALL) {
      for (const authorization of ["", "token wrong", `basic ${TOKEN}`]) {
        const body = method === "POST" ? {} : undefined;
        const answer = await sim.call(method, `${sim.central.url}${path}`, body, { authorization });
        expect([method, path, answer.status]).toEqual([method, path, status]);
        expect(faultsOfAnswer(method, path, answer.status, answer.body)).toEqual([]);
      }
    }
    expect(sim.central.state.networks.get(NETWORK)?.members.size).toBe(0);
  });

  test("is taken as `token` and as `bearer`", async ({ sim }) => {
    for (const scheme of ["token", "Token", "bearer", "Bearer"]) {
      const url = `${sim.central.url}/network`;
      const answer = await sim.call("GET", url, undefined, { authorization: `${scheme} ${TOKEN}` });
      expect(answer.status).toBe(200);
    }
  });

  test("of another account sees nothing of this one, and gets 403", async ({ sim }) => {
    const authorization = `token ${OTHER_TOKEN}`;
    const call = (path: string) => sim.call("GET", `${sim.central.url}${path}`, undefined, { authorization });
    expect(await call("/network")).toMatchObject({ status: 200, body: [] });
    expect((await call(`/network/${NETWORK}`)).status).toBe(403);
    expect((await call(`/network/${NETWORK}/member`)).status).toBe(403);
  });

  test("that is wrong still gets a status, without a user", async ({ sim }) => {
    const good = await sim.api("GET", "/status");
    expect(good.body.user.id).toMatch(/^[0-9a-f-]{36}$/);
    const bad = await sim.call("GET", `${sim.central.url}/status`);
    expect(bad).toMatchObject({ status: 200, body: { user: null } });
  });
});

describe("the rate limit", () => {
  it("is 20 calls in any second, told in headers, and 429 above", async () => {
    let now = Date.parse("2024-08-06T20:53:47.300Z");
    const central = await startCentral({ networks: [NETWORK], token: TOKEN, now: () => now });
    const call = () => fetch(`${central.url}/network`, { headers: { authorization: `token ${TOKEN}` } });
    try {
      for (let left = 19; left >= 0; left -= 1) {
        const { status, headers } = await call();
        expect(status).toBe(200);
        expect(headers.get("x-ratelimit-limit")).toBe("20");
        expect(headers.get("x-ratelimit-remaining")).toBe(String(left));
        expect(headers.get("x-ratelimit-reset")).toBe("Tue, 06 Aug 2024 20:53:49 UTC");
        if (left === 10) now += 500;
      }
      expect((await call()).status).toBe(429);
      now += 499;
      expect((await call()).status).toBe(429);
      now += 1;
      for (let i = 0; i < 10; i += 1) expect((await call()).status).toBe(200);
      expect((await call()).status).toBe(429);
      expect(central.calls.counts()).toMatchObject({ total: 33, refused: 3 });
    } finally {
      await central.close();
    }
  });

  it("counts each token by itself, and not the calls of nodes", async () => {
    const sim = await startSim({ limit: 1 });
    const call = (token: string) =>
      sim.call("GET", `${sim.central.url}/network`, undefined, { authorization: `token ${token}` });
    expect((await call(TOKEN)).status).toBe(200);
    expect((await call(OTHER_TOKEN)).status).toBe(200);
    expect((await call(TOKEN)).status).toBe(429);
    for (let i = 0; i < 3; i += 1) expect((await sim.ask(NODE)).status).toBe(200);
    await sim.central.close();
  });
});
