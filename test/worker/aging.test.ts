import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { type Enrolment, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const path = (number = 0): string => `/v1/nodes/${identity(number).node}`;

/** Lets the Worker run for so many days. */
async function run(days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 6) {
    use.world.advance(6 * HOUR - 60_000);
    await use.world.object.reconcile();
  }
}

async function names(): Promise<unknown[]> {
  const { items } = (await use.world.admin("GET", "/v1/nodes")).json;
  return Array.isArray(items) ? items.map(({ name }: { name: string }) => name).sort() : [];
}

describe("time", () => {
  it("ends no lease because the Worker was away: servers are heard first", async () => {
    const { json } = await use.world.enrol();
    await use.world.enrol({ number: 1, name: "web2" });
    await run(1);
    use.world.advance(40 * DAY);
    await run(1);
    expect(await names()).toEqual(["web1", "web2"]);
    const beat = { token: String(json["token"]), body: { state: "ok" } };
    expect((await use.world.call("POST", `${path()}/heartbeat`, beat)).status).toBe(200);
    await run(7);
    expect(await names()).toEqual(["web1"]);
  });

  it("ends a tenth of the leases a day at most, those longest unseen first", async () => {
    const key = await use.world.key({ maxUses: 3 });
    for (const number of [0, 1, 2]) {
      await use.world.enrol({ key, number, name: `web${number}` });
      use.world.advance(60_000);
    }
    use.world.advance(40 * DAY);
    await run(7.5);
    expect(await names()).toEqual(["web1", "web2"]);
    await run(1.25);
    expect(await names()).toEqual(["web2"]);
  });

  it("ends no lease of a server without an agent, and a PUT renews what is shown of it", async () => {
    await use.world.admin("PUT", path(), { name: "db1" });
    await run(1);
    use.world.advance(40 * DAY);
    await run(8);
    expect((await use.world.admin("GET", path())).json["state"]).toBe("stale");
    expect((await use.world.admin("PUT", path(), { name: "db1" })).json["state"]).toBe("active");
  });

  it("ends all ephemeral leases whose servers missed their calls while others were heard", async () => {
    const key = await use.world.key({ maxUses: 3, ephemeralMinutes: 240 });
    const lasting = { number: 9, name: "db1" };
    await use.world.enrol(lasting);
    for (const number of [0, 1, 2]) await use.world.enrol({ key, number, name: `runner${number}` });
    const { json } = await use.world.admin("GET", path(1));
    expect(json).toMatchObject({ ephemeralMinutes: 240 });
    expect(Date.parse(String(json["renewBefore"])) - Date.parse(String(json["lastSeen"]))).toBe(4 * HOUR);
    await use.world.settle();
    const hourly = async (hours: number, ...heard: Enrolment[]) => {
      for (let hour = 0; hour < hours; hour++) {
        use.world.advance(HOUR);
        for (const server of heard) await use.world.enrol(server);
        await use.world.object.reconcile();
      }
    };
    // An outage: nobody can call. When it is over, one is heard before the others.
    await hourly(12);
    const runner2 = { key, number: 2, name: "runner2" };
    await hourly(3, lasting, runner2);
    expect(await names()).toEqual(["db1", "runner0", "runner1", "runner2"]);
    await hourly(1, lasting, runner2);
    expect(await names()).toEqual(["db1", "runner2"]);
    await use.world.settle();
    expect(use.world.central.network.members.has(identity(0).node)).toBe(false);
    // A lasting key makes a lasting lease of it.
    await use.world.enrol({ number: 2, name: "runner2" });
    await hourly(10, lasting);
    expect(await names()).toEqual(["db1", "runner2"]);
  });

  it.each([209, 43_201, 240.5, "240"])("makes no key with %j minutes", async (ephemeralMinutes) => {
    const { status, json } = await use.world.admin("POST", "/v1/keys", { ephemeralMinutes });
    expect([status, json["detail"]]).toEqual([400, expect.stringContaining("ephemeralMinutes")]);
  });
});
