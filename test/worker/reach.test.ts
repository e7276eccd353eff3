import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { countRows, type Rows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { type Document, useWorld } from "./world.ts";

const use = useWorld();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const id = (number: number): string => identity(number).node;

const ANSWERS = { answers: true, rttMs: 0.8, loss: 0, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };

/** What one found of another: `change` is what is not as it should be. */
const found = (to: number, change: Document = {}) => ({
  ...{ to: id(to), ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" },
  ...change,
});

/** Servers 0, 1, … enrol; gives their tokens. */
async function enrolMany(count: number): Promise<string[]> {
  const key = await use.world.key({ maxUses: count });
  const tokens: string[] = [];
  for (let number = 0; number < count; number++)
    tokens.push(String((await use.world.enrol({ key, number, name: `web${number}` })).json["token"]));
  await use.world.settle();
  return tokens;
}

/** A report, with what it tells of its probes. */
const beat = (number: number, token: string | undefined, probes?: Document) =>
  use.world.call("POST", `/v1/nodes/${id(number)}/heartbeat`, {
    token,
    body: { state: "ok", ...(probes !== undefined && { probes }) },
  });

/** Reports probes that were made just now. */
const tell = (number: number, token: string | undefined, ...pairs: readonly Document[]) =>
  beat(number, token, { secondsAgo: 0, pairs });

const reach = (query = "") => use.world.admin("GET", `/v1/reach${query}`);

/** Other servers that are heard, in the slots from one to another. */
async function addMany(from: number, to: number): Promise<void> {
  const now = use.world.now();
  await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
    for (let slot = from; slot <= to; slot++)
      sql.exec(
        `INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at, delivered_at)
           VALUES (?, ?, ?, 'active', '[]', ?, ?, ?)`,
        ...[made(slot), `other${slot}`, slot, now, now, now],
      );
  });
}

/** The id of one of these. */
const made = (slot: number): string => `5e2${slot.toString(16).padStart(7, "0")}`;

/** The slots of those whom the answer to a report says to probe. */
function slotsIn({ json }: { readonly json: Document }): number[] {
  const probe = json["probe"];
  if (!Array.isArray(probe)) throw new Error(`nobody is told: ${JSON.stringify(json)}`);
  return probe.map((target: { readonly slot: number }) => target.slot);
}

/** From one number to another. */
const count = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

async function rowsOf(action: () => Promise<unknown>): Promise<Rows> {
  const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
  await action();
  return runInDurableObject(use.world.object, stop);
}

describe("whom a server is to probe", () => {
  it("is told to those alone that say that they probe", async () => {
    const [token] = await enrolMany(2);
    expect((await beat(0, token)).json["probe"]).toBeUndefined();
    expect((await beat(0, token, { pairs: [] })).json["probe"]).toEqual([{ slot: 2, node: id(1) }]);
    const text = await use.world.call("POST", `/v1/nodes/${id(0)}/heartbeat`, {
      ...{ token, body: { state: "ok", probes: { pairs: [] } }, headers: { Accept: "text/plain" } },
    });
    expect(text.text).toMatch(new RegExp(`^PROBE=2:${id(1)}$`, "m"));
  });

  it("is each other one in a mesh of 25, every time", async () => {
    const [token] = await enrolMany(1);
    await addMany(2, 25);
    const first = slotsIn(await beat(0, token, { pairs: [] }));
    expect(first).toEqual(count(2, 25));
    use.world.advance(MINUTE);
    const second = slotsIn(await tell(0, token, ...first.map((slot) => ({ ...found(0), to: made(slot) }))));
    expect(second.toSorted((a, b) => a - b)).toEqual(count(2, 25));
  });

  it("is each in turn in a larger one, and no step is taken before the last one was probed", async () => {
    const tokens = await enrolMany(3);
    await addMany(4, 31);
    const token = tokens[2];
    const first = slotsIn(await beat(2, token, { pairs: [] }));
    expect(first).toEqual(count(4, 28));
    expect(slotsIn(await beat(2, token, { pairs: [] }))).toEqual(first);
    use.world.advance(MINUTE);
    const pairs = [{ ...found(0), to: made(9) }];
    const second = slotsIn(await tell(2, token, ...pairs));
    expect(second).toEqual([29, 30, 31, 1, 2, ...count(4, 22)]);
    // The same probes again, as a report in between tells them.
    use.world.advance(MINUTE);
    expect(slotsIn(await beat(2, token, { secondsAgo: 70, pairs }))).toEqual(second);
    expect(slotsIn(await tell(2, token, ...pairs)).slice(0, 3)).toEqual([23, 24, 25]);
  });

  it("is, before others, who did not answer the last time", async () => {
    const tokens = await enrolMany(4);
    await addMany(5, 60);
    await beat(0, tokens[0], { pairs: [] });
    use.world.advance(MINUTE);
    const pairs = [found(1), found(2, { ipv6: SILENT }), found(3)];
    expect(slotsIn(await tell(0, tokens[0], ...pairs)).slice(0, 3)).toEqual([3, 27, 28]);
  });

  it("is nobody who is out of the mesh, waits, or was not heard for hours", async () => {
    const tokens = await enrolMany(4);
    await use.world.admin("POST", `/v1/nodes/${id(1)}/revoke`);
    const key = await use.world.key({ approval: true });
    await use.world.enrol({ key, number: 4 });
    use.world.advance(4 * HOUR);
    await beat(3, tokens[3]);
    expect(slotsIn(await beat(0, tokens[0], { pairs: [] }))).toEqual([4]);
  });

  it("is nobody for one that is out of the mesh itself", async () => {
    await enrolMany(1);
    const key = await use.world.key({ approval: true });
    const waiting = await use.world.enrol({ key, number: 1 });
    expect((await beat(1, String(waiting.json["token"]), { pairs: [] })).json["probe"]).toEqual([]);
  });
});

