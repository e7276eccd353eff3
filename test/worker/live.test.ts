// Who listens for changes: who is let in, what is told, and when it ends.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { makeApp } from "../../worker/app.ts";
import { TOPICS } from "../../worker/base/topic.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { LiveSockets } from "../../worker/network/live-sockets.ts";
import { NEWS_OF_TABLES } from "../../worker/store/news.ts";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;

/** The request for a socket, with those headers. */
const ask = (headers: Record<string, string>, origin = ORIGIN) =>
  exports.default.fetch(`${origin}/v1/live`, { headers: { Upgrade: "websocket", ...headers } });

const carrying = (token: string) => ({ Authorization: `Bearer ${token}` });

/** A listener, and what it has heard so far. */
class Listener {
  readonly heard: string[] = [];
  readonly #socket: WebSocket;
  #wake: () => void = () => undefined;
  closed: number | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      this.heard.push(String(data));
      this.#wake();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.#wake();
    });
  }

  close(): void {
    this.#socket.close(1000);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Waits until what it has heard, or its end, is as wanted. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** What the next message names. */
  async next(): Promise<string[]> {
    const before = this.heard.length;
    await this.until(() => this.heard.length > before);
    return z.object({ changed: z.array(z.string()) }).parse(JSON.parse(this.heard[before] ?? "")).changed;
  }

  /** With which code it was closed. */
  async end(): Promise<number | undefined> {
    await this.until(() => this.closed !== undefined);
    return this.closed;
  }
}

async function listen(headers: Record<string, string> = carrying(ADMIN)): Promise<Listener> {
  const { status, webSocket } = await ask(headers);
  if (webSocket === null) throw new Error(`no socket, but ${status}`);
  return new Listener(webSocket);
}

const sessionSchema = z.object({ id: z.string(), session: z.string() });

async function signIn(token: string = ADMIN) {
  return sessionSchema.parse((await use.world.call("POST", "/v1/sessions", { token })).json);
}

const beat = async (token: string, report: object) =>
  (await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, { token, body: report })).status;

/** One imagined listener, who comes and goes bad when the test says so, and the time, which passes when it says so. */
function imagined() {
  const told: string[] = [];
  const closed: number[] = [];
  const sleepers: { ms: number; wake: () => void }[] = [];
  let [isThere, isGood] = [false, true];
  const socket = {
    readyState: WebSocket.OPEN,
    deserializeAttachment: () => ({ token: "root", session: null }),
    send: (text: string) => told.push(text),
    close: (code: number) => closed.push(code),
  };
  const live = new LiveSockets({
    platform: {
      // Of a socket no more is used for this.
      getWebSockets: () => (isThere ? [socket as unknown as WebSocket] : []),
      acceptWebSocket: () => undefined,
      setWebSocketAutoResponse: () => undefined,
    },
    isGood: () => isGood,
    sleep: (ms) => new Promise((resolve) => void sleepers.push({ ms, wake: resolve })),
    log: () => undefined,
  });
  const pass = async () => {
    sleepers.shift()?.wake();
    await Promise.resolve();
  };
  const come = () => {
    isThere = true;
  };
  const goBad = () => {
    isGood = false;
  };
  return { live, told, closed, sleepers, pass, come, goBad };
}

describe("whoever asks to listen", () => {
  it.each([
    ["nothing", {}],
    ["what is no operator's", carrying(`mbn_${"x".repeat(22)}`)],
    ["a session that there is not", carrying(`mbs_${"x".repeat(22)}`)],
  ])("is refused with %s", async (_, headers) => {
    const { status, webSocket } = await ask(headers);
    expect([webSocket, [401, 403]]).toEqual([null, expect.arrayContaining([status])]);
  });

  it("is let in by a token of any scope, or by its session", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["keys"] });
    for (const token of [ADMIN, String(json["token"]), (await signIn()).session])
      expect((await ask(carrying(token))).status).toBe(101);
  });

  it("is told to upgrade", async () => {
    const { status, json } = await use.world.admin("GET", "/v1/live");
    expect([status, json["detail"]]).toEqual([400, expect.stringContaining("Upgrade: websocket")]);
  });

  it("may be a page of ours with its cookie, and none of another site's", async () => {
    const { session } = await signIn();
    const cookie = { Cookie: `__Host-meshboot=${session}` };
    expect((await ask({ ...cookie, Origin: ORIGIN })).status).toBe(101);
    for (const headers of [
      {},
      { Origin: "https://elsewhere.example" },
      { "Sec-Fetch-Site": "same-site", Origin: "https://other.example.com" },
    ]) {
      const answer = await ask({ ...cookie, ...headers });
      expect([answer.status, answer.webSocket]).toEqual([401, null]);
    }
  });

  it("may be a page of ours by https, where something before the Worker has taken that off", async () => {
    const cookie = { Cookie: `__Host-meshboot=${(await signIn()).session}` };
    const plain = ORIGIN.replace("https:", "http:");
    expect((await ask({ ...cookie, Origin: ORIGIN }, plain)).status).toBe(101);
    expect((await ask({ ...cookie, Origin: plain }, plain)).status).toBe(401);
  });

  it("has so many sockets and no more, by each session", async () => {
    const { session } = await signIn();
    const open = [];
    for (let number = 0; number < LIMITS.listenersOfOne; number++) open.push(await listen(carrying(session)));
    const { status, json } = await readAnswer(await ask(carrying(session)));
    expect([status, json["type"]]).toEqual([409, "/problems/limit-reached"]);
    expect((await ask(carrying((await signIn()).session))).status).toBe(101);
    open[3]?.close();
    await open[3]?.end();
    expect((await ask(carrying(session))).status).toBe(101);
  });

  it("finds room for a hundred in all", async () => {
    const open = [];
    for (let number = 0; number < LIMITS.listeners / LIMITS.listenersOfOne; number++) {
      const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
      for (let more = 0; more < LIMITS.listenersOfOne; more++)
        open.push(await listen(carrying(String(json["token"]))));
    }
    expect([(await ask(carrying(ADMIN))).status, open.length]).toEqual([409, LIMITS.listeners]);
  });
});

