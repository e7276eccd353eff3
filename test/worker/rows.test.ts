// What calls cost in rows, by the storage's own count: the free plan allows 100,000 written a day.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { memberOf, setAuthorized } from "../../scripts/simulated-central/state.ts";
import { countRows, type Rows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
/** ms: days take their time on a busy machine. */
const PATIENCE = 120_000;

/** Rows that the object read and wrote while something was done. */
async function rowsOf(action: () => Promise<unknown>): Promise<Rows> {
  const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
  await action();
  return runInDurableObject(use.world.object, stop);
}

const member = (number: number) => use.world.central.network.members.get(identity(number).node);

/** Enrols servers; gives their tokens. */
async function enrolMany(count: number): Promise<string[]> {
  const key = await use.world.key({ maxUses: 12 });
  const tokens: string[] = [];
  for (let number = 0; number < count; number++)
    tokens.push(String((await use.world.enrol({ key, number, name: `web${number}` })).json["token"]));
  await use.world.settle();
  return tokens;
}

const beat = (number: number, token: string | undefined) =>
  use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, {
    token,
    body: { state: "ok", facts: { agent: "0.1.0" }, repaired: ["routes"] },
  });

/** Rows written in a day in which the servers call hourly, and the controller sees those that run. */
async function writtenInADay(tokens: readonly string[], seen: readonly number[]): Promise<number> {
  const { written } = await rowsOf(async () => {
    for (let hour = 0; hour < 24; hour++) {
      use.world.advance(HOUR / 2);
      for (const [number, token] of tokens.entries()) await beat(number, token);
      use.world.advance(HOUR / 2);
      for (const number of seen) {
        const found = member(number);
        if (found !== undefined) found.lastSeen = use.world.now();
      }
      await use.world.object.reconcile();
    }
  });
  return written;
}

describe("rows written", () => {
  it("by a heartbeat are two at most", async () => {
    const [token] = await enrolMany(1);
    use.world.advance(HOUR);
    const { written } = await rowsOf(() => beat(0, token));
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(2);
  });

  it("by a call with a key that nobody made are none, once that was noted, though the object starts anew", async () => {
    const call = () => use.world.enrol({ key: `mbk_${"A".repeat(22)}` });
    expect((await call()).json["type"]).toBe("/problems/unknown-key");
    await use.world.crash();
    expect((await rowsOf(call)).written).toBe(0);
  });

  it(
    "for a server and day are sixty at most, heartbeats and hourly runs together",
    async () => {
      const tokens = await enrolMany(3);
      const one = await writtenInADay(tokens.slice(0, 1), [0]);
      const three = await writtenInADay(tokens, [0, 1, 2]);
      expect((three - one) / 2).toBeLessThanOrEqual(60);
    },
    PATIENCE,
  );

  it(
    "for a server that only the controller sees are no more, and it stays active",
    async () => {
      await enrolMany(1);
      await use.world.admin("PUT", `/v1/nodes/${identity(1).node}`, { name: "by-hand" });
      await use.world.settle();
      const neither = await writtenInADay([], []);
      const both = await writtenInADay([], [0, 1]);
      expect((both - neither) / 2).toBeLessThanOrEqual(60);
      for (const number of [0, 1])
        expect((await use.world.admin("GET", `/v1/nodes/${identity(number).node}`)).json["state"]).toBe(
          "active",
        );
    },
    PATIENCE,
  );
});

describe("rows read", () => {
  it("to admit a server to a key are as many however many the key let in", async () => {
    const key = await use.world.key({ maxUses: 1000 });
    const body = { key, number: 0, change: { localPrefixes: ["172.28.3.0/24"] } };
    // Refused for its networks: the key is looked at, and nothing else grows.
    const refuse = () => rowsOf(() => use.world.enrol(body));
    await refuse();
    const before = await refuse();
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      for (let at = 0; at < 500; at++)
        sql.exec(
          "INSERT INTO admissions (key_id, node) SELECT id, ? FROM keys",
          (at + 1).toString(16).padStart(10, "0"),
        );
    });
    expect((await refuse()).read).toBe(before.read);
  });

  it("leave the uses of a key right", async () => {
    const key = await use.world.key({ maxUses: 2 });
    for (const number of [0, 0, 1, 1]) expect((await use.world.enrol({ key, number })).status).toBe(200);
    expect((await use.world.enrol({ key, number: 2 })).json["type"]).toBe("/problems/key-spent");
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({
      items: [{ uses: 2, state: "spent" }],
    });
  });
});

describe("adopting", () => {
  const SERVERS = 10;

  it("writes a dozen rows a server at most, and none for the list", async () => {
    const { network } = use.world.central;
    for (let number = 0; number < SERVERS; number++) {
      const made = memberOf(network, identity(number).node, use.world.now());
      setAuthorized(made, true, use.world.now());
      made.config.ipAssignments = [`10.147.17.${100 + number}`];
      network.config.routes.push({ target: `172.28.${100 + number}.0/24`, via: `10.147.17.${100 + number}` });
    }
    const list = () => use.world.admin("POST", "/v1/adopt?dryRun=true", {});
    const { json } = await list();
    // What was found is noted, and is known by now.
    const listed = await rowsOf(list);
    expect(listed.written).toBeLessThanOrEqual(3);
    const { written } = await rowsOf(async () => {
      const { status } = await use.world.admin("POST", "/v1/adopt", { plan: json["plan"] });
      expect(status).toBe(200);
      await use.world.settle();
    });
    expect(written).toBeLessThanOrEqual(12 * SERVERS + 40);
  });
});
