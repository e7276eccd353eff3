// What servers tell of their first boots: with the key, without it, and as nodes; and who may see it.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { hexFromBytes } from "../../worker/base/hex.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { BootBudget } from "../../worker/network/boot-budget.ts";
import { MIGRATIONS } from "../../worker/store/migrations.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const STRANGE = "mbk_0123456789abcdefghijkl";

const page = z.object({
  items: z.array(
    z.object({
      key: z.string(),
      machineId: z.string(),
      node: z.string().nullable(),
      name: z.string().nullable(),
      address: z.string().nullable(),
      state: z.string(),
      step: z.string().nullable(),
      stages: z.array(z.object({ stage: z.string(), at: z.string().nullable() })),
      clockAhead: z.number().nullable(),
      log: z.string().nullable(),
      lastAt: z.string(),
    }),
  ),
  next: z.string().nullable(),
});

const listed = async (query = "") =>
  page.parse((await use.world.admin("GET", `/v1/first-boots${query}`)).json).items;
const machine = (number: number | string) => `${number}`.padStart(64, "0");
const clock = () => Math.floor(use.world.now() / 1000);

/** A report of machine `number`. */
const bodyOf = (news: object, number: number | string = 0) => ({
  ...{ machineId: machine(number), name: `web${number}`, clock: clock() },
  ...news,
});
const FETCHED = { state: "running", stage: "fetched" };
const PACKAGES = { state: "running", stage: "packages" };
const FAILED = { state: "failed", step: "zerotier", log: "zerotier: failed: no route\n" };

const tell = (key: string, news: object, number: number | string = 0) =>
  use.world.call("POST", "/v1/first-boots", {
    token: key,
    body: bodyOf(news, number),
    headers: { "CF-Connecting-IP": "192.0.2.7" },
  });

const beat = (token: unknown, body: object) =>
  use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, { token: String(token), body });
const reached = (stage: string, state = "running") => ({ state: "ok", firstBoot: { stage, state } });

/** The proof that a machine sends in place of the key, made here by the platform's own HMAC. */
async function prove(key: string, body: string): Promise<string> {
  const hash = await sha256Hex(key);
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", bytes.encode(hash), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", secret, bytes.encode(`meshboot-first-boot-v1\n${body}`));
  return `Meshboot-Proof ${hash.slice(0, 16)}.${hexFromBytes(new Uint8Array(mac))}`;
}

const tellProven = async (key: string, body: object, sent = body) =>
  use.world.call("POST", "/v1/first-boots", {
    body: JSON.stringify(sent),
    headers: { Authorization: await prove(key, JSON.stringify(body)) },
  });

const count = () =>
  runInDurableObject(
    use.world.object,
    (_, { storage: { sql } }) => sql.exec("SELECT count(*) AS n FROM first_boots").one()["n"],
  );