describe("what changes", () => {
  it("is named, with nothing of it", async () => {
    const key = await use.world.key();
    const listener = await listen();
    await use.world.enrol({ name: "shop", key });
    const changed = await listener.next();
    expect(changed).toEqual(expect.arrayContaining(["servers", "pool", "keys", "events"]));
    expect(changed.every((topic) => TOPICS.some((known) => known === topic))).toBe(true);
    expect(listener.heard.join(" ")).not.toMatch(/shop|mb[akns]_/);
  });

  it("is told together when it comes within a second, and costs no timer while nobody listens", async () => {
    const { live, told, sleepers, pass, come } = imagined();
    live.changed(new Set(["keys"]));
    expect(sleepers).toEqual([]);
    come();
    for (const news of [["servers", "pool"], ["events"], ["servers"], []] as const)
      live.changed(new Set(news));
    expect([sleepers.length, sleepers[0]?.ms, told]).toEqual([1, LIMITS.liveMs, []]);
    await pass();
    live.changed(new Set(["tokens"]));
    await pass();
    expect(told).toEqual(['{"changed":["servers","pool","events"]}', '{"changed":["tokens"]}']);
  });

  it("is not that a server was heard once more, but what it says anew, and that it is back", async () => {
    const { json } = await use.world.enrol();
    const token = String(json["token"]);
    await use.world.settle();
    const report = { state: "ok", facts: { agent: "0.1.0" } };
    expect(await beat(token, report)).toBe(200);
    const listener = await listen();
    expect(await beat(token, report)).toBe(200);
    expect((await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["lastSeen"]).toBe(
      (await use.world.admin("GET", `/v1/nodes/${identity(0).node}`)).json["reportedAt"],
    );
    // What is heard first is of what comes second.
    await use.world.key();
    expect(await listener.next()).toEqual(["keys", "events"]);
    expect(await beat(token, { ...report, facts: { agent: "0.2.0" } })).toBe(200);
    expect(await listener.next()).toEqual(["servers", "pool"]);
    use.world.advance(5 * HOUR);
    expect(await beat(token, { ...report, facts: { agent: "0.2.0" } })).toBe(200);
    expect(await listener.next()).toEqual(["servers", "pool"]);
  });

  it("is what a server found of itself and of others, but not the same found again", async () => {
    const { json } = await use.world.enrol();
    const token = String(json["token"]);
    await use.world.settle();
    const finding = { link: "peers", level: "warning", saw: "1", expected: "2", remedy: "wait" };
    const family = (rttMs: number) => ({ answers: true, rttMs, loss: 0, mtu: 1500 });
    const report = (rttMs: number, link = "peers", ipv6: object = family(rttMs)) => ({
      state: "ok",
      findings: [{ ...finding, link }],
      probes: {
        secondsAgo: 0,
        pairs: [{ to: identity(1).node, ipv4: family(rttMs), ipv6, path: "direct" }],
      },
    });
    expect(await beat(token, report(1))).toBe(200);
    const listener = await listen();
    use.world.advance(HOUR);
    expect(await beat(token, report(2))).toBe(200);
    await use.world.key();
    expect(await listener.next()).toEqual(["keys", "events"]);
    expect(await beat(token, report(2, "sysctls"))).toBe(200);
    expect(await listener.next()).toEqual(["servers", "pool"]);
    const silent = { answers: false, rttMs: null, loss: 100, mtu: null };
    expect(await beat(token, report(2, "sysctls", silent))).toBe(200);
    expect(await listener.next()).toEqual(["servers", "pool"]);
    expect(await beat(token, { ...report(2, "sysctls"), probes: undefined })).toBe(200);
    expect(await listener.next()).toEqual(["servers", "pool"]);
  });

  it("is said of servers by the hourly run, since they go offline without a word", async () => {
    const listener = await listen();
    await use.world.object.reconcile();
    expect(await listener.next()).toContain("servers");
  });

  it("is told by an object that forgot all but its sockets", async () => {
    const { session } = await signIn();
    const listener = await listen(carrying(session));
    await evictDurableObject(use.world.object);
    await use.world.key();
    expect(await listener.next()).toEqual(["keys", "events"]);
  });

  it("has a topic for each table, or none on purpose", async () => {
    await use.world.health();
    const tables = await runInDurableObject(use.world.object, (_, { storage }) =>
      storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .toArray()
        .map(({ name }) => name),
    );
    const ours = tables.filter((name) => !/^(_cf_|sqlite_|migrations$)/.test(name));
    expect(Object.keys(NEWS_OF_TABLES).sort()).toEqual(ours.sort());
  });
});

describe("a socket", () => {
  it("of one who may listen no more is closed at once when tokens or sessions change", () => {
    for (const topic of ["tokens", "sessions"] as const) {
      const { live, told, closed, come, goBad } = imagined();
      come();
      goBad();
      live.changed(new Set(["servers"]));
      expect(closed).toEqual([]);
      live.changed(new Set([topic]));
      expect([closed, told]).toEqual([[4401], []]);
    }
  });

  it("is answered ping by the platform, and ended by anything else", async () => {
    const listener = await listen();
    listener.send("ping");
    await listener.until(() => listener.heard.length > 0);
    expect(listener.heard).toEqual(["pong"]);
    listener.send("more");
    expect(await listener.end()).toBe(1003);
  });

  it("ends with its session: signed out, or ended by somebody else, also in an object that forgot it", async () => {
    const one = await signIn();
    const other = await signIn();
    const [first, second, third] = [
      await listen(carrying(one.session)),
      await listen(carrying(other.session)),
      await listen(),
    ];
    await use.world.call("DELETE", "/v1/sessions/current", { token: one.session });
    expect(await first.end()).toBe(4401);
    await evictDurableObject(use.world.object);
    await use.world.admin("DELETE", `/v1/sessions/${other.id}`);
    expect(await second.end()).toBe(4401);
    expect([second.heard, third.closed]).toEqual([expect.anything(), undefined]);
  });

  it("ends with its token, and with the session of that token", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read"] });
    const token = String(json["token"]);
    const listeners = [await listen(carrying(token)), await listen(carrying((await signIn(token)).session))];
    await use.world.admin("POST", `/v1/tokens/${json["id"]}/revoke`);
    for (const listener of listeners) expect(await listener.end()).toBe(4401);
  });

  it("goes on for whom Cloudflare Access let in, until that session ends", async () => {
    const begun = await use.world.object.beginSession({
      email: "ann@example.com",
      audience: env.ACCESS_AUD,
      address: null,
    });
    if (!begun.ok) throw new Error(begun.error.problem);
    const listener = await listen(carrying(begun.value.session));
    await use.world.key();
    expect(await listener.next()).toContain("keys");
    await use.world.admin("DELETE", `/v1/sessions/${begun.value.id}`);
    expect(await listener.end()).toBe(4401);
  });

  it("ends for a session that was begun with an ADMIN_TOKEN, once that is a former one and taken back", async () => {
    const { json } = await use.world.admin("POST", "/v1/sessions");
    const listener = await listen(carrying(String(json["session"])));
    const next = "mba_the-next-one-of-the-tests-01";
    const request = new Request(`${ORIGIN}/v1/tokens/former/revoke`, {
      method: "POST",
      headers: carrying(next),
    });
    expect((await makeApp().fetch(request, { ...env, ADMIN_TOKEN: next })).status).toBe(200);
    expect(await listener.end()).toBe(4401);
  });

  it("tells nothing more when its session has expired", async () => {
    const listener = await listen(carrying((await signIn()).session));
    use.world.advance(13 * HOUR);
    await use.world.key();
    expect([await listener.end(), listener.heard]).toEqual([4401, []]);
  });
});

