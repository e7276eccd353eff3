// The names of the mesh's servers, as each of them is told.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { countRows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const path = (number = 0): string => `/v1/nodes/${identity(number).node}`;
const host = (number: number, name = `web${number}`) => ({
  slot: number + 1,
  node: identity(number).node,
  name,
});

/** Enrols servers; gives their tokens. */
async function enrolMany(count: number): Promise<string[]> {
  const key = await use.world.key({ maxUses: 10 });
  const tokens: string[] = [];
  for (let number = 0; number < count; number++)
    tokens.push(String((await use.world.enrol({ key, number, name: `web${number}` })).json["token"]));
  return tokens;
}

const list = (token: string | undefined, number = 0, query = "", headers = {}) =>
  use.world.call("GET", `${path(number)}/hosts${query}`, { token, headers });

const beat = async (token: string | undefined, hosts?: string) =>
  (await use.world.call("POST", `${path()}/heartbeat`, { token, body: { state: "ok", hosts } })).json[
    "hosts"
  ];

const version = async (token: string | undefined) => String((await list(token)).json["version"]);

describe("the list of servers", () => {
  it("names those that are in the mesh, the asking one too, in both forms", async () => {
    const [token] = await enrolMany(2);
    const { status, json } = await list(token);
    expect([status, json["hosts"], json["next"]]).toEqual([200, [host(0), host(1)], null]);
    const { text } = await list(token, 0, "", { Accept: "text/plain" });
    expect(text).toMatch(/^NETWORK=8056c2e21c000001\nVERSION=[0-9a-f]{8}-\d+\n/);
    expect(text).toContain(`HOSTS=1:${identity(0).node}:web0 2:${identity(1).node}:web1\n`);
  });

  it("goes on after a slot", async () => {
    const [token] = await enrolMany(3);
    expect((await list(token, 0, "?after=1")).json["hosts"]).toEqual([host(1), host(2)]);
    expect((await list(token, 0, "?after=3")).json).toMatchObject({ hosts: [], next: null });
    for (const query of ["?after=-1", "?after=x", "?from=1"])
      expect((await list(token, 0, query)).json["type"]).toBe("/problems/bad-request");
  });

  it("comes in parts of 700, each of which fits what the agent takes", async () => {
    const [token] = await enrolMany(1);
    await runInDurableObject(use.world.object, (_, { storage }) => {
      for (let slot = 100; slot < 1500; slot++)
        storage.sql.exec(
          `INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at, delivered_at)
             VALUES (?, ?, ?, 'active', '[]', 1, 1, 1)`,
          ...[slot.toString(16).padStart(10, "0"), `${slot}`.padEnd(63, "x"), slot],
        );
    });
    const first = await list(token, 0, "", { Accept: "text/plain" });
    expect(first.text.length).toBeLessThan(65_536);
    let after: unknown = 0;
    const slots: number[] = [];
    for (let part = 0; part < 3; part++) {
      const { json } = await list(token, 0, `?after=${after}`);
      const hosts: readonly { slot: number }[] = Array.isArray(json["hosts"]) ? json["hosts"] : [];
      slots.push(...hosts.map(({ slot }) => slot));
      after = json["next"];
    }
    expect(after).toBeNull();
    expect(slots).toEqual([1, ...Array.from({ length: 1400 }, (_, n) => n + 100)]);
  });

  it("has another version after whatever changes it, and the same after what does not", async () => {
    const [token, other] = await enrolMany(2);
    const key = await use.world.key({ approval: true });
    const versions = [await version(token)];
    const expectVersion = async (change: () => Promise<unknown>, isOther: boolean) => {
      await change();
      await use.world.settle();
      versions.push(await version(token));
      expect(versions.at(-1) !== versions.at(-2), `${change}`).toBe(isOther);
    };
    const names = async () => (await list(token)).json["hosts"];
    await expectVersion(() => beat(token), false);
    await expectVersion(() => use.world.enrol({ key, number: 2, name: "web2" }), false);
    expect(await names()).toEqual([host(0), host(1)]);
    await expectVersion(() => use.world.admin("POST", `${path(2)}/approve`), true);
    expect(await names()).toEqual([host(0), host(1), host(2)]);
    await expectVersion(() => use.world.admin("PATCH", path(1), { name: "db1" }), true);
    await expectVersion(() => use.world.admin("POST", `${path(2)}/revoke`), true);
    expect(await names()).toEqual([host(0), host(1, "db1")]);
    await expectVersion(() => use.world.call("DELETE", path(1), { token: other }), true);
    await expectVersion(() => use.world.admin("PUT", path(3), { name: "by-hand", slot: 40 }), true);
    expect(await names()).toEqual([host(0), { ...host(3, "by-hand"), slot: 40 }]);
    expect(new Set(versions).size).toBe(6);
  });

  it("is told of by a heartbeat that says which version it has, and by no other", async () => {
    const [token] = await enrolMany(1);
    const there = await version(token);
    expect([await beat(token), await beat(token, ""), await beat(token, there)]).toEqual([
      undefined,
      there,
      there,
    ]);
    const odd = await use.world.call("POST", `${path()}/heartbeat`, {
      token,
      body: { state: "ok", hosts: "a\nb" },
    });
    expect(odd.json["type"]).toBe("/problems/bad-request");
  });

  it("is for the operator and servers in the mesh alone", async () => {
    const [token, other] = await enrolMany(2);
    expect((await use.world.admin("GET", `${path()}/hosts`)).json["hosts"]).toEqual([host(0), host(1)]);
    expect((await list(other)).json["type"]).toBe("/problems/unauthorized");
    expect((await list(undefined)).json["type"]).toBe("/problems/unauthorized");
    const key = await use.world.key({ approval: true });
    const waiting = String((await use.world.enrol({ key, number: 2 })).json["token"]);
    expect((await list(waiting, 2)).status).toBe(403);
    await use.world.admin("POST", `${path()}/revoke`);
    expect((await list(token)).json["type"]).toBe("/problems/revoked");
  });

  it("is read once however often it is asked for, and again after a change", async () => {
    const [token] = await enrolMany(8);
    const read = async () => {
      const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
      await list(token);
      return (await runInDurableObject(use.world.object, stop)).read;
    };
    await use.world.admin("PATCH", path(1), { name: "db1" });
    const [first, second] = [await read(), await read()];
    // Eight servers, and the row that notes that the list was told.
    expect(first - second).toBe(8 + 1);
    await use.world.admin("PATCH", path(1), { name: "db2" });
    expect(await read()).toBe(first);
  });

  it("costs no row where nobody asks, and one a version where somebody does", async () => {
    const changes = () =>
      runInDurableObject(
        use.world.object,
        (_, { storage }) => storage.sql.exec<{ changes: number }>("SELECT changes FROM hosts").one().changes,
      );
    const [token] = await enrolMany(2);
    const rename = async (name: string) =>
      expect((await use.world.admin("PATCH", path(1), { name })).status).toBe(200);
    await rename("db1");
    expect(await changes()).toBe(0);
    const first = await beat(token, "");
    for (const name of ["db2", "db3"]) await rename(name);
    expect(await changes()).toBe(1);
    expect(await beat(token, "")).not.toBe(first);
  });
});
