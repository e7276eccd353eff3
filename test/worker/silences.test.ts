// Who is at fault where probes get no answer: GET /v1/reach/silences.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { silencesSchema, silenceText } from "../../worker/schema/silence.ts";
import { countRows, type Rows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { type Document, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const ANSWERS = { answers: true, rttMs: 0.8, loss: 0, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };
const ANSWER = { ipv4: ANSWERS, ipv6: ANSWERS, path: "direct" };
const BOTH = { ...ANSWER, ipv4: SILENT, ipv6: SILENT };
const BY_IPV4 = { ...ANSWER, ipv4: SILENT };
const BY_IPV6 = { ...ANSWER, ipv6: SILENT };

type Name = "app1" | "db1" | "web1" | "web2";
const NAMES: readonly Name[] = ["app1", "db1", "web1", "web2"];
const id = (name: Name): string => identity(NAMES.indexOf(name)).node;
let tokens: Partial<Record<Name, string>> = {};

beforeEach(() => {
  tokens = {};
});

/** They enrol. */
async function enrol(...names: readonly Name[]): Promise<void> {
  const key = await use.world.key({ maxUses: names.length });
  for (const name of names)
    tokens[name] = String((await use.world.enrol({ key, name, number: NAMES.indexOf(name) })).json["token"]);
  await use.world.settle();
}

/** It reports what it found just now of each of these. */
async function tell(name: Name, found: Partial<Record<Name, Document>>): Promise<void> {
  const pairs = Object.entries(found).map(([to, how]) => ({ ...how, to: id(z.enum(NAMES).parse(to)) }));
  await report(name, { secondsAgo: 0, pairs });
}

async function report(name: Name, probes?: Document): Promise<void> {
  const { status } = await use.world.call("POST", `/v1/nodes/${id(name)}/heartbeat`, {
    ...{ token: tokens[name], body: { state: "ok", ...(probes !== undefined && { probes }) } },
  });
  expect(status).toBe(200);
}

const ask = async (query = "") => {
  const { status, json } = await use.world.admin("GET", `/v1/reach/silences${query}`);
  expect(status).toBe(200);
  return silencesSchema.parse(json).items;
};

/** What is said, by name. */
const said = async (query?: string) =>
  Object.fromEntries((await ask(query)).map((silence) => [silence.name, silenceText(silence)]));

describe("who is at fault", () => {
  it("a server that others miss is named with them, those first whom most miss", async () => {
    await enrol(...NAMES);
    await tell("app1", { db1: BOTH, web1: ANSWER, web2: ANSWER });
    await tell("web1", { db1: BOTH, app1: ANSWER, web2: BY_IPV6 });
    await tell("web2", { db1: BOTH, app1: ANSWER, web1: ANSWER });
    expect(await ask()).toMatchObject([
      { node: id("db1"), kind: "missed", family: null, servers: 3, by: ["app1", "web1"] },
      { node: id("web2"), kind: "missed", family: "ipv6", servers: 1, by: ["web1"] },
    ]);
    expect(await said(`?node=${id("web2")}`)).toEqual({ web2: "does not answer web1 over IPv6" });
    expect(await said(`?node=${id("app1")}`)).toEqual({});
  });

  it("who gets no answer from anybody is the one that is cut off, and accuses nobody", async () => {
    await enrol("app1", "db1", "web1");
    await tell("app1", { db1: BOTH, web1: ANSWER });
    await tell("web1", { db1: BOTH, app1: ANSWER });
    await tell("db1", { app1: BOTH, web1: BOTH });
    expect(await said()).toEqual({ db1: "gets no answer at all from any of the 2 that it probed" });
  });

  it("of two nobody knows which it is", async () => {
    await enrol("db1", "web1");
    await tell("db1", { web1: BOTH });
    await tell("web1", { db1: BOTH });
    expect(await said()).toEqual({ db1: "does not answer web1", web1: "does not answer db1" });
  });

  it("where IPv6 works nowhere, one that does not answer over IPv4 is named all the same", async () => {
    await enrol(...NAMES);
    for (const [name, one, other] of [
      ["app1", "web1", "web2"],
      ["web1", "app1", "web2"],
      ["web2", "app1", "web1"],
    ] as const)
      await tell(name, { db1: BOTH, [one]: BY_IPV6, [other]: BY_IPV6 });
    expect(await said()).toEqual({
      app1: "gets no answer over IPv6 from any of the 3 that it probed",
      web1: "gets no answer over IPv6 from any of the 3 that it probed",
      web2: "gets no answer over IPv6 from any of the 3 that it probed",
      db1: "does not answer app1, web1 and 1 more",
    });
  });

  it("who misses one by IPv4 and the other by IPv6 is not cut off", async () => {
    await enrol("app1", "db1", "web1");
    await tell("web1", { app1: BY_IPV6, db1: BY_IPV4 });
    expect(await said()).toEqual({
      app1: "does not answer web1 over IPv6",
      db1: "does not answer web1 over IPv4",
    });
  });

  it("the last one that runs is not at fault: those are whom the Worker misses too", async () => {
    await enrol("app1", "db1", "web1");
    use.world.advance(HOUR);
    await tell("web1", { app1: BOTH, db1: BOTH });
    expect(await said()).toEqual({ web1: "gets no answer at all from any of the 2 that it probed" });
    use.world.advance(HOUR / 2);
    await tell("web1", { app1: BOTH, db1: BOTH });
    expect(await said()).toEqual({ app1: "does not answer web1", db1: "does not answer web1" });
    await report("app1");
    expect(await said()).toEqual({ web1: "gets no answer at all from any of the 2 that it probed" });
  });
});

describe("whose word counts", () => {
  it("one server's is that of one, however often it says the same", async () => {
    await enrol("app1", "db1", "web1");
    const pair = { ...BOTH, to: id("db1") };
    await report("web1", {
      secondsAgo: 0,
      pairs: [...Array.from({ length: 30 }, () => pair), { ...ANSWER, to: id("app1") }],
    });
    expect(await said()).toEqual({ db1: "does not answer web1" });
    const { json } = await use.world.admin("GET", `/v1/reach?node=${id("web1")}`);
    expect(json).toMatchObject({ items: [{ probed: 2 }] });
  });

  it("in a mesh of two, that it misses the other one twice does not make it cut off", async () => {
    await enrol("db1", "web1");
    const pair = { ...BOTH, to: id("db1") };
    await report("web1", { secondsAgo: 0, pairs: [pair, pair, { ...BOTH, to: id("web1") }] });
    expect(await said()).toEqual({ db1: "does not answer web1" });
  });

  it("one that is not heard any more accuses nobody", async () => {
    await enrol("app1", "db1", "web1");
    await tell("web1", { app1: ANSWER, db1: BOTH });
    use.world.advance(3 * HOUR);
    await report("db1");
    expect(await said()).toEqual({ db1: "does not answer web1" });
    use.world.advance(HOUR);
    await report("db1");
    expect(await said()).toEqual({});
  });

  it("one that was revoked accuses nobody and is not spoken of", async () => {
    await enrol("app1", "db1", "web1");
    await tell("web1", { app1: ANSWER, db1: BOTH });
    await tell("app1", { web1: BOTH, db1: ANSWER });
    await use.world.admin("POST", `/v1/nodes/${id("web1")}/revoke`);
    expect(await said()).toEqual({});
  });

  it("needs the scope read", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["keys"] });
    const { status } = await use.world.call("GET", "/v1/reach/silences", { token: String(json["token"]) });
    expect(status).toBe(403);
  });
});