describe("a page", () => {
  it("looks its session up once, however much it asks for, and a form does so again", async () => {
    const { session } = await signIn();
    let asked = 0;
    const NETWORK = {
      getByName: (name: string) => {
        asked += 1;
        return env.NETWORK.getByName(name);
      },
    };
    const browse = async (path: string, method = "GET") => {
      asked = 0;
      const headers = { Cookie: `__Host-meshboot=${session}`, Origin: ORIGIN };
      const request = new Request(`${ORIGIN}${path}`, { method, headers, redirect: "manual" });
      const { status } = await makeApp().fetch(request, { ...env, NETWORK });
      return [status, asked];
    };
    // Whose session it is, the list, how the object is, who is at fault for silence, and whose first boot stands still.
    expect(await browse("/")).toEqual([200, 5]);
    expect(await browse("/pool")).toEqual([200, 3]);
    // The key itself is looked for by the call that takes it back, after a look at whose call it is.
    expect(await browse("/keys/0123456789abcdef/revoke", "POST")).toEqual([404, 3]);
  });

  it("is not let in by another request's word", async () => {
    const { session, id } = await signIn();
    const browse = async () => {
      const headers = { Cookie: `__Host-meshboot=${session}` };
      return (await exports.default.fetch(`${ORIGIN}/keys`, { headers, redirect: "manual" })).status;
    };
    expect(await browse()).toBe(200);
    await use.world.admin("DELETE", `/v1/sessions/${id}`);
    expect(await browse()).toBe(401);
  });
});