describe("GET /v1/reach", () => {
  it("has for each server, by name, what it found and when", async () => {
    const tokens = await enrolMany(3);
    use.world.standStill();
    await beat(0, tokens[0], {
      secondsAgo: 120,
      pairs: [found(2), found(1, { ipv6: SILENT, path: "relayed" })],
    });
    const at = new Date(use.world.now() - 120_000).toISOString();
    await beat(1, tokens[1], { secondsAgo: 0, fault: "no-ping", pairs: [] });
    const { status, json } = await reach();
    expect(status).toBe(200);
    const pair = { ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" };
    expect(json).toMatchObject({
      items: [
        {
          ...{ node: id(0), name: "web0", at, fault: null },
          pairs: [
            { ...pair, node: id(1), name: "web1", ipv6: SILENT, path: "relayed" },
            { ...pair, node: id(2), name: "web2" },
          ],
        },
        { node: id(1), name: "web1", fault: "no-ping", pairs: [] },
        { node: id(2), name: "web2", at: null, fault: null, pairs: [] },
      ],
      next: null,
    });
  });

  it("of one server has that alone; of one that is not there, it says so", async () => {
    const tokens = await enrolMany(2);
    await tell(1, tokens[1], found(0));
    const { json } = await reach(`?node=${id(1)}`);
    expect(json).toMatchObject({ items: [{ name: "web1", pairs: [{ name: "web0" }] }], next: null });
    expect((await reach("?node=4e8d87c868")).json["type"]).toBe("/problems/not-found");
  });

  it("with silent=true has who gets no answer, and from whom", async () => {
    const tokens = await enrolMany(3);
    await tell(0, tokens[0], found(1), found(2));
    await tell(1, tokens[1], found(0, { ipv4: SILENT }), found(2));
    const { json } = await reach("?silent=true");
    expect(json).toMatchObject({
      items: [{ name: "web1", probed: 2, pairs: [{ name: "web0" }] }],
      next: null,
    });
    expect(json["items"]).toHaveLength(1);
    expect((json["items"] as { pairs: unknown[] }[])[0]?.pairs).toHaveLength(1);
  });

  it("comes in pages, of which the last one is the last", async () => {
    const tokens = await enrolMany(4);
    await tell(0, tokens[0], found(1));
    const names: unknown[] = [];
    let pages = 0;
    for (let cursor: unknown = ""; cursor !== null; pages++) {
      const { json } = await reach(`?limit=2${cursor === "" ? "" : `&cursor=${String(cursor)}`}`);
      names.push(...(json["items"] as { name: string }[]).map(({ name }) => name));
      cursor = json["next"];
    }
    expect([names, pages]).toEqual([["web0", "web1", "web2", "web3"], 2]);
  });

  it("knows nothing of who was deleted or revoked, nor of what is older than a day", async () => {
    const tokens = await enrolMany(4);
    await tell(0, tokens[0], found(1), found(2), found(3));
    await use.world.admin("DELETE", `/v1/nodes/${id(1)}`);
    await use.world.admin("POST", `/v1/nodes/${id(2)}/revoke`);
    expect((await reach(`?node=${id(0)}`)).json).toMatchObject({ items: [{ pairs: [{ name: "web3" }] }] });
    expect((await reach()).json["items"]).toHaveLength(2);
    use.world.advance(24 * HOUR);
    expect((await reach(`?node=${id(0)}`)).json).toMatchObject({ items: [{ at: null, pairs: [] }] });
  });

  it("forgets what was found by who does not probe any more", async () => {
    const tokens = await enrolMany(2);
    await tell(0, tokens[0], found(1));
    await beat(0, tokens[0]);
    expect((await reach(`?node=${id(0)}`)).json).toMatchObject({ items: [{ at: null, pairs: [] }] });
  });

  it("keeps what was found while a server that has just started has not probed yet", async () => {
    const tokens = await enrolMany(2);
    await tell(0, tokens[0], found(1));
    await beat(0, tokens[0], { pairs: [] });
    expect((await reach(`?node=${id(0)}`)).json).toMatchObject({ items: [{ pairs: [{ name: "web1" }] }] });
  });

  it("needs the scope read", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["keys"] });
    const { status } = await use.world.call("GET", "/v1/reach", {
      token: String(json["key"] ?? json["token"]),
    });
    expect(status).toBe(403);
  });
});

