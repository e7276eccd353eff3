// Many servers at once on the dashboard: the list with its ticks, what is asked before, and what came of each; those that wait.
import { beforeEach, describe, expect, it } from "vitest";
import { AGENT } from "../../cloud-init/agent/program.ts";
import { Browser, hidden } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const node = (number: number): string => identity(number).node;
let browser = new Browser();

beforeEach(() => {
  browser = new Browser();
});

/** Lets in servers 0, 1, … of those names, which wait for approval if wanted. */
async function enrol(names: readonly string[], approval = false): Promise<void> {
  const key = await use.world.key({ maxUses: 9, approval, note: "rack 7", tags: ["web"] });
  for (const [number, name] of names.entries())
    await use.world.enrol({ key, number, name, change: { facts: { provider: "hetzner" } } });
}

const states = async () => {
  const { json } = await use.world.admin("GET", "/v1/nodes");
  return (json["items"] as { name: string; state: string }[]).map(({ name, state }) => `${name} ${state}`);
};

describe("the list of servers", () => {
  it("leads by a tag to those that have it, and shows those that are behind", async () => {
    await enrol(["web1", "web2"]);
    await use.world.admin("PATCH", `/v1/nodes/${node(1)}`, { tags: ["db"] });
    const token = String((await use.world.enrol({ number: 1, name: "web2" })).json["token"]);
    const facts = { agent: "0.0.1", agentSha256: "0".repeat(64) };
    await use.world.call("POST", `/v1/nodes/${node(1)}/heartbeat`, { token, body: { state: "ok", facts } });
    await browser.signIn(use.world);
    const { text } = await browser.browse("/");
    expect(text).toContain('href="/?tag=db"');
    expect((await browser.browse("/?tag=db")).text).not.toContain(">web1<");
    const behind = await browser.browse("/?behind=true");
    expect(behind.text).toContain(">web2<");
    expect(behind.text).not.toContain(">web1<");
    const own = { agent: AGENT.version, agentSha256: AGENT.sha256 };
    await use.world.call("POST", `/v1/nodes/${node(1)}/heartbeat`, {
      token,
      body: { state: "ok", facts: own },
    });
    expect((await browser.browse("/?behind=true")).text).toContain("No server is like that.");
  });

  it("has ticks for whoever may change servers, all of them ticked when wanted", async () => {
    await enrol(["web1", "web2"]);
    await browser.signIn(use.world);
    const { text } = await browser.browse("/?name=web*");
    expect(text.match(/type="checkbox" name="node"/g)).toHaveLength(2);
    expect(text).not.toMatch(/name="node" value="[0-9a-f]{10}" checked/);
    const all = /href="([^"]*chosen=all[^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "none";
    expect(all).toBe("/?name=web*&chosen=all");
    const ticked = (await browser.browse(all)).text;
    expect(ticked.match(/name="node" value="[0-9a-f]{10}" checked/g)).toHaveLength(2);
    // Who comes in later is not ticked by a page that goes on by itself.
    expect([text.includes("data-live"), ticked.includes("data-live")]).toEqual([true, false]);
    const reader = new Browser();
    await reader.signIn(use.world, "read");
    expect((await reader.browse("/")).text).not.toContain('name="node"');
  });
});