describe("a first boot", () => {
  it("is told stage by stage, from the first second to its end", async () => {
    const begun = use.world.now();
    const key = await use.world.key();
    const steps: (() => Promise<unknown>)[] = [
      () => tell(key, FETCHED),
      () => tell(key, PACKAGES),
      async () => use.world.enrol({ key }),
    ];
    for (const step of steps) {
      use.world.advance(MINUTE);
      await step();
    }
    const { json } = await use.world.enrol({ key });
    for (const body of [
      reached("mesh"),
      reached("docker"),
      { ...reached("containers", "done"), log: "report: reports\n" },
    ]) {
      use.world.advance(MINUTE);
      expect((await beat(json["token"], body)).status).toBe(200);
    }
    const [boot, ...others] = await listed();
    expect(others).toEqual([]);
    expect(boot).toMatchObject({
      ...{ node: identity(0).node, name: "web1", state: "done", step: null },
      ...{ machineId: machine(0), log: "report: reports\n" },
    });
    const minutes = boot?.stages.map(({ stage, at }) => [
      stage,
      Math.round((Date.parse(at ?? "") - begun) / MINUTE),
    ]);
    expect(Object.fromEntries(minutes ?? [])).toEqual({
      ...{ made: 0, fetched: 1, packages: 2, enrolled: 3, approved: 3 },
      ...{ mesh: 4, docker: 5, containers: 6 },
    });
    expect(minutes?.map(([stage]) => stage)).toEqual([
      ...["made", "fetched", "packages", "enrolled", "approved", "mesh", "docker", "containers"],
    ]);
  });

  it("that fails before it enrols is found with its step, its log and where it is", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    expect((await tell(key, { ...FAILED, log: `key ${key} is bad\n` })).status).toBe(204);
    expect(await listed()).toMatchObject([
      { state: "failed", step: "zerotier", node: null, address: "192.0.2.7", log: "key mbk_… is bad\n" },
    ]);
    // One that was slower on its way.
    await tell(key, FETCHED);
    expect(await listed()).toMatchObject([{ state: "failed", step: "zerotier" }]);
    await tell(key, PACKAGES);
    expect(await listed()).toMatchObject([{ state: "running", step: null }]);
  });

  it("has the name that the server has in the mesh, whatever it calls itself", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    expect(await listed()).toMatchObject([{ name: "web0" }]);
    await use.world.enrol({ key });
    await use.world.admin("PATCH", `/v1/nodes/${identity(0).node}`, { name: "db1" });
    expect(await listed()).toMatchObject([{ name: "db1" }]);
  });

  it("that fails as a node is found by its heartbeat; a failure once it was done is none of it", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    const token = (await use.world.enrol({ key })).json["token"];
    await beat(token, { state: "failed", step: "docker", log: "docker: failed\n" });
    expect(await listed()).toMatchObject([{ state: "failed", step: "docker", log: "docker: failed\n" }]);
    await beat(token, reached("containers", "done"));
    await beat(token, { state: "failed", step: "routes", log: "routes: failed\n" });
    expect(await listed()).toMatchObject([{ state: "done", step: null, log: "docker: failed\n" }]);
  });

  it("waits at `enrolled` until the operator approves", async () => {
    const key = await use.world.key({ approval: true });
    await tell(key, FETCHED);
    expect((await use.world.enrol({ key })).status).toBe(202);
    const at = async (stage: string) =>
      (await listed())[0]?.stages.find((one) => one.stage === stage)?.at ?? null;
    expect([await at("enrolled"), await at("approved")]).toEqual([expect.any(String), null]);
    use.world.advance(MINUTE);
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/approve`, {});
    const waited = Date.parse((await at("approved")) ?? "") - Date.parse((await at("enrolled")) ?? "");
    expect(Math.round(waited / MINUTE)).toBe(1);
  });

  it("is not approved by what the server says of itself, and stands where it stood once that is out", async () => {
    const key = await use.world.key({ approval: true });
    await tell(key, FETCHED);
    const token = (await use.world.enrol({ key })).json["token"];
    const reachedNow = async () =>
      (await listed())[0]?.stages.flatMap(({ stage, at }) => (at === null ? [] : [stage]));
    const says = [
      reached("containers", "done"),
      { state: "failed", step: "docker", log: "docker: failed\n" },
    ];
    for (const body of says) await beat(token, body);
    expect(await reachedNow()).toEqual(["made", "fetched", "packages", "enrolled"]);
    expect(await listed()).toMatchObject([{ state: "failed", step: "docker" }]);
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/revoke`);
    for (const body of says) await beat(token, body);
    expect(await reachedNow()).toEqual(["made", "fetched", "packages", "enrolled"]);
  });

  it("of which no report came before the lease has its times of the lease", async () => {
    const token = (await use.world.enrol()).json["token"];
    use.world.advance(MINUTE);
    await beat(token, reached("mesh"));
    const [boot] = await listed();
    const times = boot?.stages.flatMap(({ stage, at }) =>
      at === null ? [] : [[stage, Date.parse(at)] as const],
    );
    const { enrolled = 0, mesh = 0, ...before } = Object.fromEntries(times ?? []);
    expect(Math.round((mesh - enrolled) / MINUTE)).toBe(1);
    expect(Object.keys(before).sort()).toEqual(["approved", "fetched", "made", "packages"]);
  });

  it("of which no report came before the lease has no stage before its key was made", async () => {
    await use.world.enrol();
    use.world.advance(DAY);
    const key = await use.world.key();
    const token = (await use.world.enrol({ key })).json["token"];
    await beat(token, reached("mesh"));
    const [boot] = await listed();
    const times = boot?.stages.flatMap(({ at }) => (at === null ? [] : [Date.parse(at)])) ?? [];
    expect(times).toHaveLength(6);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("is no word of how it ends while it runs: neither that all is set up, nor, coming late, that nothing failed", async () => {
    const token = (await use.world.enrol()).json["token"];
    const node = async () => (await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json;
    await beat(token, reached("mesh"));
    expect(await node()).toMatchObject({ report: null, reportedAt: null, failed: null });
    await beat(token, { state: "failed", step: "docker", log: "docker: failed: no space\n" });
    await beat(token, reached("mesh"));
    expect(await node()).toMatchObject({ report: { state: "failed" }, failed: { step: "docker" } });
    await beat(token, reached("containers", "done"));
    expect(await node()).toMatchObject({ report: { state: "ok" }, failed: null });
  });

  it("begins anew when the server has left the mesh and comes again", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    const token = (await use.world.enrol({ key })).json["token"];
    await beat(token, reached("containers", "done"));
    use.world.advance(HOUR);
    await tell(key, FETCHED);
    const [boot] = await listed();
    expect(boot).toMatchObject({ state: "running", node: null });
    expect(boot?.stages.filter(({ at }) => at !== null).map(({ stage }) => stage)).toEqual([
      "made",
      "fetched",
    ]);
  });

  it("leaves the key as it was, and no event", async () => {
    const key = await use.world.key();
    const before = [await use.world.admin("GET", "/v1/keys"), await use.world.admin("GET", "/v1/events")];
    await tell(key, FETCHED);
    await tell(key, FAILED);
    const after = [await use.world.admin("GET", "/v1/keys"), await use.world.admin("GET", "/v1/events")];
    expect(after.map(({ text }) => text)).toEqual(before.map(({ text }) => text));
    expect((await use.world.enrol({ key })).status).toBe(200);
  });
});