it("reads as many rows where 1,000 miss each other as where 100 do, and says it of so many", async () => {
  await enrol("web1");
  const rowsBeside = async (from: number, to: number): Promise<[Rows, number]> => {
    const now = use.world.now();
    await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      const made = (slot: number): string => `5e2${slot.toString(16).padStart(7, "0")}`;
      for (let slot = from; slot <= to; slot++)
        sql.exec(
          `INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at, delivered_at, probes)
             VALUES (?, ?, ?, 'active', '[]', ?, ?, ?, ?)`,
          ...[made(slot), `other${`${slot}`.padStart(4, "0")}`, slot, now, now, now],
          JSON.stringify({
            ...{ fault: null, at: now, toldAt: now, begin: slot, through: slot, isUnanswered: true },
            pairs: Array.from({ length: 32 }, (_, at) => ({
              ...{ to: made(2 + ((slot + at) % 99)), ipv4: at === 0 ? ANSWERS : SILENT },
              ...{ ipv6: null, path: null },
            })),
          }),
        );
    });
    const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
    const { length } = await ask();
    return [await runInDurableObject(use.world.object, stop), length];
  };
  const [few, saidOfFew] = await rowsBeside(2, 101);
  const [many, saidOfMany] = await rowsBeside(102, 1001);
  expect(saidOfFew).toBe(50);
  expect(saidOfMany).toBe(50);
  expect(many.read).toBeLessThanOrEqual(few.read);
  expect(few.read).toBeLessThanOrEqual(200);
});