describe("what is to be done with the chosen servers", () => {
  const chosen = (change: string, ...nodes: string[]) =>
    `/chosen?${new URLSearchParams([["change", change], ...nodes.map((one): [string, string] => ["node", one])])}`;

  it.each([
    ["revoke", "Revoke those", ["web1 revoked", "web2 revoked"]],
    ["retire", "Retire those", []],
    ["delete", "Delete those", []],
  ])("is shown before anything is done, and done by its form: %s", async (change, done, after) => {
    await enrol(["web1", "web2"]);
    await browser.signIn(use.world);
    const preview = await browser.browse(chosen(change, node(0), node(1)));
    expect(preview.status).toBe(200);
    expect(preview.text).toContain(done);
    expect(preview.text).toMatch(/<h2>web1<\/h2>[\s\S]*<h2>web2<\/h2>/);
    if (change !== "revoke") expect(preview.text).toContain("web1 is out of the mesh at once");
    expect(await states()).toEqual(["web1 active", "web2 active"]);
    const nodes = hidden(preview.text, "node");
    expect(nodes).toEqual([node(0), node(1)]);
    const outcome = await browser.browse("/chosen", { change, node: nodes });
    expect(outcome.text).toMatch(/class="notice good"[\s\S]*web1[\s\S]*web2/);
    expect(await states()).toEqual(after);
  });

  it("names those with which nothing can be done, and does the others", async () => {
    await enrol(["web1"]);
    await browser.signIn(use.world);
    const preview = await browser.browse(chosen("revoke", node(0), "0100000000"));
    expect(preview.text).toContain("Revoke the 1 that can be");
    expect(preview.text).toContain("there is no node 0100000000; “Servers” lists them");
    expect(hidden(preview.text, "node")).toEqual([node(0)]);
    const outcome = await browser.browse("/chosen", { change: "revoke", node: ["0100000000", node(0)] });
    expect(outcome.text).toMatch(/Nothing was done with 1 of them[\s\S]*there is no node 0100000000/);
    expect(outcome.text).toContain("taken out of the mesh");
    expect(await states()).toEqual(["web1 revoked"]);
  });

  it("says of which the controller has not heard, which are in the mesh still", async () => {
    await enrol(["web1", "web2"]);
    await use.world.settle();
    await browser.signIn(use.world);
    const revoke = (...nodes: string[]) => browser.browse("/chosen", { change: "revoke", node: nodes });
    expect((await revoke(node(0))).text).not.toContain("has not confirmed");
    use.world.central.fail("POST", "/member/", { kind: "status", status: 502, times: 99 });
    const { text } = await revoke(node(1));
    expect(text).toMatch(/class="notice warn"[\s\S]*web2[\s\S]*has not confirmed/);
    expect((await browser.browse(`/servers/${node(1)}`)).text).toContain("has not confirmed");
    expect((await browser.browse(`/servers/${node(0)}`)).text).not.toContain("has not confirmed");
  });

  it("is their tags, of which some are added and others go", async () => {
    await enrol(["web1", "web2"]);
    await browser.signIn(use.world);
    const asked = `${chosen("tag", node(0), node(1))}&addTags=eu+paris&removeTags=web`;
    const preview = await browser.browse(asked);
    expect(preview.text).toContain("Its tags now: web");
    const form = {
      change: "tag",
      node: hidden(preview.text, "node"),
      addTags: hidden(preview.text, "addTags"),
      removeTags: hidden(preview.text, "removeTags"),
    };
    expect((await browser.browse("/chosen", form)).text).toContain("tags from now on: eu, paris");
    expect((await use.world.admin("GET", `/v1/nodes/${node(1)}`)).json["tags"]).toEqual(["eu", "paris"]);
  });

  it.each([
    ["/chosen?node=0100000000", "say what is to be done"],
    ["/chosen?change=tag&node=0100000000&addTags=&removeTags=", "say which tags"],
    [`/chosen?change=revoke${"&node=0100000000".repeat(51)}`, "at most 50 at a time"],
  ])("has to be said: %s", async (path, told) => {
    await browser.signIn(use.world);
    const { status, text } = await browser.browse(path);
    expect([status, text.includes(told)]).toEqual([400, true]);
  });

  it("is nothing where none is ticked, which the list says that one came from", async () => {
    await enrol(["web1"]);
    await use.world.enrol({ key: await use.world.key({ approval: true }), number: 1, name: "web2" });
    await browser.signIn(use.world);
    for (const [list, back] of [
      ["/approvals", "/approvals?chosen=none"],
      ["/?state=active&sort=slot", "/?state=active&sort=slot&chosen=none"],
    ] as const) {
      const { text } = await browser.browse(list);
      expect(text).not.toContain("No server is chosen");
      const from = (hidden(text, "from")[0] ?? "none").replaceAll("&amp;", "&");
      const { status, headers } = await browser.browse(
        `/chosen?${new URLSearchParams({ from, change: "approve" })}`,
      );
      expect([status, headers.get("Location")]).toEqual([303, back]);
      expect((await browser.browse(back)).text).toMatch(/role="alert"><p>No server is chosen: tick those/);
    }
    const elsewhere = await browser.browse("/chosen?change=approve&from=//evil.example/");
    expect(elsewhere.headers.get("Location")).toBe("/?chosen=none");
    expect((await browser.browse("/chosen", { change: "revoke" })).text).toContain("no server is chosen");
  });

  it("is for nobody who may not change servers", async () => {
    await enrol(["web1"]);
    await browser.signIn(use.world, "read");
    expect((await browser.browse(chosen("revoke", node(0)))).status).toBe(403);
    expect((await browser.browse("/chosen", { change: "revoke", node: node(0) })).status).toBe(403);
    expect(await states()).toEqual(["web1 active"]);
  });
});