describe("a report is refused", () => {
  const type = async (answer: ReturnType<typeof tell>) => (await answer).json["type"];

  it("with a key that nobody made, that expired, that was taken back, or none", async () => {
    expect(await type(tell(STRANGE, FETCHED))).toBe("/problems/unknown-key");
    expect((await use.world.call("POST", "/v1/first-boots", { body: bodyOf(FETCHED) })).status).toBe(401);
    const expired = await use.world.key({ expiresIn: 60 });
    use.world.advance(HOUR);
    expect(await type(tell(expired, FETCHED))).toBe("/problems/key-expired");
    const back = await use.world.key();
    const [{ id = "" } = {}] = z
      .object({ items: z.array(z.object({ id: z.string(), state: z.string() })) })
      .parse((await use.world.admin("GET", "/v1/keys")).json)
      .items.filter(({ state }) => state === "valid");
    await use.world.admin("POST", `/v1/keys/${id}/revoke`, {});
    expect(await type(tell(back, FETCHED))).toBe("/problems/key-revoked");
    expect(await count()).toBe(0);
  });

  it("with a spent key, but for a machine that came in by it", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    await use.world.enrol({ key });
    expect((await tell(key, FAILED)).status).toBe(204);
    expect(await type(tell(key, FETCHED, 1))).toBe("/problems/key-spent");
    use.world.advance(8 * DAY);
    expect((await tell(key, PACKAGES)).status).toBe(204);
  });

  it.each([
    ["a stage that only a node can tell of", { state: "running", stage: "mesh" }],
    ["a stage that there is not", { state: "running", stage: "lunch" }],
    ["more log than 4 KiB", { ...FAILED, log: "x".repeat(4097) }],
    ["a step without end", { ...FAILED, step: "x".repeat(65) }],
    ["a machine id that is none", { ...FETCHED, machineId: "web" }],
  ])("for %s", async (_, news) => {
    expect((await tell(await use.world.key(), news)).json["type"]).toBe("/problems/bad-request");
  });

  it("of more than 40 KiB", async () => {
    const key = await use.world.key();
    const answer = await tell(key, { ...FETCHED, more: "x".repeat(41_000) });
    expect(answer.json["type"]).toBe("/problems/body-too-large");
  });
});

