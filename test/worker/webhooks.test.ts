// Webhooks: a receiver that fails, is slow and comes back gets each event; what is signed, kept, refused and told.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { LIMITS } from "../../worker/config/limits.ts";
import { signatureHeaders } from "../../worker/webhook/signature.ts";
import { countRows } from "./counted-rows.ts";
import { identity } from "./identities.ts";
import { inOwnStores } from "./own-stores.ts";
import { ORIGIN, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const URL_OF_HOOKS = "https://hooks.example.com";

const sentSchema = z.object({
  type: z.enum(["events", "test"]),
  timestamp: z.iso.datetime(),
  data: z.object({
    webhook: z.string(),
    missed: z.number().optional(),
    events: z.array(z.looseObject({ id: z.number(), action: z.string() })).optional(),
  }),
});

/** A call that arrived. */
interface Received {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

type Answering = (call: Received, signal: AbortSignal | null) => Response | Promise<Response>;

const taken: Answering = () => new Response(null, { status: 204 });
const status = (code: number, headers: Record<string, string> = {}, text = ""): Answering => {
  return () => new Response(text, { status: code, headers });
};

/** The receiver of all webhooks. */
let calls: Received[] = [];
let answering: Answering = taken;

beforeEach(() => {
  calls = [];
  answering = taken;
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (!request.url.startsWith(URL_OF_HOOKS)) return use.world.central.fetch(input, init);
    expect(request).toMatchObject({ method: "POST", redirect: "manual" });
    const call = { url: request.url, headers: request.headers, body: await request.text() };
    calls.push(call);
    return answering(call, init?.signal ?? null);
  });
});

const newSchema = z.object({ id: z.string(), secret: z.string() });

/** Makes a webhook. */
async function make(more: object = {}) {
  const { status, text, json } = await use.world.admin("POST", "/v1/webhooks", {
    url: `${URL_OF_HOOKS}/a`,
    ...more,
  });
  expect(status, text).toBe(201);
  return newSchema.parse(json);
}

const detail = async (id: string) => (await use.world.admin("GET", `/v1/webhooks/${id}`)).json;

/** What the webhooks' rows are, as SQLite has them. */
const rows = () =>
  runInDurableObject(use.world.object, (_, { storage }) =>
    storage.sql
      .exec<{ id: string; answers: string; sent_through: number; failures: number; due_at: number | null }>(
        "SELECT id, answers, sent_through, failures, due_at FROM webhooks ORDER BY id",
      )
      .toArray(),
  );

/** Fires alarms until the receiver is called once more, and what it answers is noted. */
async function attempt(): Promise<void> {
  const before = JSON.stringify((await rows()).map(({ answers }) => answers));
  for (let fired = 0; JSON.stringify((await rows()).map(({ answers }) => answers)) === before; fired++) {
    if (fired === 50) throw new Error("no call is made");
    await use.world.fireAlarm();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fires alarms until nothing waits. */
async function settle(): Promise<void> {
  for (let fired = 0; ; fired++) {
    if (fired === 100) throw new Error("something waits for ever");
    const isFired = await use.world.fireAlarm();
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (!isFired && (await rows()).every(({ due_at }) => due_at === null)) return;
  }
}

const eventsIn = ({ body }: Received) => sentSchema.parse(JSON.parse(body)).data.events ?? [];

/** The ids of the events that were received, in the order of their coming. */
const received = () => calls.flatMap(eventsIn).map(({ id }) => id);

/** The ids of the log since the webhook was made, the oldest first. */
async function logged(webhook: string): Promise<number[]> {
  const { json } = await use.world.admin("GET", "/v1/events?limit=200");
  const { items } = z
    .object({
      items: z.array(z.looseObject({ id: z.number(), action: z.string(), webhook: z.string().nullable() })),
    })
    .parse(json);
  const made = items.find((event) => event.action === "webhook-made" && event.webhook === webhook);
  return items
    .map(({ id }) => id)
    .filter((id) => id > (made?.id ?? 0))
    .reverse();
}

/** Whether a call is signed by the secret: by one of its signatures. */
async function isSigned({ headers, body }: Received, secret: string): Promise<boolean> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = Number(headers.get("webhook-timestamp"));
  const { "webhook-signature": own = "none" } = await signatureHeaders({ id, timestamp }, body, [secret]);
  return (headers.get("webhook-signature") ?? "").split(" ").includes(own);
}

/** A receiver that answers only when the caller has given up. */
function neverInTime(): Answering {
  const giveUp = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockImplementation(() => giveUp.signal);
  return (_, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("timed out", "TimeoutError")));
      setTimeout(() => {
        vi.mocked(AbortSignal.timeout).mockRestore();
        giveUp.abort();
      });
    });
}

