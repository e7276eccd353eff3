import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../worker/config/limits.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAMES = ["web2", "db1", "web1", "cache", "web10"];
const page = z.object({ items: z.array(z.looseObject({ name: z.string() })), next: z.string().nullable() });

/** The names in the list that the query asks for, page after page. */
async function names(query = ""): Promise<string[]> {
  const seen: string[] = [];
  let cursor = "";
  for (;;) {
    const { items, next } = page.parse(
      (await use.world.admin("GET", `/v1/nodes?limit=2${query}${cursor}`)).json,
    );
    seen.push(...items.map(({ name }) => name));
    if (next === null) return seen;
    cursor = `&cursor=${next}`;
  }
}

/** Servers with the names above, an hour apart, the last first: slots 1 to 5. */
async function enrolAll(): Promise<string[]> {
  const key = await use.world.key({ maxUses: 5 });
  const tokens: string[] = [];
  for (const [number, name] of NAMES.entries()) {
    use.world.advance(HOUR / 2);
    tokens.push(String((await use.world.enrol({ key, number, name })).json["token"]));
  }
  return tokens;
}

const beat = (
  number: number,
  token: string | undefined,
  body: object = { state: "ok" },
  headers = {},
): Promise<Answer> =>
  use.world.call("POST", `/v1/nodes/${identity(number).node}/heartbeat`, { token, body, headers });