describe("a report without the key", () => {
  it("is known for the key's, with how far the machine's clock is off", async () => {
    const key = await use.world.key();
    const answer = await tellProven(key, { ...bodyOf(FAILED), clock: clock() - 400 * 86_400 });
    expect(answer.status).toBe(204);
    const [boot] = await listed();
    expect(boot).toMatchObject({ state: "failed", name: "web0" });
    expect(Math.round((boot?.clockAhead ?? 0) / 86_400)).toBe(-400);
  });

  it("is taken once, and none that is older", async () => {
    const key = await use.world.key();
    const body = { ...bodyOf(FAILED), clock: 1000 };
    expect((await tellProven(key, body)).status).toBe(204);
    for (const again of [body, { ...body, clock: 999 }]) {
      const refused = await tellProven(key, again);
      expect([refused.status, refused.json["detail"]]).toEqual([401, expect.stringContaining("taken once")]);
    }
    expect((await tellProven(key, { ...bodyOf(PACKAGES), clock: 1001 })).status).toBe(204);
    // Within the same second.
    expect((await tellProven(key, { ...body, clock: 1001 })).status).toBe(204);
    expect((await tellProven(key, { ...body, clock: 1001 })).status).toBe(401);
  });

  it("has no other boot forgotten, and none is taken again for that: a key's own reports go before it", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const first = { ...bodyOf(FAILED), clock: 1000 };
    const second = { ...first, machineId: machine(1) };
    const third = { ...first, machineId: machine(2) };
    expect((await tellProven(key, first)).status).toBe(204);
    expect((await tellProven(key, second)).status).toBe(204);
    const refused = await tellProven(key, third);
    expect([refused.status, refused.json["detail"]]).toEqual([429, expect.stringContaining("go on without")]);
    await tell(key, FETCHED, 2);
    const kept = async () => (await listed()).map(({ machineId }) => machineId);
    expect(await kept()).toEqual([machine(2), machine(1)]);
    expect((await tellProven(key, first)).status).toBe(429);
    expect((await tellProven(key, { ...third, clock: 1001 })).status).toBe(204);
    expect(await kept()).toEqual([machine(2), machine(1)]);
  });

  it("is not taken again after a month without a word, while the key is good", async () => {
    const key = await use.world.key({ expiresIn: 60 * 86_400, maxUses: 2 });
    const body = { ...bodyOf(FAILED), clock: 1000 };
    await tellProven(key, body);
    await tell(key, FAILED, 1);
    use.world.advance(31 * DAY);
    await use.world.object.reconcile();
    expect((await listed()).map(({ machineId }) => machineId)).toEqual([machine(0)]);
    expect((await tellProven(key, body)).status).toBe(401);
    use.world.advance(31 * DAY);
    await use.world.object.reconcile();
    expect(await count()).toBe(0);
  });

  it("has none of another key's forgotten", async () => {
    const key = await use.world.key();
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      for (let number = 0; number < LIMITS.firstBoots; number++)
        sql.exec(
          "INSERT INTO first_boots (key_id, machine_id, state, stages, at) VALUES (?, 'm', 'done', '{}', ?)",
          `${number}`,
          use.world.now(),
        );
    });
    expect((await tellProven(key, bodyOf(FAILED))).status).toBe(429);
    await tell(key, FAILED);
    expect(await count()).toBe(LIMITS.firstBoots);
    expect((await listed())[0]?.machineId).toBe(machine(0));
  });

  it("that was taken before proofs had a place within a second is not taken again", async () => {
    const key = await use.world.key();
    const body = { ...bodyOf(FAILED), clock: 1000 };
    await tellProven(key, body);
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      sql.exec("UPDATE first_boots SET proven_at = 1000");
      const move = /UPDATE first_boots.*;/.exec(MIGRATIONS[21] ?? "")?.[0];
      sql.exec(move ?? "");
    });
    expect((await tellProven(key, body)).status).toBe(401);
    expect((await tellProven(key, { ...body, clock: 1001 })).status).toBe(204);
  });

  it("is taken once also when it says only what was told before", async () => {
    const key = await use.world.key();
    const body = { ...bodyOf(FAILED), clock: 1000 };
    await tell(key, FAILED);
    expect((await tellProven(key, body)).status).toBe(204);
    await tell(key, PACKAGES);
    expect((await tellProven(key, body)).status).toBe(401);
    expect(await listed()).toMatchObject([{ state: "running" }]);
  });

  it("is refused when a word of it was changed, or when it is another key's", async () => {
    const [key, other] = [await use.world.key(), await use.world.key()];
    const body = bodyOf(FAILED);
    expect((await tellProven(key, body, { ...body, step: "docker" })).json["type"]).toBe(
      "/problems/unknown-key",
    );
    const proof = await prove(other, JSON.stringify(body));
    const mine = (await sha256Hex(key)).slice(0, 16);
    const answer = await use.world.call("POST", "/v1/first-boots", {
      body: JSON.stringify(body),
      headers: { Authorization: proof.replace(/ [0-9a-f]{16}/, ` ${mine}`) },
    });
    expect(answer.json["type"]).toBe("/problems/unknown-key");
    expect(await count()).toBe(0);
  });

  it("is not taken of a server that is in, and lets nobody in", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    const body = await use.world.body();
    const proof = await prove(key, JSON.stringify(body));
    const enrolled = await use.world.call("POST", "/v1/enroll", { body, headers: { Authorization: proof } });
    expect(enrolled.status).toBe(401);
    await use.world.enrol({ key });
    expect((await tellProven(key, { ...bodyOf(FAILED), clock: clock() + 9 })).status).toBe(401);
    expect(await listed()).toMatchObject([{ state: "running" }]);
  });
});

