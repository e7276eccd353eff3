import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { identity } from "./identities.ts";
import { ADMIN, type Answer, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();

/** A limiter that lets each key through so often. */
function limiter(times: number) {
  const counts = new Map<string, number>();
  const limit = vi.fn(async ({ key }: { key: string }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return { success: (counts.get(key) ?? 0) <= times };
  });
  return { limit };
}

async function call(bindings: object, path: string, init: RequestInit): Promise<Answer> {
  return readAnswer(await makeApp().fetch(new Request(`${ORIGIN}${path}`, init), { ...env, ...bindings }));
}

describe("the limit of a node's calls", () => {
  const json = { "Content-Type": "application/json" };

  it("holds from whatever address it calls, and for itself alone", async () => {
    const tokens: string[] = [];
    for (const number of [0, 1]) tokens.push(String((await use.world.enrol({ number })).json["token"]));
    const NODE_CALLS = limiter(2);
    let address = 0;
    const beat = (number: number) =>
      call({ NODE_CALLS }, `/v1/nodes/${identity(number).node}/heartbeat`, {
        method: "POST",
        headers: {
          ...json,
          Authorization: `Bearer ${tokens[number]}`,
          "CF-Connecting-IP": `192.0.2.${address++}`,
        },
        body: '{"state":"ok"}',
      });
    expect([(await beat(0)).status, (await beat(0)).status]).toEqual([200, 200]);
    const refused = await beat(0);
    expect([refused.status, refused.json["type"]]).toEqual([429, "/problems/too-many-requests"]);
    expect(refused.json["detail"]).toContain("of this node");
    expect(refused.headers.get("Retry-After")).toBe("60");
    expect((await beat(1)).status).toBe(200);
  });

  it("cannot be used up by somebody without the node's token", async () => {
    const token = String((await use.world.enrol()).json["token"]);
    const NODE_CALLS = limiter(2);
    const read = (bearer: string) =>
      call({ NODE_CALLS }, `/v1/nodes/${identity(0).node}`, {
        headers: { Authorization: `Bearer ${bearer}` },
      });
    for (let time = 0; time < 5; time++) await read("mbn_0123456789abcdefghijkl");
    expect((await read(token)).status).toBe(200);
    for (let time = 0; time < 5; time++) expect((await read(ADMIN)).status).toBe(200);
  });

  it("counts an enrolment once its signature is checked", async () => {
    const key = await use.world.key();
    const NODE_CALLS = limiter(2);
    const enrol = async (change = {}) =>
      call({ NODE_CALLS }, "/v1/enroll", {
        method: "POST",
        headers: { ...json, Authorization: `Bearer ${key}` },
        body: JSON.stringify(await use.world.body({ change })),
      });
    for (let time = 0; time < 5; time++)
      expect((await enrol({ signature: "0".repeat(192) })).json["type"]).toBe("/problems/invalid-signature");
    const statuses = [await enrol(), await enrol(), await enrol()].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

describe("the limit of a node's returns", () => {
  const leave = (token: unknown) =>
    use.world.call("DELETE", `/v1/nodes/${identity(0).node}`, { token: String(token) });

  it("keeps one that leaves and comes in a loop out for a while, and no other", async () => {
    const key = await use.world.key({ maxUses: 5 });
    const come = () => use.world.enrol({ key });
    for (let time = 0; time <= 10; time++) {
      const { status, json } = await come();
      expect([time, status, json["slot"]]).toEqual([time, 200, 1]);
      use.world.advance(60_000);
      expect((await leave(json["token"])).status).toBe(204);
    }
    const refused = await come();
    expect([refused.status, refused.json["type"]]).toEqual([429, "/problems/too-many-requests"]);
    expect(refused.json["detail"]).toContain("has left the mesh and come back too often");
    expect((await use.world.enrol({ key, number: 1 })).status).toBe(200);
    const seconds = Number(refused.headers.get("Retry-After"));
    expect(seconds).toBeLessThanOrEqual(3000);
    use.world.advance(seconds * 1000);
    expect((await come()).json["slot"]).toBe(1);
  });
});

describe("the limit of an address's calls", () => {
  it("counts the /64 of an IPv6 address, all of which one host has", async () => {
    const CALLS = limiter(2);
    const ask = async (address: string) =>
      (await call({ CALLS }, "/healthz", { headers: { "CF-Connecting-IP": address } })).status;
    expect([await ask("2001:db8:0:1::1"), await ask("2001:db8:0:1:ffff::2")]).toEqual([200, 200]);
    expect(await ask("2001:0db8::1:0:0:0:3")).toBe(429);
    expect(await ask("2001:db8:0:2::1")).toBe(200);
    expect([await ask("192.0.2.1"), await ask("192.0.2.2"), await ask("192.0.2.3")]).toEqual([200, 200, 200]);
  });
});
