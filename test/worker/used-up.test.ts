// What everybody is told while the platform refuses what the object writes, because the day's rows are used up.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const USED_UP = "Exceeded allowed rows written in Durable Objects free tier.";

/** From here on the object's storage refuses rows; gives what ends that. */
function refuseRows(): Promise<() => Promise<void>> {
  return runInDurableObject(use.world.object, (_, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (query, ...values) => {
      if (/^\s*(INSERT|UPDATE|DELETE)/i.test(query)) throw new Error(USED_UP);
      return exec(query, ...values) as never;
    };
    return () =>
      runInDurableObject(use.world.object, () => {
        storage.sql.exec = exec;
      });
  });
}

const untilMidnight = () => DAY - (use.world.now() % DAY);

describe("while the rows of the day are used up", () => {
  it("a server is told why it does not get in, and when to ask again", async () => {
    const key = await use.world.key();
    await refuseRows();
    use.world.advance(untilMidnight() - 2 * HOUR);
    const refused = await use.world.enrol({ key });
    expect([refused.status, refused.json["type"]]).toEqual([503, "/problems/object-unreachable"]);
    expect(refused.json["detail"]).toMatch(/quota .* used up.*midnight UTC.*paid plan/);
    expect(refused.text).not.toContain("rows written");
    expect(refused.headers.get("Retry-After")).toBe("3600");
    use.world.advance(untilMidnight() - 10 * 60_000);
    const seconds = Number((await use.world.enrol({ key })).headers.get("Retry-After"));
    expect(seconds).toBeGreaterThan(590);
    expect(seconds).toBeLessThanOrEqual(600);
  });

  it("one that reports is told the same, and stays in the mesh", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    await refuseRows();
    const beat = await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "ok" },
    });
    expect([beat.status, beat.json["type"]]).toEqual([503, "/problems/object-unreachable"]);
    expect(beat.json["detail"]).toMatch(/used up.*run on/);
    expect(use.world.central.network.members.get(identity(0).node)?.config.authorized).toBe(true);
  });

  it("whoever may only read reads on", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
    const restore = await refuseRows();
    const read = () => use.world.call("GET", "/v1/nodes", { token: String(json["token"]) });
    expect([(await read()).status, (await read()).status]).toEqual([200, 200]);
    await restore();
    use.world.advance(DAY);
    await read();
    const { items } = (await use.world.admin("GET", "/v1/tokens")).json;
    expect(items).toMatchObject([{ lastUsedAt: expect.any(String) }]);
  });

  it("the health says so, to everybody, as soon as a write was refused", async () => {
    const { json } = await use.world.enrol();
    await use.world.settle();
    await refuseRows();
    await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "ok" },
    });
    const health = await use.world.health();
    expect([health.status, health.json["status"]]).toEqual([503, "unreachable"]);
    expect(health.json["faults"]).toEqual([expect.stringMatching(/quota .* used up/)]);
    expect((await use.world.call("GET", "/")).text).toContain("used up");
  });

  it("the controller is not asked for what could not be kept", async () => {
    const key = await use.world.key();
    await refuseRows();
    await use.world.enrol({ key });
    const { length } = use.world.central.calls;
    for (let hour = 0; hour < 12; hour++) {
      use.world.advance(HOUR);
      expect((await use.world.enrol({ key })).status).toBe(503);
    }
    expect(use.world.central.calls).toHaveLength(length);
  });

  it("what is only read is read on", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    await refuseRows();
    await use.world.enrol({ key });
    expect((await use.world.admin("GET", "/v1/nodes")).status).toBe(200);
  });

  it("all goes on by itself when they are back", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    const restore = await refuseRows();
    expect((await use.world.enrol({ key })).status).toBe(503);
    await use.world.fireAlarm();
    expect(use.world.routes()).toEqual(["10.147.17.0/24"]);
    await restore();
    use.world.advance(untilMidnight());
    await use.world.settle();
    expect(use.world.routes()).toEqual(["10.147.17.0/24", "172.28.1.0/24 via 10.147.17.1"]);
    expect((await use.world.enrol({ key })).status).toBe(200);
    expect((await use.world.health()).json).toMatchObject({ status: "ok", faults: [] });
  });
});