describe("a receiver", () => {
  it("that fails, is slow, loses its answers and comes back gets each event, in order, each call signed", async () => {
    const { id, secret } = await make();
    const moods: readonly (() => Answering)[] = [
      () => status(500, {}, "out of order"),
      () => status(429, { "Retry-After": "60" }),
      neverInTime,
      () => () => {
        throw new TypeError("connection lost");
      },
      () => status(302, { Location: "https://192.168.1.1/" }),
    ];
    for (const [number, mood] of moods.entries()) {
      answering = mood();
      await use.world.enrol({ number, name: `web${number}` });
      await attempt();
    }
    expect(await detail(id)).toMatchObject({ state: "failing", failures: 5, fault: null });
    expect((await use.world.admin("GET", `/v1/webhooks/${id}`)).text).not.toContain(secret);
    answering = taken;
    await settle();
    const ids = await logged(id);
    expect(ids.length).toBeGreaterThan(9);
    expect([...new Set(received())]).toEqual(ids);
    for (const call of calls) {
      expect(await isSigned(call, secret)).toBe(true);
      const inOne = eventsIn(call).map((event) => event.id);
      expect(inOne).toEqual(inOne.toSorted((a, b) => a - b));
    }
    expect(await detail(id)).toMatchObject({
      state: "idle",
      failures: 0,
      nextAt: null,
      answers: [
        { status: 204, fault: null, attempt: 6, last: ids.at(-1) },
        { status: 302, fault: "answered 302: redirects are not followed", attempt: 5 },
        { status: null, fault: expect.stringContaining("not reached"), attempt: 4 },
        { status: null, fault: "no answer within 10 s", attempt: 3 },
        { status: 429, fault: "answered 429", attempt: 2 },
        { status: 500, fault: "answered 500", text: "out of order", attempt: 1, first: ids[0] },
      ],
    });
    // The one that came as the same batch again had the same id, which receivers tell it by.
    expect(calls[0]?.headers.get("webhook-id")).toMatch(new RegExp(`^${id}-\\d+-\\d+$`));
    expect(use.world.log.join("\n")).not.toContain("whsec_");
  });

  it("that is slow holds up no lease, route or copy", async () => {
    let release = (): void => {};
    answering = () =>
      new Promise((resolve) => {
        release = () => resolve(new Response(null, { status: 200 }));
      });
    const { id } = await make();
    await use.world.enrol();
    for (let fired = 0; calls.length === 0 && fired < 20; fired++) {
      await use.world.fireAlarm();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(calls).toHaveLength(1);
    // The call is under way.
    await use.world.enrol({ number: 1, name: "web2" });
    for (
      let fired = 0;
      (await use.world.outbox()).some(({ attempts }) => attempts === 0) && fired < 12;
      fired++
    )
      await use.world.fireAlarm();
    expect(use.world.routes()).toEqual(expect.arrayContaining([expect.stringContaining("172.28.2.0/24")]));
    expect(calls.length).toBeLessThan(3);
    answering = taken;
    release();
    await settle();
    expect([...new Set(received())]).toEqual(await logged(id));
  });

  it("gets what came while it was called, and a burst in one call", async () => {
    const { id } = await make();
    for (let number = 0; number < 3; number++) await use.world.key();
    await settle();
    expect(calls).toHaveLength(1);
    answering = async () => {
      if (calls.length === 2) await use.world.key();
      return new Response(null, { status: 200 });
    };
    await use.world.key();
    await settle();
    expect(received()).toEqual(await logged(id));
    expect(calls.map((call) => eventsIn(call).length)).toEqual([3, 1, 1]);
  });

  it("gets many events fifty a call", async () => {
    const { id } = await make();
    await inOwnStores(use.world.object, ({ transaction, events }) =>
      transaction(() => {
        for (let at = 0; at < 120; at++) events.add(at, { by: { who: "cron" }, action: "released" });
      }),
    );
    await use.world.key();
    await settle();
    expect(calls.map((call) => eventsIn(call).length)).toEqual([50, 50, 21]);
    expect(received()).toHaveLength((await logged(id)).slice(-121).length);
  });

  it("gets the actions alone that it wants", async () => {
    await make({ actions: ["revoked", "released", "revoked"] });
    await use.world.enrol();
    await settle();
    expect(calls).toEqual([]);
    const { node } = identity(0);
    await use.world.admin("POST", `/v1/nodes/${node}/revoke`);
    await settle();
    await use.world.admin("DELETE", `/v1/nodes/${node}`);
    await settle();
    expect(calls.flatMap(eventsIn).map(({ action }) => action)).toEqual(["revoked", "released"]);
  });

  it("that is away for longer than the log goes back is told how many it missed", async () => {
    answering = status(503);
    const { id } = await make({ actions: ["key-made"] });
    await use.world.key();
    await attempt();
    const add = (action: "key-made" | "released", count: number) =>
      inOwnStores(use.world.object, ({ transaction, events }) =>
        transaction(() => {
          for (let at = 0; at < count; at++) events.add(at, { by: { who: "cron" }, action });
        }),
      );
    await add("key-made", 4);
    await add("released", 7);
    await use.world.key();
    await inOwnStores(use.world.object, ({ transaction, events }) => transaction(() => events.trim(1, 500)));
    expect(await detail(id)).toMatchObject({ missed: 5 });
    answering = taken;
    await settle();
    const told = sentSchema.parse(JSON.parse(calls.at(-1)?.body ?? ""));
    expect(told.data).toMatchObject({ missed: 5, events: [{ action: "key-made" }] });
    expect(await detail(id)).toMatchObject({ missed: 0, state: "idle" });
  });

  it("that is idle while others' events are forgotten has missed none", async () => {
    const { id } = await make({ actions: ["revoked"] });
    await use.world.key();
    await use.world.key();
    await inOwnStores(use.world.object, ({ transaction, events }) => transaction(() => events.trim(1, 500)));
    expect(await detail(id)).toMatchObject({ missed: 0, state: "idle", nextAt: null });
  });

  it.each([
    ["is gone for good", 410, {}, HOUR],
    ["names a time", 429, { "Retry-After": "600" }, 600_000],
    ["names a time that is far", 503, { "Retry-After": "999999" }, HOUR],
    ["names a day, which is not read", 503, { "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT" }, 5_000],
  ])("that %s is asked again then", async (_, code, headers, pause) => {
    answering = status(code, headers);
    const { id } = await make();
    await use.world.key();
    await attempt();
    const { nextAt } = z.object({ nextAt: z.iso.datetime() }).parse(await detail(id));
    const wait = Date.parse(nextAt) - use.world.now();
    expect(wait).toBeLessThanOrEqual(pause);
    expect(wait).toBeGreaterThan(pause / 2 - 2_000);
  });

  it("of which more was read than is kept, or that speaks of a secret, is quoted in part", async () => {
    let isCancelled = false;
    answering = () =>
      new Response(
        new ReadableStream({
          pull: (controller) =>
            controller.enqueue(new TextEncoder().encode(`mbk_${"A".repeat(22)} ${"x".repeat(90)} `)),
          cancel: () => {
            isCancelled = true;
          },
        }),
        { status: 500 },
      );
    const { id } = await make();
    const { json } = await use.world.admin("POST", `/v1/webhooks/${id}/test`);
    expect(json).toMatchObject({ status: 500, text: expect.stringMatching(/^mbk_… x{90} mbk_… x+$/) });
    expect(isCancelled).toBe(true);
  });

  it("that crashes the object is not forgotten", async () => {
    const { id } = await make();
    await use.world.key();
    answering = () => new Promise(() => {});
    for (let fired = 0; calls.length === 0 && fired < 20; fired++) {
      await use.world.fireAlarm();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await use.world.crash();
    answering = taken;
    await settle();
    expect([...new Set(received())]).toEqual(await logged(id));
    expect(calls.length).toBe(2);
    expect(calls[0]?.headers.get("webhook-id")).toBe(calls[1]?.headers.get("webhook-id"));
  });
});

describe("a secret", () => {
  it("is shown once, and is in no list, event, log or row", async () => {
    const { id, secret } = await make({ note: "pager", actions: ["revoked"] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    await use.world.admin("POST", `/v1/webhooks/${id}/test`);
    const rotated = newSchema.parse((await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, {})).json);
    expect(rotated.secret).not.toBe(secret);
    const shown = await Promise.all(
      ["/v1/webhooks", `/v1/webhooks/${id}`, "/v1/events"].map((path) => use.world.admin("GET", path)),
    );
    const stored = await runInDurableObject(use.world.object, (_, { storage }) =>
      storage.sql
        .exec<{ row: string }>(
          "SELECT json_array(id, url, actions, note, hex(sealed), hex(earlier_sealed), answers) AS row FROM webhooks",
        )
        .toArray(),
    );
    const everything = [...shown.map(({ text }) => text), JSON.stringify(stored), ...use.world.log].join(
      "\n",
    );
    for (const one of [secret, rotated.secret]) {
      expect(everything).not.toContain(one);
      expect(everything).not.toContain(one.slice(6));
    }
    expect(everything).not.toContain("whsec_");
  });

  it("that is replaced signs beside the new one for a day, and not longer", async () => {
    const { id, secret } = await make();
    const rotated = newSchema.parse((await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, {})).json);
    await settle();
    const [both] = calls;
    expect(both && (await isSigned(both, secret)) && (await isSigned(both, rotated.secret))).toBe(true);
    const until = z
      .object({ earlierSecretUntil: z.iso.datetime() })
      .parse(await detail(id)).earlierSecretUntil;
    use.world.advance(Date.parse(until) - use.world.now());
    expect(await detail(id)).toMatchObject({ earlierSecretUntil: null });
    await use.world.key();
    await settle();
    const last = calls.at(-1);
    expect(last && (await isSigned(last, rotated.secret))).toBe(true);
    expect(last && (await isSigned(last, secret))).toBe(false);
    const [row] = await runInDurableObject(use.world.object, (_, { storage }) =>
      storage.sql.exec("SELECT earlier_sealed, earlier_until FROM webhooks").toArray(),
    );
    expect(row).toEqual({ earlier_sealed: null, earlier_until: null });
  });

  it("that has leaked is good no more at once", async () => {
    const { id, secret } = await make();
    await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, {});
    const last = newSchema.parse(
      (await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, { now: true })).json,
    );
    await settle();
    const [call] = calls;
    expect(call?.headers.get("webhook-signature")).not.toContain(" ");
    expect(call && (await isSigned(call, last.secret))).toBe(true);
    expect(call && (await isSigned(call, secret))).toBe(false);
  });

  it("that was sealed under a secret that is lost is told, stops nothing else, and is put right by another one", async () => {
    const { id } = await make();
    const other = await make({ url: `${URL_OF_HOOKS}/other` });
    await runInDurableObject(use.world.object, (_, { storage }) => {
      storage.sql.exec("UPDATE webhooks SET sealed = randomblob(66) WHERE id = ?", id);
    });
    const fault = expect.stringMatching(
      /ADMIN_TOKEN and ZEROTIER_TOKEN were changed at once.*POST \/v1\/webhooks\/:id\/rotate/,
    );
    expect(await detail(id)).toMatchObject({ fault });
    expect((await use.world.admin("POST", `/v1/webhooks/${id}/test`)).json).toMatchObject({
      status: null,
      fault,
    });
    await use.world.key();
    // The first call of one is for the other's making.
    for (let made = 0; calls.length === 0 && made < 5; made++) await attempt();
    expect(calls.map(({ url }) => url)).toEqual([`${URL_OF_HOOKS}/other`]);
    expect(await detail(id)).toMatchObject({ state: "failing", answers: [{ status: null, fault }] });
    const { json } = await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, {});
    expect(json).toMatchObject({ fault: null });
    await settle();
    const all = calls.filter(({ url }) => url === `${URL_OF_HOOKS}/a`);
    expect(all.flatMap(eventsIn).map((event) => event.id)).toEqual(await logged(id));
    expect(await detail(other.id)).toMatchObject({ state: "idle", fault: null });
  });
});

