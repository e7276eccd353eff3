import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../worker/config/limits.ts";
import { RefusalBudget } from "../../worker/network/refusal-budget.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const STRANGE = "mbk_0123456789abcdefghijkl";
const page = z.object({
  items: z.array(z.looseObject({ problem: z.string(), node: z.string(), lastAt: z.string() })),
  next: z.string().nullable(),
});

const listed = async () => page.parse((await use.world.admin("GET", "/v1/refusals")).json).items;
const keyIds = async () =>
  (await use.world.admin("GET", "/v1/keys")).text.match(/(?<="id":")[0-9a-f]{16}/g) ?? [];
const from = (address: string) => ({ "CF-Connecting-IP": address });

describe("a refused enrolment", () => {
  it("is found in the list and in the log, with problem, key, name, node and address", async () => {
    const key = await use.world.key();
    await use.world.enrol({ key });
    const [id] = await keyIds();
    await use.world.enrol({ key, number: 1, name: "web2", headers: from("192.0.2.7") });
    const [refusal] = await listed();
    expect(refusal).toEqual({
      problem: "/problems/key-spent",
      node: identity(1).node,
      name: "web2",
      key: id,
      address: "192.0.2.7",
      about: null,
      firstAt: expect.any(String),
      lastAt: refusal?.lastAt,
    });
    const lines = use.world.log.filter((line) => line.includes('"event":"enrolment-refused"'));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        ...{ event: "enrolment-refused", problem: "key-spent", key: id, node: identity(1).node },
        ...{ name: "web2", address: "192.0.2.7" },
      },
    ]);
    expect(use.world.log.at(-2)).toContain('"status":403,"problem":"key-spent"');
  });

  it("is kept with what it was about", async () => {
    const key = await use.world.key({ maxUses: 9 });
    await use.world.enrol({ key, change: { localPrefixes: ["172.28.3.0/24"] } });
    await use.world.enrol({ key, number: 1, timestamp: Math.floor(use.world.now() / 1000) - 2000 });
    await use.world.enrol({ key, number: 2, host: "elsewhere.example.com" });
    use.world.advance(60_000);
    use.world.central.network.config.private = false;
    await use.world.enrol({ key, number: 3 });
    const about = Object.fromEntries((await listed()).map(({ problem, about }) => [problem, about]));
    expect(about).toEqual({
      "/problems/overlap": "172.28.3.0/24",
      "/problems/clock-skew": expect.stringMatching(/^-20\d\d s$/),
      "/problems/invalid-signature": "mesh.example.com",
      "/problems/network-unfit": expect.stringContaining("Access Control"),
    });
  });

  it("is kept with no more of it than 300 characters", async () => {
    use.world.central.network.config.routes.push(
      ...Array.from({ length: 5 }, (_, n) => ({ target: "172.16.0.0/12", via: `10.147.17.${250 + n}` })),
    );
    await use.world.enrol();
    const [refusal] = await listed();
    expect(refusal?.problem).toBe("/problems/network-unfit");
    expect(String(refusal?.["about"])).toHaveLength(300);
  });

  it("of a server that asks again and again is one, with the times of the first and the last", async () => {
    const key = await use.world.key({ expiresIn: 60 });
    use.world.advance(HOUR);
    for (let time = 0; time < 12; time++) {
      await use.world.enrol({ key });
      use.world.advance(HOUR / 12);
    }
    const [refusal, ...others] = await listed();
    expect(others).toEqual([]);
    // Not written again within ten minutes.
    await use.world.enrol({ key });
    const written = await listed();
    use.world.advance(HOUR / 12);
    await use.world.enrol({ key });
    expect(await listed()).toEqual(written);
    expect(Date.parse(refusal?.lastAt ?? "") - Date.parse(String(refusal?.["firstAt"]))).toBeGreaterThan(
      HOUR / 2,
    );
  });

  it("that comes again has the name, the address and what it was about the last time", async () => {
    const key = await use.world.key();
    for (const [n, name] of ["web1", "web2"].entries()) {
      const change = { localPrefixes: [`172.28.${n}.0/24`] };
      await use.world.enrol({ key, name, change, headers: from(`192.0.2.${n}`) });
      use.world.advance(HOUR);
    }
    expect(await listed()).toMatchObject([{ name: "web2", address: "192.0.2.1", about: "172.28.1.0/24" }]);
  });

  it("that passes by itself is forgotten when the server comes in; one that does not, stays", async () => {
    const key = await use.world.key();
    use.world.central.fail("GET", "/network", { kind: "status", status: 500 });
    await use.world.enrol({ key });
    await use.world.enrol({ key, change: { localPrefixes: ["172.28.3.0/24"] } });
    expect((await listed()).map(({ problem }) => problem)).toEqual([
      "/problems/overlap",
      "/problems/controller-unreachable",
    ]);
    expect((await use.world.enrol({ key })).status).toBe(200);
    expect((await listed()).map(({ problem }) => problem)).toEqual(["/problems/overlap"]);
  });

  it("of a stranger costs nothing before the object, and says no more than that the key is unknown", async () => {
    await use.world.enrol({ key: STRANGE, timestamp: 1 });
    expect(await listed()).toEqual([]);
    await use.world.enrol({ key: STRANGE });
    expect(await listed()).toMatchObject([{ problem: "/problems/unknown-key", key: null }]);
    expect(use.world.log.join("\n")).not.toContain(STRANGE);
  });

  it("is answered all the same, and with no word of the list, to the server", async () => {
    const answer = await use.world.enrol({ key: STRANGE });
    expect([answer.status, answer.json["type"]]).toEqual([401, "/problems/unknown-key"]);
  });
});

