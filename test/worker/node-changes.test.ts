// One thing done with many nodes by one call.
import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { type Document, useWorld } from "./world.ts";

const use = useWorld();
const HOUR = 3_600_000;
const node = (number: number): string => identity(number).node;
const member = (number: number) => use.world.central.network.members.get(node(number));
const change = (body: object, query = "") => use.world.admin("POST", `/v1/nodes/changes${query}`, body);
const items = (json: Document): Document[] => (Array.isArray(json["items"]) ? json["items"] : []);

/** Lets in servers 0, 1, … of those names, which wait for approval if wanted. */
async function enrol(names: readonly string[], approval = false): Promise<void> {
  const key = await use.world.key({ maxUses: 9, approval, tags: ["web"] });
  for (const [number, name] of names.entries()) await use.world.enrol({ key, number, name });
}

describe("a change of many nodes", () => {
  it("approves those that wait and revokes them again, here and at the controller", async () => {
    await enrol(["web1", "web2"], true);
    const nodes = [node(0), node(1), node(0)];
    const approved = await change({ change: "approve", nodes });
    expect(approved.status).toBe(200);
    expect(approved.json).toMatchObject({ dryRun: false, change: "approve" });
    expect(items(approved.json)).toEqual([
      expect.objectContaining({ node: node(0), name: "web1", state: "active", ending: null, problem: null }),
      expect.objectContaining({ node: node(1), name: "web2", state: "active" }),
    ]);
    expect([member(0)?.config.authorized, member(1)?.config.authorized]).toEqual([true, true]);
    await change({ change: "revoke", nodes });
    expect([member(0)?.config.authorized, member(1)?.config.authorized]).toEqual([false, false]);
    const { json } = await use.world.admin("GET", "/v1/events?action=revoked");
    expect(items(json).map(({ name, by }) => [name, by])).toEqual(
      ["web2", "web1"].map((name) => [name, { who: "operator", id: "root" }]),
    );
  });

  it("says of which the controller has not heard yet, and goes on telling it", async () => {
    await enrol(["web1", "web2", "web3"]);
    await use.world.settle();
    use.world.central.fail("POST", "/member/", { kind: "status", status: 502, times: 99 });
    const delivered = (json: Document) => items(json).map((item) => item["delivered"]);
    expect(delivered((await change({ change: "revoke", nodes: [node(0)] })).json)).toEqual([false]);
    expect(delivered((await change({ change: "delete", nodes: [node(1)] })).json)).toEqual([false]);
    const tag = { change: "tag", nodes: [node(0), node(2), "0100000000"], addTags: ["eu"] };
    expect(delivered((await change(tag)).json)).toEqual([false, true, true]);
    use.world.central.faults.clear();
    use.world.advance(HOUR);
    await use.world.settle();
    expect([member(0)?.config.authorized, member(1)?.config.authorized ?? false]).toEqual([false, false]);
    expect(delivered((await change({ change: "revoke", nodes: [node(0)] }, "?dryRun=true")).json)).toEqual([
      true,
    ]);
  });

  it("says of each what came of it, and does the others when one cannot be done", async () => {
    await enrol(["web1"]);
    const { json } = await change({ change: "retire", nodes: ["0100000000", node(0)] });
    expect(items(json)).toEqual([
      {
        ...{ node: "0100000000", name: null, state: null, delivered: true, tags: [], ending: null },
        problem: expect.objectContaining({ type: "/problems/not-found", status: 404 }),
      },
      expect.objectContaining({ name: "web1", state: null, problem: null }),
    ]);
    expect(items(json)[1]?.["ending"]).toMatchObject({ dryRun: false, freeAt: null });
    expect((await use.world.admin("GET", "/v1/reservations")).json["items"]).toEqual([
      expect.objectContaining({ name: "web1", node: null }),
    ]);
  });

  it("only says what it would do with dryRun", async () => {
    await enrol(["web1", "web2"]);
    const nodes = [node(0), node(1)];
    for (const wanted of ["approve", "revoke", "retire", "delete"]) {
      const { json } = await change({ change: wanted, nodes }, "?dryRun=true");
      expect(json["dryRun"]).toBe(true);
      expect(items(json).map(({ name, state }) => [name, state])).toEqual([
        ["web1", "active"],
        ["web2", "active"],
      ]);
      const isEnd = wanted === "retire" || wanted === "delete";
      for (const { ending } of items(json)) expect(ending === null).toBe(!isEnd);
    }
    const { json } = await use.world.admin("GET", "/v1/nodes");
    expect(items(json).map(({ state }) => state)).toEqual(["active", "active"]);
    expect((await use.world.admin("GET", "/v1/events?action=approved")).json["items"]).toEqual([]);
  });

  it("deletes for good, as one by itself", async () => {
    await enrol(["web1"]);
    const { json } = await change({ change: "delete", nodes: [node(0)] });
    expect(JSON.stringify(items(json)[0]?.["ending"])).toContain("has to be changed");
    expect((await use.world.admin("GET", `/v1/nodes/${node(0)}`)).status).toBe(404);
    const [key] = items((await use.world.admin("GET", "/v1/keys")).json);
    expect(key).toMatchObject({ uses: 1 });
    expect(member(0)?.config.authorized ?? false).toBe(false);
  });

  it("adds and takes away tags, but none beyond the most of one", async () => {
    await enrol(["web1", "web2"]);
    const full = Array.from({ length: 16 }, (_, at) => `t${at}`);
    await use.world.admin("PATCH", `/v1/nodes/${node(1)}`, { tags: full });
    const wanted = { change: "tag", nodes: [node(0), node(1)], addTags: ["eu"], removeTags: ["web"] };
    const preview = items((await change(wanted, "?dryRun=true")).json);
    expect(preview.map(({ problem }) => problem === null)).toEqual([true, false]);
    const done = items((await change(wanted)).json);
    expect(done[0]).toMatchObject({ name: "web1", tags: ["eu"], problem: null });
    expect(done[1]).toMatchObject({ name: "web2", problem: { status: 400 } });
    expect(JSON.stringify(done[1]?.["problem"])).toContain("web2 would have 17 tags, and 16 is the most");
  });

  it("tells the controller of as many as one call may, and of the rest by its alarm", async () => {
    const nodes = Array.from({ length: 50 }, (_, at) => (0x1_0000_0000 + at).toString(16).padStart(10, "0"));
    for (const [at, id] of nodes.entries())
      await use.world.admin("PUT", `/v1/nodes/${id}`, { name: `web${at}` });
    await use.world.settle();
    const before = use.world.central.calls.length;
    const { status, json } = await change({ change: "revoke", nodes });
    expect([status, items(json).length]).toEqual([200, 50]);
    const calls = use.world.central.calls.length - before;
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(40);
    await use.world.settle();
    const { members } = use.world.central.network;
    expect(nodes.filter((id) => members.get(id)?.config.authorized !== false)).toEqual([]);
  });

  it.each([
    [{ change: "approve", nodes: [] }, "name at least one"],
    [{ change: "approve", nodes: Array.from({ length: 51 }, () => "0100000000") }, "at most 50 at a time"],
    [{ change: "approve", nodes: ["web1"] }, "10 lower-case hex digits"],
    [{ change: "tag", nodes: ["0100000000"] }, "needs one of them"],
    [{ change: "revoke", nodes: ["0100000000"], addTags: ["eu"] }, "go with `tag`"],
    [{ change: "explode", nodes: ["0100000000"] }, "change"],
  ])("is refused: %j", async (body, told) => {
    const { status, json } = await change(body);
    expect([status, String(json["detail"]).includes(told)]).toEqual([400, true]);
  });

  it("is for whoever may change nodes", async () => {
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["read", "keys"] });
    const token = String(json["token"]);
    const body = { change: "approve", nodes: ["0100000000"] };
    expect((await use.world.call("POST", "/v1/nodes/changes", { token, body })).status).toBe(403);
  });
});