describe("of first boots", () => {
  it("a key has one for each machine that it lets in, the newest, and writes into no other key's", async () => {
    const [one, two] = [await use.world.key(), await use.world.key({ maxUses: 2 })];
    await tell(two, FETCHED, 1);
    await tell(one, FETCHED, 1);
    await tell(one, FETCHED, 2);
    await tell(two, FETCHED, 3);
    await tell(two, FETCHED, 4);
    const [first] = await listed();
    const keys = (await listed()).map(({ key, machineId }) => [
      key === first?.key ? "two" : "one",
      Number(machineId),
    ]);
    expect(keys).toEqual([
      ["two", 4],
      ["two", 3],
      ["one", 2],
    ]);
    expect((await listed(`?key=${first?.key}`)).map(({ machineId }) => Number(machineId))).toEqual([4, 3]);
  });

  it("a key for a thousand servers has so many and no more", async () => {
    const key = await use.world.key({ maxUses: 1000 });
    for (let number = 0; number < LIMITS.firstBootsOfKey + 3; number++) await tell(key, FETCHED, number);
    expect(await count()).toBe(LIMITS.firstBootsOfKey);
  });

  it("and no more with those of nodes that told nothing before they were in", async () => {
    const key = await use.world.key({ maxUses: 1000 });
    for (let number = 1; number <= LIMITS.firstBootsOfKey; number++) await tell(key, FETCHED, number);
    await beat((await use.world.enrol({ key })).json["token"], reached("mesh"));
    expect(await count()).toBe(LIMITS.firstBootsOfKey);
    expect((await listed())[0]?.node).toBe(identity(0).node);
  });

  it("the oldest are forgotten, and those that were silent for a month", async () => {
    const key = await use.world.key({ expiresIn: 90 * 86_400 });
    await tell(key, FETCHED);
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      for (let number = 0; number < LIMITS.firstBoots; number++)
        sql.exec(
          "INSERT INTO first_boots (key_id, machine_id, state, stages, at) VALUES (?, 'm', 'done', '{}', ?)",
          `${number}`,
          use.world.now(),
        );
    });
    await tell(key, FETCHED, 1);
    expect(await count()).toBe(LIMITS.firstBoots);
    expect((await listed("?limit=200")).map(({ machineId }) => machineId)).not.toContain(machine(0));
    use.world.advance(20 * DAY);
    await tell(key, PACKAGES, 1);
    use.world.advance(11 * DAY);
    const runs = Math.ceil(LIMITS.firstBoots / LIMITS.firstBootsForgotten);
    await use.world.object.reconcile();
    expect(await count()).toBe(LIMITS.firstBoots - LIMITS.firstBootsForgotten);
    for (let run = 1; run < runs; run++) await use.world.object.reconcile();
    expect((await listed()).map(({ machineId }) => machineId)).toEqual([machine(1)]);
  });

  it("the same report again is not written within ten minutes", async () => {
    const key = await use.world.key();
    await tell(key, FETCHED);
    const at = async () => (await listed())[0]?.lastAt;
    await tell(key, FAILED);
    const first = await at();
    use.world.advance(MINUTE);
    await tell(key, FAILED);
    expect(await at()).toBe(first);
    use.world.advance(LIMITS.bootAgainMs);
    await tell(key, FAILED);
    expect(await at()).not.toBe(first);
  });

  it("so many reports are written an hour, of a key and of all", () => {
    const budget = new BootBudget(3, 5);
    const take = (key: string, at: number) => budget.take(key, at);
    expect([1, 2, 3, 4].map(() => take("a", HOUR - 10))).toEqual([undefined, undefined, undefined, 10]);
    expect([1, 2, 3].map(() => take("b", HOUR - 10))).toEqual([undefined, undefined, 10]);
    expect(take("a", HOUR)).toBeUndefined();
  });

  it("whoever has used up the hour is told to go on without", async () => {
    const key = await use.world.key();
    for (let number = 0; number < LIMITS.bootReportsOfKeyAnHour; number++)
      expect((await tell(key, FETCHED, number)).status).toBe(204);
    const refused = await tell(key, FETCHED, "f");
    expect([refused.status, refused.json["detail"]]).toEqual([429, expect.stringContaining("go on without")]);
    expect((await tell(await use.world.key(), FETCHED)).status).toBe(204);
  });

  it("are read page by page, and of a node", async () => {
    const key = await use.world.key({ maxUses: 9 });
    for (const number of [0, 1, 2]) await tell(key, FETCHED, number);
    await use.world.enrol({ key });
    const first = page.parse((await use.world.admin("GET", "/v1/first-boots?limit=2")).json);
    const second = page.parse(
      (await use.world.admin("GET", `/v1/first-boots?limit=2&cursor=${first.next}`)).json,
    );
    const numbers = [...first.items, ...second.items].map(({ machineId }) => Number(machineId));
    expect([numbers, second.next]).toEqual([[2, 1, 0], null]);
    expect(await listed(`?node=${identity(0).node}`)).toMatchObject([{ machineId: machine(0) }]);
    expect(await listed(`?node=${identity(1).node}`)).toEqual([]);
    expect((await use.world.admin("GET", "/v1/first-boots?cursor=7b7d")).status).toBe(400);
  });

  it.each([
    ["read", 200],
    ["keys", 200],
    ["nodes", 403],
  ])("an operator sees what there is with the scope %s: %i", async (scope, status) => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: [scope] });
    const token = String(json["token"]);
    expect((await use.world.call("GET", "/v1/first-boots", { token })).status).toBe(status);
  });

  it("nobody sees any with the key of one", async () => {
    const key = await use.world.key();
    expect((await use.world.call("GET", "/v1/first-boots", { token: key })).status).toBe(403);
    expect((await use.world.call("GET", "/v1/first-boots")).status).toBe(401);
  });
});