describe("a test call", () => {
  it("is made at once, tells what came back, and is no event", async () => {
    const { id, secret } = await make();
    answering = status(418, {}, "I am a teapot");
    const test = () => use.world.admin("POST", `/v1/webhooks/${id}/test`);
    expect((await test()).json).toMatchObject({ status: 418, fault: "answered 418", text: "I am a teapot" });
    answering = neverInTime();
    expect((await test()).json).toMatchObject({ status: null, fault: "no answer within 10 s" });
    const [call] = calls;
    expect(sentSchema.parse(JSON.parse(call?.body ?? ""))).toMatchObject({
      type: "test",
      data: { webhook: id },
    });
    expect(call && (await isSigned(call, secret))).toBe(true);
    expect(await logged(id)).toEqual([]);
    expect(await detail(id)).toMatchObject({ answers: [], state: "idle" });
  });

  it("that is taken sends at once what waits", async () => {
    const { id } = await make();
    answering = status(410);
    await use.world.key();
    await attempt();
    answering = taken;
    await use.world.admin("POST", `/v1/webhooks/${id}/test`);
    const at = await use.world.alarmTime();
    expect((at ?? Number.POSITIVE_INFINITY) - use.world.now()).toBeLessThan(1_000);
    await settle();
    expect(await detail(id)).toMatchObject({ state: "idle" });
  });
});

