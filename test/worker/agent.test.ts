import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { makeApp } from "../../worker/app.ts";
import { sha256Hex } from "../../worker/base/secret.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const EARLIER = "#!/bin/sh\n# The agent of an earlier deploy.\n";

describe("GET /agent/:sha256", () => {
  it("gives everybody the agent whose SHA-256 user-data names, for ever", async () => {
    const { json } = await use.world.admin("POST", "/v1/user-data", {});
    const named = /\/etc\/meshboot\/agent\.sha256\n +content: \|\n +([0-9a-f]{64})\n/.exec(
      String(json["userData"]),
    )?.[1];
    const { status, text, headers } = await use.world.call("GET", `/agent/${named}`);
    expect(status).toBe(200);
    expect(await sha256Hex(text)).toBe(named);
    expect(text).toBe(AGENT.program);
    expect(headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  });

  it.each([
    ["br, gzip", "gzip"],
    ["", null],
    ["identity", null],
    [undefined, null],
  ])("is compressed for a client that takes %s: %s", async (clientAcceptEncoding, encoding) => {
    // What the client takes is there alone; the header is this one for every client.
    const request = new Request(`${ORIGIN}/agent/${AGENT.sha256}`, {
      headers: { "Accept-Encoding": "br, gzip" },
      ...(clientAcceptEncoding !== undefined && { cf: { clientAcceptEncoding } }),
    });
    const response = await makeApp().fetch(request, { ...env });
    expect(response.headers.get("Content-Encoding")).toBe(encoding);
    expect(await response.text()).toBe(AGENT.program);
  });

  it("also gives those of earlier deploys", async () => {
    const sha256 = await sha256Hex(EARLIER);
    await env.LEASES.put(`agent/${sha256}`, EARLIER);
    expect((await use.world.call("GET", `/agent/${sha256}`)).text).toBe(EARLIER);
  });

  it("says what to do about one that it never had, and about what is no SHA-256", async () => {
    const unknown = await use.world.call("GET", `/agent/${"0".repeat(64)}`);
    expect([unknown.status, unknown.json["type"]]).toEqual([404, "/problems/not-found"]);
    expect(unknown.json["detail"]).toMatch(/make new user-data.*meshboot upgrade/);
    expect((await use.world.call("GET", "/agent/tools")).status).toBe(400);
  });
});

it("GET /agent says which agent new user-data names", async () => {
  const { version, sha256, bytes } = AGENT;
  expect((await use.world.call("GET", "/agent")).json).toEqual({ version, sha256, bytes });
  const { text } = await use.world.call("GET", "/agent", { headers: { Accept: "text/plain" } });
  expect(text).toBe(`VERSION=${version}\nSHA256=${sha256}\nBYTES=${bytes}\n`);
});

describe("the agent in KV", () => {
  const kept = async () => (await env.LEASES.list({ prefix: "agent/" })).keys.map(({ name }) => name);
  const operator = { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" };
  /** A Worker that has just started. */
  const freshWorker = () => {
    const app = makeApp();
    return (path: string, init: RequestInit = {}) =>
      app.fetch(new Request(`${ORIGIN}${path}`, init), { ...env });
  };
  const make = (form: string) => ({ method: "POST", headers: operator, body: JSON.stringify({ form }) });

  it("is there before the first user-data that names it, and stays as it was written", async () => {
    const worker = freshWorker();
    expect((await worker("/v1/user-data", make("cloud-config"))).status).toBe(201);
    expect(await kept()).toEqual([`agent/${AGENT.sha256}`]);
    expect(await env.LEASES.get(`agent/${AGENT.sha256}`)).toBe(AGENT.program);
    // A second write would put this back: there is one a release, and KV allows a thousand a day for all.
    await env.LEASES.put(`agent/${AGENT.sha256}`, "written once");
    for (const call of [worker, freshWorker()])
      expect((await call("/v1/user-data", make("script"))).status).toBe(201);
    expect(await env.LEASES.get(`agent/${AGENT.sha256}`)).toBe("written once");
  });

  it("is also there before a server gets its cloud-config from /boot, and before GET /agent names it", async () => {
    const key = await use.world.key();
    for (const path of [`/boot/${key}`, `/boot/${key}/sh`, "/agent"]) {
      await env.LEASES.delete(`agent/${AGENT.sha256}`);
      expect((await freshWorker()(path)).status).toBe(200);
      expect([path, await kept()]).toEqual([path, [`agent/${AGENT.sha256}`]]);
    }
  });

  it("cannot be kept: no user-data and no key are made, and a server that boots gets its own all the same", async () => {
    const key = await use.world.key();
    const full = {
      get: async () => null,
      put: () => Promise.reject(new Error("KV put() limit exceeded for the day")),
    };
    const call = (path: string, init: RequestInit = {}) =>
      makeApp().fetch(new Request(`${ORIGIN}${path}`, init), { ...env, LEASES: full });
    const refused = await call("/v1/user-data", {
      method: "POST",
      headers: { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" },
      body: "{}",
    });
    const { status, json, headers } = await readAnswer(refused);
    expect([status, json["type"], headers.get("Retry-After")]).toEqual([
      503,
      "/problems/agent-not-kept",
      "60",
    ]);
    expect(json["detail"]).toContain("KV put() limit exceeded");
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toHaveLength(1);
    expect((await call(`/boot/${key}`)).status).toBe(200);
    expect(use.world.log.join("\n")).toContain('"event":"agent-not-kept"');
  });
});
