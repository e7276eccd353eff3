// What is said to people: a remedy that works, in words of ours, in a form that they can read.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

describe("a faulty value", () => {
  const faults = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (await use.world.admin(method, path, body)).json["errors"];

  it("is refused in our own words, not the validator's", async () => {
    expect(await faults("GET", "/v1/nodes?limit=0")).toEqual(["limit: give at least 1"]);
    expect(await faults("GET", "/v1/nodes?limit=201")).toEqual(["limit: give at most 200"]);
    expect(await faults("GET", "/v1/nodes?limit=many")).toEqual(["limit: give a number"]);
    expect(await faults("GET", "/v1/nodes?limit=1.5")).toEqual(["limit: give a whole number"]);
    expect(await faults("GET", "/v1/nodes?sort=id")).toEqual([
      "sort: give one of name, -name, slot, -slot, lastSeen, -lastSeen",
    ]);
    expect(await faults("POST", "/v1/keys", { maxUses: 0, approval: "yes", tags: "web" })).toEqual([
      "maxUses: give at least 1",
      "approval: give true or false",
      "tags: give a list",
    ]);
    expect(await faults("POST", "/v1/keys", { note: "x".repeat(201) })).toEqual([
      "note: give at most 200 characters",
    ]);
    expect(await faults("POST", "/v1/keys", { note: `for ${await use.world.key()}` })).toEqual([
      "note: leave keys and tokens out: whoever lists keys sees it",
    ]);
    expect(await faults("POST", "/v1/user-data", { provider: "nobody" })).toEqual([
      expect.stringMatching(/^provider: give one of .*hetzner/),
    ]);
    expect(await faults("PATCH", "/v1/nodes/4e8d87c868", {})).toEqual(["body: say `name`, `tags` or both"]);
    expect(await faults("POST", "/v1/keys", [])).toEqual(["body: give an object"]);
  });
});

describe("a remedy", () => {
  it("does not send anybody to other ranges while there are leases", async () => {
    const text = (await use.world.call("GET", "/problems/pool-exhausted")).text;
    expect(text).toContain("state=stale");
    expect(text).toContain("only by a Worker that has no lease");
    const key = await use.world.key();
    const overlap = await use.world.enrol({ key, change: { localPrefixes: ["172.28.3.0/24"] } });
    expect(overlap.json["detail"]).toContain("Give that network other addresses; or allow it");
    expect(overlap.json["detail"]).not.toContain("other ranges");
  });

  it("names the right address where a slash is doubled, or stands at the end", async () => {
    for (const [path, meant] of [
      ["//v1/nodes", "/v1/nodes"],
      ["/v1//nodes", "/v1/nodes"],
      ["/v1/nodes/", "/v1/nodes"],
      ["//v1/pool//", "/v1/pool"],
    ]) {
      const { status, json } = await use.world.admin("GET", path ?? "");
      expect([status, json["detail"]]).toEqual([
        404,
        `nothing is under this address, in which a slash is doubled or stands at the end: ${meant} may be meant`,
      ]);
    }
    for (const path of ["/v1/nothing", "/v1/nothing/", "//nothing", "/problems/"])
      expect((await use.world.admin("GET", path)).json["detail"]).toBe(
        "nothing is under this address; /openapi.json lists the calls",
      );
  });
});

describe("a browser", () => {
  it("gets a page for what is not there, and for what it may not see", async () => {
    for (const [path, status, text] of [
      ["/nothing", 404, "No page is under this address"],
      ["/v1/nothing", 404, "nothing is under this address"],
      ["/v1/nodes", 401, "<code>Authorization: Bearer mba_…</code>"],
      ["/problems/nothing", 404, "no problem by that name"],
    ] as const) {
      const answer = await use.world.call("GET", path, { headers: { Accept: BROWSER } });
      expect([path, answer.status, answer.headers.get("Content-Type")]).toEqual([
        path,
        status,
        "text/html; charset=UTF-8",
      ]);
      expect(answer.text).toContain(text);
      expect(answer.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    }
  });

  it("is one where a page is asked for: what is sent is answered as ever", async () => {
    const { headers } = await use.world.call("POST", "/v1/keys", { headers: { Accept: BROWSER } });
    expect(headers.get("Content-Type")).toBe("application/problem+json");
  });

  it("gets no markup of somebody else's making", async () => {
    const path = "/v1//%3Cscript%3E";
    const { text } = await use.world.call("GET", path, { headers: { Accept: BROWSER } });
    expect(text).not.toContain("<script>");
  });
});

describe("curl … | sh", () => {
  const script = async (bindings: object, path: string) =>
    readAnswer(await makeApp().fetch(new Request(`${ORIGIN}${path}`), { ...env, ...bindings }));

  it("with a key that is deleted, or while nobody answers, is a script that says so and ends with 1", async () => {
    const key = await use.world.key();
    const [id] = (await use.world.admin("GET", "/v1/keys")).text.match(/[0-9a-f]{16}/) ?? [];
    await use.world.admin("DELETE", `/v1/keys/${id}`);
    const NETWORK = { getByName: () => ({ userDataOf: () => Promise.reject(new Error("away")) }) };
    const CALLS = { limit: async () => ({ success: false }) };
    for (const [bindings, said] of [
      [{}, "no such enrolment key"],
      [{ NETWORK }, "does not answer"],
      [{ CALLS }, "too many calls"],
      [{ ZEROTIER_NETWORK: "" }, "ZEROTIER_NETWORK is not set"],
    ] as const) {
      const { status, text, headers } = await script(bindings, `/boot/${key}/sh`);
      expect([status, headers.get("Content-Type")]).toEqual([200, "text/x-shellscript; charset=utf-8"]);
      expect(text).toMatch(/^#!\/bin\/sh\necho 'meshboot: .*' >&2\nexit 1\n$/);
      expect(text).toContain(said);
      expect(headers.get("Cache-Control")).toBe("no-store");
    }
    // cloud-init is told by the status.
    expect((await script({}, `/boot/${key}`)).status).toBe(404);
  });
});

describe("a setting", () => {
  const faultOf = async (settings: object): Promise<string> => {
    const request = new Request(`${ORIGIN}/healthz`, { headers: { Authorization: `Bearer ${ADMIN}` } });
    return (await makeApp().fetch(request, { ...env, ...settings })).text();
  };

  it("that names a network without a controller is told from a misspelt one", async () => {
    expect(await faultOf({ ZEROTIER_NETWORK: "ff56c2e21c000001" })).toContain("ad-hoc networks");
    expect(await faultOf({ ZEROTIER_NETWORK: "0000000000000001" })).toContain("no network has this id");
    expect(await faultOf({ ZEROTIER_NETWORK: "8056c2e21c00000" })).toContain("exactly 16 hex digits");
  });

  it("with host bits is told the prefix that it is in", async () => {
    expect(await faultOf({ ZEROTIER_RANGE: "10.147.17.5/24" })).toContain("an address in 10.147.17.0/24");
    expect(await faultOf({ DOCKER_POOL: "172.28.1.0/16" })).toContain("an address in 172.28.0.0/16");
    expect(await faultOf({ ZEROTIER_RANGE: "10.147.17" })).toContain("such as 10.147.17.0/24");
  });
});
