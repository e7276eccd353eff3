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

  it("ends with the token in the settings, once that is another one", async () => {
    const { session } = await begin();
    const request = new Request(`${ORIGIN}/v1/nodes`, { headers: { Authorization: `Bearer ${session}` } });
    const answered = async (settings: object) =>
      (await readAnswer(await makeApp().fetch(request.clone(), { ...env, ...settings }))).status;
    expect(await answered({})).toBe(200);
    expect(await answered({ ADMIN_TOKEN: "mba_another-one-of-the-tests-01" })).toBe(401);
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

  it("makes room for one more by ending the oldest, and forgets what is over", async () => {
    const first = await begin();
    const second = await begin();
    for (let more = 2; more < LIMITS.sessions; more++) await begin();
    expect((await read(first.session)).status).toBe(200);
    await begin();
    expect([(await read(first.session)).status, (await read(second.session)).status]).toEqual([401, 200]);
    use.world.advance(13 * HOUR);
    await begin();
    const { json } = await use.world.admin("GET", `/v1/sessions?limit=${LIMITS.pageMost}`);
    expect(json["items"]).toHaveLength(1);
  });
});