describe("approvals", () => {
  it("are those that wait, with key, address and provider, let in or turned down", async () => {
    await enrol(["web1", "web2"], true);
    await browser.signIn(use.world);
    const { text } = await browser.browse("/approvals");
    expect(text).toMatch(/>web1<[\s\S]*\/keys\/[0-9a-f]{16}[\s\S]*hetzner/);
    expect(text.match(/type="checkbox" name="node"/g)).toHaveLength(2);
    const preview = await browser.browse(`/chosen?change=approve&node=${node(0)}`);
    const form = {
      ...{ change: "approve", node: hidden(preview.text, "node"), seen: hidden(preview.text, "seen") },
    };
    await browser.browse("/chosen", form);
    expect(await states()).toEqual(["web1 active", "web2 pending"]);
    // The same page, sent once more when somebody has taken it out since.
    await use.world.admin("POST", `/v1/nodes/${node(0)}/revoke`);
    const again = await browser.browse("/chosen", form);
    expect(again.text).toMatch(/Nothing was done[\s\S]*It is revoked now/);
    expect(await states()).toEqual(["web1 revoked", "web2 pending"]);
    await browser.browse("/chosen", { ...form, seen: hidden(again.text, "seen") });
    expect(await states()).toEqual(["web1 active", "web2 pending"]);
    expect((await browser.browse("/approvals")).text).not.toContain(">web1<");
    await browser.browse("/chosen", { change: "delete", node: node(1) });
    expect((await browser.browse("/approvals")).text).toContain("None waits.");
    expect((await use.world.admin("GET", "/v1/pool")).json["slots"]).toMatchObject({ quarantined: 0 });
  });

  it("are only to be seen by whoever may read", async () => {
    await enrol(["web1"], true);
    await browser.signIn(use.world, "read");
    const { status, text } = await browser.browse("/approvals");
    expect([status, text.includes(">web1<"), text.includes("checkbox")]).toEqual([200, true, false]);
  });
});

describe("a server's tags", () => {
  it("are changed on its page, and what is wrong with them is said there", async () => {
    await enrol(["web1"]);
    await browser.signIn(use.world);
    const at = `/servers/${node(0)}`;
    expect((await browser.browse(`${at}/tags`, { tags: "eu, db" })).status).toBe(303);
    expect((await browser.browse(at)).text).toContain('value="db eu"');
    const bad = await browser.browse(`${at}/tags`, { tags: "No!" });
    expect([bad.status, bad.text.includes("a tag has at most 32")]).toEqual([400, true]);
    expect((await browser.browse(`${at}/tags`, { tags: "" })).status).toBe(303);
    expect((await use.world.admin("GET", `/v1/nodes/${node(0)}`)).json["tags"]).toEqual([]);
  });
});

describe("the first steps", () => {
  it("lead from the first server to the second, and to a ping between their containers", async () => {
    await browser.signIn(use.world);
    expect((await browser.browse("/")).text).toContain("Add the first");
    const key = await use.world.key({ maxUses: 9 });
    await use.world.enrol({ key });
    expect((await browser.browse("/")).text).toContain("add the second server");
    expect((await browser.browse("/first-ping")).text).toContain("It takes two servers");
    await use.world.enrol({ key, number: 1, name: "web2" });
    expect((await browser.browse("/")).text).toContain('href="/first-ping"');
    expect((await browser.browse("/?state=active")).text).not.toContain('href="/first-ping"');
    const { text } = await browser.browse("/first-ping");
    expect(text).toContain("<h2>1. On web1</h2>");
    expect(text).toContain("docker run --rm busybox ping -c 3 172.28.1.2");
    expect(text).toContain("172.28.1.0/24");
    await use.world.enrol({ key, number: 2, name: "web3" });
    expect((await browser.browse("/")).text).not.toContain('href="/first-ping"');
  });
});
