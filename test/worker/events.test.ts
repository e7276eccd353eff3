// The audit log: what is in it, how it is read, and that it is bounded.
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { setAuthorized } from "../../scripts/simulated-central/state.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { DEED_ACTIONS, DEED_REASONS } from "../../worker/lease/deed.ts";
import { eventsSchema } from "../../worker/schema/events.ts";
import { countRows, type Rows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { inOwnStores } from "./own-stores.ts";
import { ADMIN, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const OPERATOR = { who: "operator", id: "root" } as const;
const NODE = identity(0).node;
const LINES = { Accept: "application/x-ndjson" };
const idOf = z.looseObject({ id: z.string() });

/** A page of the log. */
const read = async (query = "") => {
  const { status, json } = await use.world.admin("GET", `/v1/events${query}`);
  expect(status).toBe(200);
  return eventsSchema.parse(json);
};

/** What the log says since the event with this id, the oldest first. */
const since = async (id: number) => (await read()).items.filter((event) => event.id > id).reverse();

/** What the log has more once something was done. */
const eventsOf = async (action: () => Promise<unknown>) => {
  const [last] = (await read("?limit=1")).items;
  await action();
  return since(last?.id ?? 0);
};

const keyIds = async () =>
  (await use.world.admin("GET", "/v1/keys")).text.match(/(?<="id":")[0-9a-f]{16}/g) ?? [];
const onNode = (verb: string, body?: unknown) => () =>
  use.world.admin("POST", `/v1/nodes/${NODE}/${verb}`, body);
const member = (number = 0) =>
  use.world.central.network.members.get(identity(number).node) ?? expect.unreachable("there is no member");

/** What each event of the node has besides the action; the others are null. */
const ofNode = {
  node: NODE,
  name: "web1",
  slot: 1,
  state: "active",
  key: null,
  token: null,
  was: null,
  why: null,
};
const event = (action: string, by: object, rest: object) => ({
  id: expect.any(Number),
  at: expect.any(String),
  ...{ by, action, webhook: null },
  ...rest,
});

describe("an event is written", () => {
  it("for a server that comes, and for one that asks again only when something is new of it", async () => {
    const key = await use.world.key({ maxUses: 2 });
    const [id] = await keyIds();
    const by = { who: "node", id: NODE };
    expect(await eventsOf(() => use.world.enrol({ key }))).toEqual([
      event("enrolled", by, { ...ofNode, key: id }),
    ]);
    use.world.advance(2 * HOUR);
    expect(await eventsOf(() => use.world.enrol({ key }))).toEqual([]);
    const other = await use.world.key();
    const ids = await keyIds();
    expect(await eventsOf(() => use.world.enrol({ key: other }))).toEqual([
      event("enrolled", by, { ...ofNode, key: ids.find((one) => one !== id), why: "by-another-key" }),
    ]);
  });

  it("for one that waits, and is let in", async () => {
    const key = await use.world.key({ approval: true });
    const [enrolled] = await eventsOf(() => use.world.enrol({ key }));
    expect(enrolled).toMatchObject({ action: "enrolled", state: "pending" });
    expect(await eventsOf(onNode("approve"))).toEqual([event("approved", OPERATOR, ofNode)]);
  });

  it("for a lease without a proof, its changes, and the proof that comes later", async () => {
    const put = (body: object) => () => use.world.admin("PUT", `/v1/nodes/${NODE}`, body);
    expect(await eventsOf(put({ name: "web1" }))).toEqual([event("assigned", OPERATOR, ofNode)]);
    expect(await eventsOf(put({ name: "web1" }))).toEqual([]);
    const machineId = "0".repeat(64);
    expect(await eventsOf(put({ name: "db1", machineId }))).toEqual([
      event("renamed", OPERATOR, { ...ofNode, name: "db1", was: "web1" }),
      event("assigned", OPERATOR, { ...ofNode, name: "db1", why: "machine-named" }),
    ]);
    expect(await eventsOf(() => use.world.enrol())).toMatchObject([
      { action: "key-made" },
      { action: "enrolled", name: "db1", why: "first-proof" },
    ]);
  });

  it("for what the operator does to a node, once", async () => {
    await use.world.enrol();
    const rename = () => use.world.admin("PATCH", `/v1/nodes/${NODE}`, { name: "web2" });
    const renamed = { ...ofNode, name: "web2" };
    expect(await eventsOf(rename)).toEqual([event("renamed", OPERATOR, { ...renamed, was: "web1" })]);
    expect(await eventsOf(rename)).toEqual([]);
    expect(await eventsOf(onNode("revoke"))).toEqual([
      event("revoked", OPERATOR, { ...renamed, state: "revoked" }),
    ]);
    expect(await eventsOf(onNode("revoke"))).toEqual([]);
    expect(await eventsOf(onNode("approve"))).toEqual([event("approved", OPERATOR, renamed)]);
    const tag =
      (...tags: string[]) =>
      () =>
        use.world.admin("PATCH", `/v1/nodes/${NODE}`, { tags });
    expect(await eventsOf(tag("eu", "db"))).toEqual([event("tagged", OPERATOR, renamed)]);
    expect(await eventsOf(tag("db", "eu"))).toEqual([]);
    expect(await eventsOf(tag("eu"))).toEqual([event("tagged", OPERATOR, { ...renamed, was: "db eu" })]);
    const remove = () => use.world.admin("DELETE", `/v1/nodes/${NODE}`);
    expect(await eventsOf(remove)).toEqual([
      event("released", OPERATOR, { ...renamed, state: "released", why: "deleted" }),
    ]);
    expect(await eventsOf(remove)).toEqual([]);
  });

  it("for a server that leaves, by itself", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    expect(await eventsOf(() => use.world.call("DELETE", `/v1/nodes/${NODE}`, { token }))).toEqual([
      event("released", { who: "node", id: NODE }, { ...ofNode, state: "released" }),
    ]);
  });

  it("for keys, with the nodes that go with one", async () => {
    const none = { node: null, name: null, slot: null, state: null, token: null, was: null, why: null };
    const [made] = await eventsOf(() => use.world.key({ note: "rack 7" }));
    const [id] = await keyIds();
    expect(made).toEqual(event("key-made", OPERATOR, { ...none, key: id }));
    const userData = await use.world.admin("POST", "/v1/user-data", {});
    const { id: ofUserData } = idOf.parse(userData.json["key"]);
    expect(await since(made?.id ?? 0)).toEqual([
      event("user-data-made", OPERATOR, { ...none, key: ofUserData }),
    ]);
    await use.world.enrol({ key: await use.world.key() });
    const used = String((await use.world.admin("GET", `/v1/nodes/${NODE}`)).json["key"]);
    const revoke = () => use.world.admin("POST", `/v1/keys/${used}/revoke`, { nodes: true });
    expect(await eventsOf(revoke)).toEqual([
      event("key-revoked", OPERATOR, { ...none, key: used }),
      event("revoked", OPERATOR, { ...ofNode, state: "revoked", key: used, why: "with-its-key" }),
    ]);
    expect(await eventsOf(revoke)).toEqual([]);
    const remove = () => use.world.admin("DELETE", `/v1/keys/${used}`);
    expect(await eventsOf(remove)).toEqual([event("key-deleted", OPERATOR, { ...none, key: used })]);
    expect(await eventsOf(remove)).toEqual([]);
  });

  it("for user-data with an Idempotency-Key, the first time", async () => {
    const make = () =>
      use.world.call("POST", "/v1/user-data", {
        token: ADMIN,
        body: {},
        headers: { "Idempotency-Key": "order-1" },
      });
    expect(await eventsOf(make)).toMatchObject([{ action: "user-data-made", by: OPERATOR }]);
    expect(await eventsOf(make)).toEqual([]);
  });

  it("for a reserved name, the keys that are made for it, and servers in one another's place", async () => {
    const none = {
      node: null,
      name: "db1",
      slot: 1,
      state: null,
      key: null,
      token: null,
      was: null,
      why: null,
    };
    const reserve = () => use.world.admin("POST", "/v1/reservations", { name: "db1" });
    expect(await eventsOf(reserve)).toEqual([event("reserved", OPERATOR, none)]);
    expect(await eventsOf(reserve)).toEqual([]);
    const key = await use.world.key({ reservation: "db1" });
    const [ofName] = (await read("?limit=1")).items;
    expect(ofName).toEqual(event("key-made", OPERATOR, { ...none, key: ofName?.key }));
    expect(await eventsOf(() => use.world.enrol({ key }))).toMatchObject([
      { action: "enrolled", name: "db1" },
    ]);
    const ordered = await use.world.admin("POST", `/v1/nodes/${NODE}/replace`, {});
    const { key: place } = z
      .object({ key: z.object({ id: z.string(), key: z.string() }) })
      .parse(ordered.json);
    expect((await read("?limit=1")).items).toEqual([
      event("key-made", OPERATOR, { ...none, node: NODE, key: place.id }),
    ]);
    const heir = identity(1).node;
    const [by, lease] = [
      { who: "node", id: heir },
      { ...ofNode, name: "db1" },
    ];
    expect(await eventsOf(() => use.world.enrol({ key: place.key, number: 1 }))).toEqual([
      event("released", by, { ...lease, state: "released", why: "replaced" }),
      event("enrolled", by, { ...lease, node: heir, key: place.id }),
    ]);
    expect(await eventsOf(() => use.world.admin("POST", `/v1/nodes/${heir}/retire`, {}))).toEqual([
      event("released", OPERATOR, { ...lease, node: heir, state: "released", why: "retired" }),
    ]);
    const drop = () => use.world.admin("DELETE", "/v1/reservations/db1");
    const dropped = await eventsOf(drop);
    expect(dropped[0]).toEqual(event("reservation-dropped", OPERATOR, none));
    const revoked = dropped.slice(1).map(({ action, key: id, why }) => [action, id, why]);
    expect(revoked).toEqual(
      [ofName?.key, place.id].sort().map((id) => ["key-revoked", id, "with-its-reservation"]),
    );
    expect(await eventsOf(drop)).toEqual([]);
  });

  it("for what the operator decides at the controller", async () => {
    await use.world.enrol();
    await use.world.settle();
    const by = { who: "controller" };
    const decide = (authorized: boolean) => async () => {
      use.world.advance(HOUR);
      setAuthorized(member(), authorized, use.world.now());
      use.world.advance(HOUR);
      await use.world.object.reconcile();
      await use.world.settle();
    };
    expect(await eventsOf(decide(false))).toEqual([
      event("revoked", by, { ...ofNode, state: "revoked", why: "deauthorized-at-controller" }),
    ]);
    expect(await eventsOf(decide(true))).toEqual([
      event("approved", by, { ...ofNode, why: "authorized-at-controller" }),
    ]);
  });

  it("for a slot that somebody else has taken before it was told", async () => {
    const key = await use.world.key({ approval: true });
    await use.world.enrol({ key });
    use.world.central.network.config.routes.push({ target: "172.28.1.0/24", via: "10.147.17.250" });
    use.world.advance(HOUR);
    expect(await eventsOf(onNode("approve"))).toEqual([
      event("approved", OPERATOR, ofNode),
      event(
        "slot-changed",
        { who: "controller" },
        { ...ofNode, slot: 2, was: "1", why: "slot-held-by-others" },
      ),
    ]);
  });

  it.each([
    ["unseen", {}, 31 * DAY, 12 * HOUR],
    ["unseen-ephemeral", { ephemeralMinutes: 240 }, 6 * HOUR, HOUR],
  ] as const)(
    "for a lease that ends by time: %s",
    async (why, terms, unseen, step) => {
      const token = String((await use.world.enrol({ number: 1, name: "db1" })).json["token"]);
      await use.world.enrol({ key: await use.world.key(terms) });
      await use.world.settle();
      const released = await eventsOf(async () => {
        const pause = Math.min(step, 4 * HOUR);
        for (let ms = 0; ms <= unseen; ms += pause) {
          use.world.advance(pause);
          await use.world.call("POST", `/v1/nodes/${identity(1).node}/heartbeat`, {
            token,
            body: { state: "ok" },
          });
          await use.world.object.reconcile();
        }
      });
      expect(released).toEqual([
        event("released", { who: "cron" }, { ...ofNode, slot: 2, state: "released", why }),
      ]);
    },
    120_000,
  );

  it("with the words that are documented, and no secret", async () => {
    const note = "the rack of the third room";
    const key = await use.world.key({ note });
    const token = String((await use.world.enrol({ key })).json["token"]);
    await use.world.admin("POST", "/v1/user-data", {});
    const { text } = await use.world.admin("GET", "/v1/events");
    for (const secret of [key, token, note, identity(0).identity]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/mb[kna]_|[0-9a-f]{64}/);
    const { components } = z
      .object({ components: z.object({ schemas: z.object({ Event: z.unknown() }) }) })
      .parse((await use.world.call("GET", "/openapi.json")).json);
    const documented = JSON.stringify(components.schemas.Event);
    for (const word of [...DEED_ACTIONS, ...DEED_REASONS]) expect(documented).toContain(`"${word}"`);
  });
});

/** Writes so many events of as many nodes as there are, one after another. */
const fill = (count: number) =>
  runInDurableObject(use.world.object, (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
         INSERT INTO events (at, who, action, node) SELECT n, 'cron', 'released', format('%010x', n) FROM n`,
      count,
    );
  });

const ids = () =>
  runInDurableObject(use.world.object, (_, { storage: { sql } }) =>
    sql
      .exec<{ id: number }>("SELECT id FROM events ORDER BY id")
      .toArray()
      .map(({ id }) => id),
  );

describe("the log", () => {
  it("is empty before anything was done", async () => {
    expect(await read()).toEqual({ items: [], next: null });
  });

  it("is read page by page, the newest first, also while more is written", async () => {
    await fill(5);
    const found: number[] = [];
    for (let cursor = ""; ; ) {
      const { items, next } = await read(`?limit=2${cursor}`);
      found.push(...items.map(({ id }) => id));
      await use.world.key();
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(found).toEqual([5, 4, 3, 2, 1]);
    for (const cursor of ["7b7d", "2d31", "302e35"])
      expect((await use.world.admin("GET", `/v1/events?cursor=${cursor}`)).status).toBe(400);
  });

  it("is given a line each, with the next page in a header", async () => {
    await fill(3);
    const ask = (path: string) => use.world.call("GET", path, { token: ADMIN, headers: LINES });
    const first = await ask("/v1/events?action=released&limit=2");
    expect(first.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(first.headers.get("Cache-Control")).toBe("no-store");
    const { items } = await read("?limit=2");
    expect(first.text).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(""));
    const link = first.headers.get("Link") ?? "";
    const [, path = ""] =
      /^<https:\/\/mesh\.example\.com(\/v1\/events\?[^>]*)>; rel="next"$/.exec(link) ??
      expect.unreachable(link);
    expect(path).toContain("action=released&limit=2&cursor=");
    const last = await ask(path);
    expect(last.text).toMatch(/^\{"id":1,[^\n]*\}\n$/);
    expect(last.headers.get("Link")).toBeNull();
    expect((await ask("/v1/events?limit=0")).json["type"]).toBe("/problems/bad-request");
  });

  it("is looked through for a node or an action, a thousand events a call", async () => {
    const many = 2 * LIMITS.eventsLookedThrough + 1;
    await fill(many);
    const oldest = "0000000001";
    const pages: number[] = [];
    for (let cursor = ""; ; ) {
      const { items, next } = await read(`?node=${oldest}${cursor}`);
      pages.push(items.length);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(pages).toEqual([0, 0, 1]);
    await use.world.key();
    expect((await read("?action=key-made")).items.map(({ id }) => id)).toEqual([many + 1]);
    expect((await read("?action=released&limit=1")).items.map(({ id }) => id)).toEqual([many]);
    expect((await read(`?action=key-made&node=${oldest}`)).items).toEqual([]);
    expect((await use.world.admin("GET", "/v1/events?action=eaten")).status).toBe(400);
  });

  it("is read by name, also the one before, and by key", async () => {
    const key = await use.world.key();
    const made = (await read("?limit=1")).items[0]?.key;
    await use.world.enrol({ key, name: "1" });
    await use.world.admin("PATCH", `/v1/nodes/${NODE}`, { name: "web9" });
    const actions = async (query: string) => (await read(query)).items.map(({ action }) => action);
    expect(await actions("?name=1")).toEqual(["renamed", "enrolled"]);
    expect(await actions("?name=web9")).toEqual(["renamed"]);
    expect(await actions(`?key=${made}`)).toEqual(["enrolled", "key-made"]);
    expect(await actions(`?key=${made}&name=web9`)).toEqual([]);
  });

  it("forgets the oldest beyond ten thousand, some each hour, and numbers on", async () => {
    await fill(LIMITS.events + LIMITS.eventsForgotten + 7);
    const ends = async () => {
      const all = await ids();
      expect(all.length).toBe((all.at(-1) ?? 0) - (all[0] ?? 0) + 1);
      return [all[0], all.at(-1)];
    };
    const newest = LIMITS.events + LIMITS.eventsForgotten + 7;
    await use.world.object.reconcile();
    expect(await ends()).toEqual([LIMITS.eventsForgotten + 1, newest]);
    await use.world.object.reconcile();
    expect(await ends()).toEqual([LIMITS.eventsForgotten + 8, newest]);
    await use.world.object.reconcile();
    await use.world.key();
    expect(await ends()).toEqual([LIMITS.eventsForgotten + 8, newest + 1]);
  });

  it("forgets also while the controller is away", async () => {
    await fill(LIMITS.events + 1);
    use.world.central.fail("GET", "/network", { kind: "status", status: 500 });
    await use.world.object.reconcile();
    expect((await ids())[0]).toBe(2);
  });

  it("has nothing of a change that was not made", async () => {
    await use.world.enrol();
    const before = await ids();
    await inOwnStores(use.world.object, (stores) => {
      expect(() =>
        stores.transaction(() => {
          stores.events.add(0, { by: { who: "cron" }, action: "released" });
          throw new Error("undone");
        }),
      ).toThrow("undone");
      expect(() => stores.events.add(0, { by: { who: "cron" }, action: "released" })).toThrow("transaction");
    });
    expect(await ids()).toEqual(before);
  });

  it("is for the operator alone", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    expect((await use.world.call("GET", "/v1/events")).status).toBe(401);
    expect((await use.world.call("GET", "/v1/events", { token })).status).toBe(403);
  });
});

describe("rows", () => {
  async function rowsOf(action: () => Promise<unknown>): Promise<Rows> {
    const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
    await action();
    return runInDurableObject(use.world.object, stop);
  }

  it("of an event are one written, and of what reads or writes the log as many however long it is", async () => {
    await use.world.key();
    const costs = async () => ({
      write: await rowsOf(() =>
        inOwnStores(use.world.object, (stores) =>
          stores.transaction(() => stores.events.add(0, { by: OPERATOR, action: "key-made" })),
        ),
      ),
      page: await rowsOf(() => read("?limit=50")),
      filtered: await rowsOf(() => read(`?node=${NODE}`)),
      run: await rowsOf(() => use.world.object.reconcile()),
    });
    await fill(LIMITS.eventsLookedThrough);
    await costs();
    const few = await costs();
    await fill(LIMITS.events - LIMITS.eventsLookedThrough - 100);
    const many = await costs();
    expect(few.write.written).toBe(1);
    expect(few.page.read).toBeLessThanOrEqual(60);
    expect(few.filtered.read).toBeLessThanOrEqual(LIMITS.eventsLookedThrough + 10);
    expect(many).toEqual(few);
  });
});
