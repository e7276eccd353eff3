// `GET /metrics`: what monitoring is told, to whom, and at what cost.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { MIGRATIONS } from "../../worker/store/migrations.ts";
import { countRows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { inOwnStores } from "./own-stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const DAY = 86_400_000;

const asks = (token?: string) => use.world.call("GET", "/metrics", { token });

/** The samples by name and labels, as they are written. */
async function samples(): Promise<Record<string, number>> {
  const { status, text } = await use.world.admin("GET", "/metrics");
  expect(status).toBe(200);
  return Object.fromEntries(
    text
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

describe("GET /metrics", () => {
  it("is for who may read, by token or session, in Prometheus' own type", async () => {
    const make = async (scope: string) =>
      z
        .object({ token: z.string() })
        .parse((await use.world.admin("POST", "/v1/tokens", { scopes: [scope] })).json).token;
    const answer = await asks(await make("read"));
    expect([answer.status, answer.headers.get("Content-Type"), answer.headers.get("Cache-Control")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
      "no-store",
    ]);
    expect((await asks(await make("keys"))).json["type"]).toBe("/problems/forbidden");
    expect((await asks()).status).toBe(401);
    expect((await asks(await use.world.key())).status).toBe(403);
  });

  it("counts servers, slots, what waits, calls and refusals", async () => {
    const before = await samples();
    expect(before).not.toHaveProperty("meshboot_reconcile_last_timestamp_seconds");
    await use.world.enrol({ number: 0, name: "web1" });
    await use.world.enrol({ number: 1, name: "web2", key: await use.world.key({ approval: true }) });
    await use.world.enrol({ number: 2, timestamp: 0 });
    await use.world.admin("POST", "/v1/reservations", { name: "db1" });
    const at = Math.floor(use.world.now() / 1000);
    await use.world.object.reconcile();
    const now = await samples();
    expect(now).toMatchObject({
      meshboot_ready: 1,
      'meshboot_servers{state="active"}': 1,
      'meshboot_servers{state="pending"}': 1,
      'meshboot_servers{state="offline"}': 0,
      meshboot_servers_failed: 0,
      'meshboot_pool_slots{kind="active"}': 1,
      'meshboot_pool_slots{kind="reserved"}': 1,
      meshboot_pool_size: 239,
      'meshboot_pool_slots{kind="free"}': 236,
      'meshboot_refused_enrolments{problem="clock-skew"}': 1,
      meshboot_controller_readable: 1,
      meshboot_controller_calls_limit: 20,
    });
    expect(now['meshboot_controller_calls_total{outcome="made"}']).toBe(use.world.central.calls.length);
    expect(now["meshboot_reconcile_last_timestamp_seconds"]).toBeGreaterThanOrEqual(at);
    await use.world.settle();
    use.world.advance(2 * DAY);
    expect(await samples()).toMatchObject({
      'meshboot_servers{state="active"}': 0,
      'meshboot_servers{state="offline"}': 1,
    });
  });

  describe("counts the servers whose agent is behind", () => {
    const OLD = "1".repeat(64);
    const key = () => use.world.key({ maxUses: 4 });
    const behind = async () => (await samples())["meshboot_servers_behind"];
    const says = async (token: unknown, agentSha256: unknown, number = 0) => {
      const { status } = await use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, {
        ...{ token: String(token), body: { state: "ok", facts: { agentSha256 } } },
      });
      expect(status).toBe(200);
    };
    const listed = async () =>
      z
        .object({ items: z.array(z.unknown()) })
        .parse((await use.world.admin("GET", "/v1/nodes?behind=true")).json).items.length;

    it("as the list finds them, while they come, change and go", async () => {
      const enrolled = { key: await key(), change: { facts: { agentSha256: OLD } } };
      const { json } = await use.world.enrol({ ...enrolled, number: 0, name: "web0" });
      await use.world.enrol({ ...enrolled, number: 1, name: "web1" });
      await use.world.enrol({ key: enrolled.key, number: 2, name: "web2" });
      expect([await behind(), await listed()]).toEqual([2, 2]);
      for (const [said, count] of [
        [AGENT.sha256, 1],
        ["2".repeat(64), 2],
        ["2".repeat(64), 2],
        ["2".repeat(63), 1],
        [OLD.replace("1", "A"), 1],
        [7, 1],
        [`${"2".repeat(64)}\u0000`, 1],
        [OLD, 2],
      ] as const) {
        await says(json["token"], said);
        expect([said, await behind(), await listed()]).toEqual([said, count, count]);
      }
      for (const [verb, count] of [
        ["revoke", 1],
        ["approve", 2],
      ] as const) {
        await use.world.admin("POST", `/v1/nodes/${identity(0).node}/${verb}`);
        expect([verb, await behind(), await listed()]).toEqual([verb, count, count]);
      }
      await use.world.admin("DELETE", `/v1/nodes/${identity(0).node}`);
      expect([await behind(), await listed()]).toEqual([1, 1]);
      await use.world.admin("DELETE", `/v1/nodes/${identity(1).node}`);
      expect([await behind(), await listed()]).toEqual([0, 0]);
      const left = await runInDurableObject(use.world.object, (_, { storage: { sql } }) =>
        sql.exec("SELECT * FROM agents").toArray(),
      );
      expect(left).toEqual([]);
    });

    it("at a row for each agent, and at none for a heartbeat that says the same", async () => {
      const { json } = await use.world.enrol({ change: { facts: { agentSha256: OLD } } });
      await use.world.settle();
      const rowsOf = async (action: () => Promise<unknown>) => {
        const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
        await action();
        return runInDurableObject(use.world.object, stop);
      };
      await says(json["token"], OLD);
      const same = await rowsOf(() => says(json["token"], OLD));
      const other = await rowsOf(() => says(json["token"], AGENT.sha256));
      expect(other.written - same.written).toBe(3);
      await says(json["token"], OLD);
      const before = await rowsOf(samples);
      await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
        for (let slot = 2; slot <= 201; slot++)
          sql.exec(
            `INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at, delivered_at, facts)
               SELECT ?, ?, ?, 'active', '[]', leased_at, seen_at, delivered_at, facts FROM nodes WHERE slot = 1`,
            ...[`5e2${slot.toString(16).padStart(7, "0")}`, `other${slot}`, slot],
          );
      });
      expect((await rowsOf(samples)).read).toBe(before.read);
      expect(await behind()).toBe(201);
    });

    it("also those that came to a Worker that did not count yet", async () => {
      const enrolled = { key: await key(), change: { facts: { agentSha256: OLD } } };
      await use.world.enrol({ ...enrolled, number: 0, name: "web0" });
      await use.world.enrol({ ...enrolled, number: 1, name: "web1" });
      await use.world.enrol({ key: enrolled.key, number: 2, name: "web2" });
      await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
        for (const what of ["came", "went", "changed"]) sql.exec(`DROP TRIGGER agent_${what}`);
        sql.exec("DROP TABLE agents");
        sql.exec(MIGRATIONS[21] ?? "");
      });
      expect(await behind()).toBe(2);
    });
  });

  it("has the kinds of slots add up to the pool", async () => {
    await use.world.enrol();
    const all = await samples();
    const sum = Object.entries(all)
      .filter(([name]) => name.startsWith("meshboot_pool_slots{"))
      .reduce((total, [, value]) => total + value, 0);
    expect(sum).toBe(all["meshboot_pool_size"]);
  });

  it("says for how long what is not taken has waited", async () => {
    await inOwnStores(use.world.object, (stores) =>
      stores.transaction(() => {
        const at = use.world.now() - 90_000;
        stores.outbox.put("copy", "4e8d87c868", at, at + DAY);
        stores.outbox.put("copy", "4e8d87c869", at + 60_000, at + DAY);
      }),
    );
    const found = await samples();
    expect(found['meshboot_outbox_waiting{kind="copy"}']).toBe(2);
    expect(Math.round(found['meshboot_outbox_oldest_seconds{kind="copy"}'] ?? 0)).toBe(90);
    expect(found['meshboot_outbox_oldest_seconds{kind="member"}']).toBe(0);
  });

  it("tells a failing webhook, and a controller that cannot be read", async () => {
    await use.world.admin("POST", "/v1/webhooks", { url: "https://hooks.example.com/a" });
    await runInDurableObject(use.world.object, (_, { storage }) => {
      storage.sql.exec("UPDATE webhooks SET failures = 3");
    });
    use.world.central.fail("GET", "", { kind: "timeout", times: 9 });
    await use.world.object.reconcile();
    expect(await samples()).toMatchObject({
      'meshboot_webhooks{state="failing"}': 1,
      'meshboot_webhooks{state="well"}': 0,
      meshboot_controller_readable: 0,
    });
  });

  it("says how long first boots took from the agent's start to each stage, and how they are", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const tell = (machine: number, news: object) =>
      use.world.call("POST", "/v1/first-boots", {
        token: key,
        body: {
          machineId: `${machine}`.padStart(64, "0"),
          clock: Math.floor(use.world.now() / 1000),
          ...news,
        },
      });
    expect(await samples()).toMatchObject({
      'meshboot_first_boots{state="running"}': 0,
      meshboot_first_boot_standstill_seconds: 0,
    });
    use.world.advance(3_600_000);
    const begun = use.world.now();
    const sinceBegun = () => (use.world.now() - begun) / 1000;
    await tell(0, { state: "running", stage: "fetched" });
    use.world.advance(20_000);
    const { json } = await use.world.enrol({ number: 0, key });
    const enrolled = sinceBegun();
    use.world.advance(10_000);
    await use.world.call("POST", `/v1/nodes/${json["node"]}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "ok", firstBoot: { stage: "containers", state: "done" } },
    });
    const done = sinceBegun();
    await tell(1, { state: "running", stage: "fetched" });
    use.world.advance(600_000);
    await tell(1, { state: "failed", step: "zerotier" });
    const found = await samples();
    expect(found).toMatchObject({
      'meshboot_first_boots{state="running"}': 0,
      'meshboot_first_boots{state="failed"}': 1,
      'meshboot_first_boots{state="done"}': 1,
    });
    const expectBetween = (name: string, least: number, most: number) => {
      expect(found[name]).toBeGreaterThanOrEqual(least);
      expect(found[name]).toBeLessThanOrEqual(most);
    };
    expectBetween('meshboot_first_boot_seconds{stage="enrolled",quantile="0.5"}', 20, enrolled);
    expectBetween('meshboot_first_boot_seconds{stage="containers",quantile="0.9"}', 30, done);
    expectBetween("meshboot_first_boot_standstill_seconds", 600, sinceBegun() - done);
    expect(Object.keys(found).filter((name) => name.startsWith("meshboot_first_boot_seconds"))).toHaveLength(
      10,
    );
  });

  it("names no server, key or address", async () => {
    const key = await use.world.key();
    const { json } = await use.world.enrol({ key, name: "secret-name" });
    const { text } = await use.world.admin("GET", "/metrics");
    for (const word of ["secret-name", String(json["node"]), key, "10.147.", "172.28."])
      expect(text).not.toContain(word);
  });
});