describe("the list of refusals", () => {
  /** Puts in what the budget would let in over many hours. */
  const fill = (count: number, keyId: string, timeOf = (at: number) => at) =>
    runInDurableObject(use.world.object, (_, state) => {
      for (let at = 0; at < count; at++)
        state.storage.sql.exec(
          "INSERT INTO refusals VALUES (?, 'key-spent', ?, 'web', NULL, NULL, ?, ?)",
          at.toString(16).padStart(10, "0"),
          keyId,
          timeOf(at),
          timeOf(at),
        );
    });

  it.each([
    ["one after another", (at: number) => at],
    ["all at once", () => 7],
  ])("is read page by page, the latest first: %s", async (_, timeOf) => {
    await use.world.key();
    await fill(5, "0123456789abcdef", timeOf);
    const nodes: string[] = [];
    let cursor = "";
    for (;;) {
      const { items, next } = page.parse(
        (await use.world.admin("GET", `/v1/refusals?limit=2${cursor}`)).json,
      );
      nodes.push(...items.map(({ node }) => node));
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(nodes).toEqual([4, 3, 2, 1, 0].map((number) => `000000000${number}`));
    expect((await use.world.admin("GET", "/v1/refusals?cursor=7b7d")).status).toBe(400);
  });

  it("is bounded: strangers' refusals push out their like alone", async () => {
    await use.world.key();
    await fill(LIMITS.refusals, "0123456789abcdef");
    await fill(LIMITS.strangersRefusals, "");
    await use.world.enrol({ key: STRANGE });
    const count = (where: string) =>
      runInDurableObject(
        use.world.object,
        (_, state) => state.storage.sql.exec(`SELECT count(*) AS n FROM refusals WHERE ${where}`).one()["n"],
      );
    expect([await count("key_id = ''"), await count("key_id <> ''")]).toEqual([
      LIMITS.strangersRefusals,
      LIMITS.refusals,
    ]);
    expect(await count("key_id = '' AND problem = 'unknown-key'")).toBe(1);
    const key = await use.world.key({ expiresIn: 60 });
    use.world.advance(HOUR);
    await use.world.enrol({ key });
    expect([await count("key_id = ''"), await count("key_id <> ''")]).toEqual([
      LIMITS.strangersRefusals,
      LIMITS.refusals,
    ]);
  });

  it("takes so many an hour, those of strangers apart", () => {
    const budget = new RefusalBudget(() => 0);
    const taken = (isKnown: boolean, at: number) =>
      Array.from({ length: 100 }, () => budget.take(isKnown, at)).filter(Boolean).length;
    expect([taken(false, 0), taken(false, HOUR - 1), taken(true, 1), taken(false, HOUR)]).toEqual([
      50, 0, 50, 50,
    ]);
  });

  it("takes no more in the hour when it starts anew", async () => {
    const start = Math.ceil(use.world.now() / HOUR) * HOUR;
    use.world.advance(start - use.world.now());
    for (let number = 0; number < LIMITS.refusalsAnHour - 1; number++)
      await runInDurableObject(use.world.object, (_, state) =>
        state.storage.sql.exec(
          "INSERT INTO refusals VALUES (?, 'unknown-key', '', 'web', NULL, NULL, ?, ?)",
          number.toString(16).padStart(10, "0"),
          start,
          start,
        ),
      );
    const noted = async (number: number) => {
      await use.world.crash();
      await use.world.enrol({ key: STRANGE, number });
      return (await listed()).some(({ node }) => node === identity(number).node);
    };
    expect([await noted(1), await noted(2)]).toEqual([true, false]);
    use.world.advance(HOUR);
    expect(await noted(2)).toBe(true);
  });

  it("is for the operator alone", async () => {
    expect((await use.world.call("GET", "/v1/refusals")).status).toBe(401);
    expect((await use.world.call("GET", "/v1/refusals", { token: STRANGE })).status).toBe(403);
  });
});
