import { describe, expect } from "vitest";
import { NETWORK, NODE, type Sim, startSim, TOKEN, test } from "./central-test.ts";

const path = `/network/${NETWORK}/member/${NODE}`;
const authorize = { config: { authorized: true } };

function order(sim: Sim, fault: unknown) {
  return sim.call("POST", `${sim.central.origin}/sim/faults`, fault);
}

function post(sim: Sim) {
  return sim.call("POST", `${sim.central.url}${path}`, authorize, { authorization: `token ${TOKEN}` });
}

function isAuthorized(sim: Sim): boolean | undefined {
  return sim.central.state.networks.get(NETWORK)?.members.get(NODE)?.config.authorized;
}

describe("a fault to order", () => {
  test("answers a status, as often as asked, and does nothing", async ({ sim }) => {
    const ordered = await order(sim, { match: {}, kind: "status", status: 503, times: 2 });
    expect(ordered).toMatchObject({ status: 201, body: { kind: "status", status: 503, times: 2 } });
    expect((await post(sim)).status).toBe(503);
    expect((await post(sim)).status).toBe(503);
    expect(isAuthorized(sim)).toBeUndefined();
    expect((await post(sim)).status).toBe(200);
  });

  test("answers text that is no JSON", async ({ sim }) => {
    await order(sim, { kind: "text" });
    const answer = await post(sim);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(() => JSON.parse(answer.body)).toThrow();
    expect(isAuthorized(sim)).toBeUndefined();
  });

  test("never answers", async ({ sim }) => {
    await order(sim, { kind: "timeout" });
    const call = fetch(`${sim.central.url}/network`, {
      headers: { authorization: `token ${TOKEN}` },
      signal: AbortSignal.timeout(50),
    });
    await expect(call).rejects.toThrow(/timeout/);
  });

  test("loses the answer after the change took effect", async ({ sim }) => {
    await order(sim, { kind: "lost" });
    await expect(post(sim)).rejects.toThrow("fetch failed");
    expect(isAuthorized(sim)).toBe(true);
  });

  test("comes late", async ({ sim }) => {
    await order(sim, { kind: "delay", ms: 60 });
    const start = performance.now();
    expect((await post(sim)).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    expect(isAuthorized(sim)).toBe(true);
  });

  test("hits only what it is meant for", async ({ sim }) => {
    await order(sim, { match: { method: "post", path: "/member" }, kind: "status" });
    expect((await sim.api("GET", "/network")).status).toBe(200);
    expect((await sim.api("POST", `/network/${NETWORK}`, {})).status).toBe(200);
    expect((await post(sim)).status).toBe(500);
  });

  test("can be seen and taken back", async ({ sim }) => {
    const url = `${sim.central.origin}/sim/faults`;
    await order(sim, { kind: "status", times: 5 });
    expect((await sim.call("GET", url)).body).toMatchObject([{ kind: "status", times: 5 }]);
    expect((await sim.call("DELETE", url)).status).toBe(204);
    expect((await post(sim)).status).toBe(200);
  });

  test("that is none is refused with the reason", async ({ sim }) => {
    for (const fault of [
      {},
      { kind: "explode" },
      { kind: "status", times: 0 },
      { kind: "status", staus: 1 },
      "x",
    ]) {
      const answer = await order(sim, fault);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toContain("Not a fault");
    }
    expect((await post(sim)).status).toBe(200);
  });
});

describe("latency", () => {
  test("holds every call of the API up, and no call of a node", async () => {
    const sim = await startSim({ latencyMs: 40 });
    const start = performance.now();
    await post(sim);
    expect(performance.now() - start).toBeGreaterThanOrEqual(39);
    await sim.central.close();
  });
});