describe("the list of nodes", () => {
  it("is in the order that is asked for, page by page, by name unless said otherwise", async () => {
    await enrolAll();
    const sorted = [...NAMES].sort();
    expect(await names()).toEqual(sorted);
    expect(await names("&sort=-name")).toEqual(sorted.toReversed());
    expect(await names("&sort=slot")).toEqual(NAMES);
    expect(await names("&sort=-slot")).toEqual(NAMES.toReversed());
    expect(await names("&sort=lastSeen")).toEqual(NAMES);
    expect(await names("&sort=-lastSeen")).toEqual(NAMES.toReversed());
  });

  it("has no more than is asked for", async () => {
    await enrolAll();
    const query = {
      sort: "name",
      after: undefined,
      state: undefined,
      name: undefined,
      tag: undefined,
      agentNot: undefined,
      key: undefined,
    } as const;
    const { items } = await use.world.object.listNodes({ ...query, limit: 2 });
    expect(items.map(({ name }) => name)).toEqual(["cache", "db1"]);
  });

  it("holds its place when a node goes between two pages, and takes no cursor of another order", async () => {
    await enrolAll();
    const first = page.parse((await use.world.admin("GET", "/v1/nodes?limit=2")).json);
    expect(first.items.map(({ name }) => name)).toEqual(["cache", "db1"]);
    await use.world.admin("DELETE", `/v1/nodes/${identity(1).node}`);
    const second = page.parse((await use.world.admin("GET", `/v1/nodes?limit=9&cursor=${first.next}`)).json);
    expect(second.items.map(({ name }) => name)).toEqual(["web1", "web10", "web2"]);
    for (const cursor of [`${first.next}&sort=slot`, "ab", "abc", "7b7d"]) {
      const { status, json } = await use.world.admin("GET", `/v1/nodes?cursor=${cursor}`);
      expect([cursor, status, json["errors"]]).toEqual([
        cursor,
        400,
        [expect.stringMatching(/^cursor: give/)],
      ]);
    }
  });

  it("has those with a name, of which a part may be left open", async () => {
    await enrolAll();
    expect(await names("&name=web1")).toEqual(["web1"]);
    expect(await names("&name=web*")).toEqual(["web1", "web10", "web2"]);
    expect(await names("&name=*1")).toEqual(["db1", "web1"]);
    expect(await names("&name=web1*1")).toEqual([]);
    expect(await names("&name=w*2&sort=slot")).toEqual(["web2"]);
  });

  it("has those with a name that a key let in, where both are asked for", async () => {
    await use.world.enrol({ name: "web1" });
    const first = z
      .object({ items: z.array(z.object({ id: z.string() })) })
      .parse((await use.world.admin("GET", "/v1/keys")).json).items[0]?.id;
    const key = await use.world.key();
    await use.world.enrol({ key, number: 1, name: "db1" });
    expect(await names(`&key=${first}&name=web1`)).toEqual(["web1"]);
    expect(await names(`&key=${first}&name=db1`)).toEqual([]);
  });

  it("has those with a tag of the key that let them in", async () => {
    const key = await use.world.key({ maxUses: 2, tags: ["web", "eu", "web"] });
    await use.world.enrol({ key });
    await use.world.enrol({ number: 1, name: "db1" });
    expect(await names("&tag=web")).toEqual(["web1"]);
    expect(await names("&tag=we")).toEqual([]);
    expect((await use.world.admin("GET", "/v1/keys")).json).toMatchObject({
      items: [{ tags: ["eu", "web"] }, { tags: [] }],
    });
    expect((await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["tags"]).toEqual([
      "eu",
      "web",
    ]);
    expect((await use.world.admin("POST", "/v1/keys", { tags: ["Web"] })).status).toBe(400);
  });

  it("is looked through for a tag or a part of a name, a thousand nodes a call, and not for a whole name or a state", async () => {
    await use.world.enrol({ name: "zebra" });
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
           INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at)
           SELECT format('%010x', n), 'web-' || format('%06d', n), 1000 + n, 'active', '[]', ?2, ?2 FROM n`,
        2 * LIMITS.nodesLookedThrough,
        use.world.now(),
      );
    });
    await use.world.admin("POST", `/v1/nodes/${identity(0).node}/revoke`);
    const pages = async (query: string): Promise<number[]> => {
      const sizes: number[] = [];
      for (let cursor = ""; ; ) {
        const { items, next } = page.parse(
          (await use.world.admin("GET", `/v1/nodes?limit=5${query}${cursor}`)).json,
        );
        sizes.push(items.length);
        if (next === null) return sizes;
        cursor = `&cursor=${next}`;
      }
    };
    expect(await pages("&tag=eu")).toEqual([0, 0, 0]);
    expect(await pages("&name=z*a")).toEqual([0, 0, 1]);
    expect(await pages("&name=z*a&sort=-name")).toEqual([1, 0, 0]);
    expect(await pages("&name=zebra")).toEqual([1]);
    expect(await pages("&state=revoked")).toEqual([1]);
  });

  it("has those in a state, and what /healthz counts are as many", async () => {
    const tokens = await enrolAll();
    const waiting = await use.world.key({ approval: true });
    await use.world.enrol({ key: waiting, number: 5, name: "waits" });
    await use.world.admin("PUT", `/v1/nodes/${identity(6).node}`, { name: "by-hand" });
    await use.world.admin("POST", `/v1/nodes/${identity(3).node}/revoke`);
    use.world.advance(7 * DAY - 3 * HOUR);
    await beat(1, tokens[1]);
    use.world.advance(3 * HOUR);
    await beat(2, tokens[2]);
    await beat(4, tokens[4], { state: "failed", step: "dockerd" });
    use.world.advance(HOUR);
    const states = ["pending", "active", "offline", "stale", "revoked", "failed"];
    const listed = Object.fromEntries(
      await Promise.all(states.map(async (state) => [state, await names(`&state=${state}`)])),
    );
    expect(listed).toEqual({
      pending: ["waits"],
      active: ["web1", "web10"],
      offline: ["db1"],
      stale: ["by-hand", "web2"],
      revoked: ["cache"],
      failed: ["web10"],
    });
    const { nodes } = (await use.world.call("GET", "/healthz", { token: ADMIN })).json;
    expect(nodes).toEqual({ pending: 1, active: 2, offline: 1, stale: 2, revoked: 1, failed: 1 });
    expect((await use.world.health()).json).not.toHaveProperty("nodes");
  });

  it("names the step at which a server stopped, until it reports that all is well", async () => {
    const [token] = await enrolAll();
    const failed = async () => (await use.world.admin("GET", "/v1/nodes?name=web2")).json["items"];
    await beat(0, token, { state: "failed", step: "dockerd", log: "no" });
    expect(await failed()).toMatchObject([
      { state: "active", failed: { step: "dockerd", at: expect.any(String) } },
    ]);
    await beat(0, token);
    expect(await failed()).toMatchObject([{ state: "active", failed: null }]);
  });

  it("has where each server called from last", async () => {
    const enrolled = await use.world.enrol({ headers: { "CF-Connecting-IP": "192.0.2.7" } });
    const address = async () =>
      (await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["address"];
    expect(await address()).toBe("192.0.2.7");
    const token = String(enrolled.json["token"]);
    await beat(0, token, { state: "ok" }, { "CF-Connecting-IP": "2001:DB8:0::7" });
    expect(await address()).toBe("2001:db8::7");
    await beat(0, token, { state: "ok" }, { "CF-Connecting-IP": "<script>" });
    expect(await address()).toBe("2001:db8::7");
  });
});

describe("a parameter that a call does not have", () => {
  it.each([
    ["GET", "/v1/nodes?stat=pending", "stat"],
    ["GET", "/v1/nodes?limit=2&State=pending", "State"],
    ["GET", "/v1/keys?state=valid", "state"],
    ["GET", "/v1/pool?x=1", "x"],
    ["GET", `/v1/nodes/${identity(0).node}?full`, "full"],
    ["POST", `/v1/nodes/${identity(0).node}/revoke?dryRun=true`, "dryRun"],
    ["DELETE", `/v1/nodes/${identity(0).node}?dryrun=true`, "dryrun"],
  ])("is refused by %s %s, and nothing is done", async (method, path, name) => {
    await use.world.enrol();
    const { status, json } = await use.world.admin(method, path);
    expect([status, json["errors"]]).toEqual([
      400,
      [`${name}: there is no such parameter; /openapi.json lists them`],
    ]);
    expect((await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["state"]).toBe("active");
  });

  it("is refused with the choices, when its value is none of them", async () => {
    for (const query of ["state=activ", "sort=id", "name=a*b*", "tag=A", "limit=0", "limit=x"])
      expect([query, (await use.world.admin("GET", `/v1/nodes?${query}`)).status]).toEqual([query, 400]);
  });
});