describe("webhooks", () => {
  it("are listed in the order of their making, page by page, and no more may be than so many", async () => {
    const made: string[] = [];
    for (let number = 0; number < LIMITS.webhooks; number++) {
      made.push((await make({ note: `number ${number}` })).id);
      use.world.advance(1000);
    }
    const refused = await use.world.admin("POST", "/v1/webhooks", { url: `${URL_OF_HOOKS}/a` });
    expect(refused).toMatchObject({ status: 409, json: { type: "/problems/limit-reached" } });
    const listed: string[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const { json } = await use.world.admin("GET", `/v1/webhooks?limit=4${next && `&cursor=${next}`}`);
      const page = z
        .object({ items: z.array(z.looseObject({ id: z.string() })), next: z.string().nullable() })
        .parse(json);
      listed.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(listed).toEqual(made);
  });

  it.each([
    [{ url: "http://hooks.example.com/" }, /^url: .*https/],
    [{ url: "https://169.254.169.254/latest" }, /^url: 169\.254\.169\.254 is not an address on the internet/],
    [{ url: "https://10.147.17.1/" }, /^url: 10\.147\.17\.1 is in the mesh/],
    [{ url: `${ORIGIN}/v1/enroll` }, /^url: mesh\.example\.com is this Worker itself/],
    [{ url: `https://hooks.example.com/${"a".repeat(2000)}` }, /^url: /],
    [{}, /^url: /],
    [{ url: `${URL_OF_HOOKS}/a`, actions: [] }, /^actions: /],
    [{ url: `${URL_OF_HOOKS}/a`, actions: ["unheard-of"] }, /^actions\.0: /],
    [{ url: `${URL_OF_HOOKS}/a`, note: `mbk_${"A".repeat(22)}` }, /^note: /],
    [{ url: `${URL_OF_HOOKS}/a`, secret: "mine" }, /^secret: there is no such field/],
  ])("are refused: %j", async (body, fault) => {
    const { status, json } = await use.world.admin("POST", "/v1/webhooks", body);
    expect(status).toBe(400);
    expect(json["errors"]).toEqual([expect.stringMatching(fault)]);
    expect(calls).toEqual([]);
  });

  it("whose address is not allowed any more are called no more", async () => {
    const { id } = await make();
    await runInDurableObject(use.world.object, (_, { storage }) => {
      storage.sql.exec("UPDATE webhooks SET url = 'https://192.168.1.1/'");
    });
    const fault = expect.stringContaining("192.168.1.1 is not an address on the internet");
    expect(await detail(id)).toMatchObject({ fault });
    await use.world.key();
    await attempt();
    expect(await detail(id)).toMatchObject({ state: "failing", answers: [{ status: null, fault }] });
    expect(calls).toEqual([]);
  });

  it("that are deleted are called no more, and what is done to them is in the log", async () => {
    const { id } = await make();
    await use.world.admin("POST", `/v1/webhooks/${id}/rotate`, {});
    expect((await use.world.admin("DELETE", `/v1/webhooks/${id}`)).status).toBe(204);
    await settle();
    expect(calls).toEqual([]);
    const { json } = await use.world.admin("GET", "/v1/events");
    expect(json["items"]).toMatchObject(
      ["webhook-deleted", "webhook-rotated", "webhook-made"].map((action) => ({
        ...{ action, webhook: id, key: null },
        by: { who: "operator", id: "root" },
      })),
    );
    for (const [method, path, body] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/rotate", {}],
      ["POST", "/test"],
    ] as const) {
      const { status, json } = await use.world.admin(method, `/v1/webhooks/${id}${path}`, body);
      expect(status).toBe(404);
      expect(json["detail"]).toContain("GET /v1/webhooks lists them");
    }
  });

  it("that wait are no rows of the outbox", async () => {
    answering = status(500);
    await make();
    await use.world.key();
    await attempt();
    expect(await use.world.outbox()).toEqual([]);
  });
});

describe("rows written", () => {
  /** Those of three keys made one after the other, and of what follows. */
  const written = async (): Promise<number> => {
    const stop = await runInDurableObject(use.world.object, (_, { storage }) => countRows(storage));
    for (let number = 0; number < 3; number++) await use.world.key();
    await settle();
    return (await runInDurableObject(use.world.object, stop)).written;
  };

  it("are three more for a burst and webhook, and none for a webhook that wants none of it", async () => {
    const without = await written();
    await make({ actions: ["revoked"] });
    expect(await written()).toBe(without);
    await make();
    expect((await written()) - without).toBeLessThanOrEqual(3);
  });
});