describe("what a server tells", () => {
  it.each([
    ["another's id in capitals", { to: "4E8D87C868" }],
    ["a round trip of minutes", { ipv4: { ...ANSWERS, rttMs: 120_000 } }],
    ["a loss above 100", { ipv4: { ...ANSWERS, loss: 101 } }],
    ["markup", { path: "<script>" }],
  ])("is refused with %s", async (_, change) => {
    const [token] = await enrolMany(2);
    const { status, json } = await tell(0, token, found(1, change));
    expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
  });

  it("is bounded", async () => {
    const [token] = await enrolMany(2);
    const many = (count: number) => Array.from({ length: count }, () => found(1));
    expect((await tell(0, token, ...many(32))).status).toBe(200);
    expect((await tell(0, token, ...many(33))).status).toBe(400);
  });

  it("is of others alone, and of servers that there are", async () => {
    const [token] = await enrolMany(2);
    await tell(0, token, found(0), found(1), { ...found(1), to: "4e8d87c868" });
    expect((await reach(`?node=${id(0)}`)).json).toMatchObject({ items: [{ pairs: [{ name: "web1" }] }] });
  });
});

describe("rows", () => {
  it("of a report with probes are two written at most, and as many read beside 249 servers as beside 31", async () => {
    const tokens = await enrolMany(3);
    await addMany(4, 31);
    const report = async () => {
      const told = slotsIn(await beat(0, tokens[0], { pairs: [] }));
      use.world.advance(MINUTE);
      return rowsOf(() => tell(0, tokens[0], ...told.map((slot) => ({ ...found(0), to: made(slot) }))));
    };
    await report();
    const before = await report();
    expect(before.written).toBeGreaterThan(0);
    expect(before.written).toBeLessThanOrEqual(2);
    await addMany(32, 239);
    await report();
    expect((await report()).read).toBeLessThanOrEqual(before.read);
    expect(before.read).toBeLessThanOrEqual(70);
  });

  it("of who gets no answer are found by an index", async () => {
    const plan = await use.world.plan(
      "SELECT * FROM (SELECT * FROM nodes INDEXED BY unanswered_nodes WHERE probes ->> '$.isUnanswered') ORDER BY name, node",
    );
    expect(plan).toContain("USING INDEX unanswered_nodes");
    expect(plan).not.toContain("SCAN nodes\n");
  });
});
