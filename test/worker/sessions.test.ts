// Sessions, which a browser carries in place of an admin token: how far each is good, and when it ends.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { makeApp } from "../../worker/app.ts";
import { LIMITS } from "../../worker/config/limits.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;

const begunSchema = z.object({ id: z.string(), token: z.string(), session: z.string() });

async function begin(token: string = ADMIN, headers: Record<string, string> = {}) {
  const { status, json } = await use.world.call("POST", "/v1/sessions", { token, headers });
  expect(status).toBe(201);
  return begunSchema.parse(json);
}

const makeToken = async (scopes: readonly string[]) =>
  z
    .object({ id: z.string(), token: z.string() })
    .parse((await use.world.admin("POST", "/v1/tokens", { scopes })).json);

const listed = async () =>
  (await use.world.admin("GET", `/v1/sessions?limit=${LIMITS.pageMost}`)).json["items"];

const read = (session: string) => use.world.call("GET", "/v1/nodes", { token: session });

describe("a session", () => {
  it("is good in place of the token in the settings, for twelve hours", async () => {
    const { session, token } = await begin();
    expect([token, session]).toEqual(["root", expect.stringMatching(/^mbs_[A-Za-z0-9_-]{22}$/)]);
    expect((await read(session)).status).toBe(200);
    expect(
      (await use.world.call("POST", "/v1/tokens", { token: session, body: { scopes: ["read"] } })).status,
    ).toBe(201);
    use.world.advance(12 * HOUR - 1000);
    expect((await read(session)).status).toBe(200);
    use.world.advance(2000);
    const { status, json } = await read(session);
    expect([status, json["detail"]]).toEqual([401, expect.stringMatching(/session is over/)]);
  });

  it("does what its token may, and is named by it in the log", async () => {
    const made = await makeToken(["keys"]);
    const { session, token } = await begin(made.token);
    expect(token).toBe(made.id);
    expect((await read(session)).json["type"]).toBe("/problems/forbidden");
    expect((await use.world.call("POST", "/v1/keys", { token: session, body: {} })).status).toBe(201);
    const { json } = await use.world.admin("GET", "/v1/events?action=key-made");
    expect(json["items"]).toEqual([expect.objectContaining({ by: { who: "operator", id: made.id } })]);
  });

  it("ends with its token, revoked or deleted", async () => {
    for (const [method, end] of [
      ["POST", "/revoke"],
      ["DELETE", ""],
    ] as const) {
      const made = await makeToken(["read"]);
      const { session } = await begin(made.token);
      expect((await read(session)).status).toBe(200);
      await use.world.admin(method, `/v1/tokens/${made.id}${end}`);
      expect((await read(session)).status).toBe(401);
    }
  });

  it("ends with the token that the settings had, where that is good no more", async () => {
    const { session } = await begin();
    const settings = { ADMIN_TOKEN: "mba_another-one-of-the-tests-01" };
    const next = async (method: string, path: string, token: string) => {
      const headers = { Authorization: `Bearer ${token}` };
      const request = new Request(`${ORIGIN}${path}`, { method, headers });
      return (await readAnswer(await makeApp().fetch(request, { ...env, ...settings }))).status;
    };
    expect(await next("POST", "/v1/sessions", settings.ADMIN_TOKEN)).toBe(201);
    expect(await next("GET", "/v1/nodes", session)).toBe(200);
    expect(await next("POST", "/v1/tokens/former/revoke", settings.ADMIN_TOKEN)).toBe(200);
    expect(await next("GET", "/v1/nodes", session)).toBe(401);
  });

  it("begins no other", async () => {
    const { session } = await begin();
    expect((await use.world.call("POST", "/v1/sessions", { token: session })).status).toBe(401);
  });

  it("is listed with where it was begun, and ended from there", async () => {
    const { id, session } = await begin(ADMIN, { "CF-Connecting-IP": "192.0.2.7" });
    const { json, text } = await use.world.admin("GET", "/v1/sessions");
    expect(json["items"]).toEqual([expect.objectContaining({ id, token: "root", address: "192.0.2.7" })]);
    expect(text).not.toContain("mbs_");
    expect((await use.world.admin("DELETE", `/v1/sessions/${id}`)).status).toBe(204);
    expect((await read(session)).status).toBe(401);
    expect((await use.world.admin("DELETE", `/v1/sessions/${id}`)).status).toBe(404);
  });

  it("signs out by itself, and ends no other", async () => {
    const [one, other] = [await begin(), await begin()];
    const { status } = await use.world.call("DELETE", "/v1/sessions/current", { token: one.session });
    expect([status, (await read(one.session)).status, (await read(other.session)).status]).toEqual([
      204, 401, 200,
    ]);
  });

  it("says whose it is, what it is good for, and until when", async () => {
    const made = await makeToken(["read", "keys"]);
    const { id, session } = await begin(made.token);
    const current = async (token: string) =>
      (await use.world.call("GET", "/v1/sessions/current", { token })).json;
    expect(await current(session)).toEqual({
      ...{ id, token: made.id, scopes: ["read", "keys"] },
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await current(ADMIN)).toMatchObject({ id: null, token: "root", expiresAt: null });
    expect((await use.world.call("GET", "/v1/sessions/current")).status).toBe(401);
  });

  it("makes room for one more of its token by ending the oldest of those, and forgets what is over", async () => {
    const { token } = await makeToken(["read"]);
    const administrator = await begin();
    const first = await begin(token);
    const second = await begin(token);
    for (let more = 2; more < LIMITS.sessionsOfToken; more++) await begin(token);
    expect((await read(first.session)).status).toBe(200);
    await begin(token);
    expect([(await read(first.session)).status, (await read(second.session)).status]).toEqual([401, 200]);
    for (let more = 0; more < LIMITS.sessions; more++) await begin(token);
    expect((await read(administrator.session)).status).toBe(200);
    use.world.advance(13 * HOUR);
    await begin();
    expect(await listed()).toHaveLength(1);
  });

  it("is refused where those of other tokens are all that there may be, and takes the place of one that is good no more", async () => {
    const others = [];
    for (let number = 0; number < LIMITS.sessions / LIMITS.sessionsOfToken; number++) {
      const made = await makeToken(["read"]);
      others.push(made);
      for (let more = 0; more < LIMITS.sessionsOfToken; more++) await begin(made.token);
    }
    const refused = await use.world.call("POST", "/v1/sessions", { token: ADMIN });
    expect([refused.status, refused.json["type"]]).toEqual([409, "/problems/limit-reached"]);
    expect(await listed()).toHaveLength(LIMITS.sessions);
    await use.world.admin("POST", `/v1/tokens/${others[0]?.id}/revoke`);
    await begin();
  });

  it("is not listed once its token is good no more", async () => {
    const made = await makeToken(["read"]);
    await begin(made.token);
    const { id } = await begin();
    await use.world.admin("POST", `/v1/tokens/${made.id}/revoke`);
    expect(await listed()).toEqual([expect.objectContaining({ id })]);
  });

  it("is in the audit log when it begins and when it is ended", async () => {
    const made = await makeToken(["read"]);
    const one = await begin(made.token);
    const other = await begin(made.token);
    await use.world.call("DELETE", "/v1/sessions/current", { token: one.session });
    await use.world.admin("DELETE", `/v1/sessions/${other.id}`);
    const { json } = await use.world.admin("GET", "/v1/events?limit=4");
    const own = { who: "operator", id: made.id };
    expect(json["items"]).toEqual([
      expect.objectContaining({ action: "session-ended", token: made.id, by: { ...own, id: "root" } }),
      expect.objectContaining({ action: "session-ended", token: made.id, by: own }),
      expect.objectContaining({ action: "session-begun", token: made.id, by: own }),
      expect.objectContaining({ action: "session-begun", token: made.id, by: own }),
    ]);
  });

  it("is begun thirty times a minute from one address, whoever asks for it", async () => {
    const keys: string[] = [];
    const NODE_CALLS = {
      limit: async ({ key }: { key: string }) => ({ success: keys.push(key) < 3 }),
    };
    const tried = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}`, "CF-Connecting-IP": "192.0.2.7" };
      const request = new Request(`${ORIGIN}/v1/sessions`, { method: "POST", headers });
      return (await makeApp().fetch(request, { ...env, NODE_CALLS })).status;
    };
    expect([await tried(ADMIN), await tried("mba_not-the-one-of-the-tests-0"), await tried(ADMIN)]).toEqual([
      201, 401, 429,
    ]);
    expect(new Set(keys)).toEqual(new Set(["sign-in 192.0.2.7"]));
  });
});
