// How far ordered servers have come, on the pages of the dashboard as they are without a script.
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Browser } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const MINUTE = 60_000;
let browser: Browser;

beforeEach(() => {
  browser = new Browser();
});

const keys = z.object({ items: z.array(z.object({ id: z.string() })) });

/** A key, and its id. */
async function newKey(terms: Record<string, unknown> = {}) {
  const key = await use.world.key(terms);
  const id = keys.parse((await use.world.admin("GET", "/v1/keys")).json).items.at(-1)?.id ?? "";
  return { key, page: `/keys/${id}` };
}

const tell = (key: string, news: object, ahead = 0) =>
  use.world.call("POST", "/v1/first-boots", {
    token: key,
    body: {
      ...{ machineId: "0".padStart(64, "0"), name: "web7" },
      clock: Math.floor(use.world.now() / 1000) + ahead,
      ...news,
    },
  });
const FAILED = { state: "failed", step: "zerotier", log: "zerotier: failed: E: <no> route\n" };

/** The names of the stages that a page shows as reached, and of those that it does not. */
function stagesOn(text: string) {
  const found = [...text.matchAll(/<li class="(good|quiet)"><span>([^<]*)<\/span>/g)];
  const names = (kind: string) => found.filter(([, shown]) => shown === kind).map(([, , name]) => name);
  return { reached: names("good"), missing: names("quiet") };
}

describe("the page of a key's first boots", () => {
  it("shows where a server stands still, its last lines, and what it has reached", async () => {
    const { key, page } = await newKey({ note: "for web7" });
    await tell(key, { state: "running", stage: "fetched" });
    await tell(key, FAILED);
    await browser.signIn(use.world);
    const { status, text } = await browser.browse(page);
    expect(status).toBe(200);
    expect(text).toContain("First boots with the key for web7");
    expect(text).toContain("<h2>web7</h2>");
    expect(text).toMatch(/role="alert"><p>It stands still at the step zerotier since/);
    expect(text).toContain("<pre>zerotier: failed: E: &lt;no&gt; route\n</pre>");
    expect(text).not.toContain("Its clock is");
    expect(stagesOn(text)).toEqual({
      reached: ["User-data made", "Agent there"],
      missing: ["Packages installed", "Enrolled", "Approved", "In the mesh", "Docker", "Containers answer"],
    });
  });

  it("leads to the server once that is in, whose page shows the same", async () => {
    const { key, page } = await newKey();
    await tell(key, { state: "running", stage: "fetched" });
    const token = String((await use.world.enrol({ key })).json["token"]);
    await use.world.call("POST", `/v1/nodes/${identity(0).node}/heartbeat`, {
      token,
      body: { state: "ok", log: "up: all is done\n", firstBoot: { stage: "containers", state: "done" } },
    });
    await browser.signIn(use.world);
    const { text } = await browser.browse(page);
    expect(text).toContain(`<a href="/servers/${identity(0).node}">web1</a>`);
    expect(stagesOn(text).missing).toEqual([]);
    const server = (await browser.browse(`/servers/${identity(0).node}`)).text;
    const [, boot = ""] = server.split("<h2>Its first boot</h2>");
    expect(stagesOn(boot).reached.at(-1)).toBe("Containers answer");
    expect(boot).toContain("up: all is done");
  });

  it.each([
    [-400 * 86_400, "Its clock is 400 days behind:"],
    [3 * 3600 + 60, "Its clock is 3 hours ahead:"],
  ])("says of a clock that is %i s off by how much", async (ahead, words) => {
    const { key, page } = await newKey();
    await tell(key, FAILED, ahead);
    await browser.signIn(use.world);
    expect((await browser.browse(page)).text).toContain(words);
  });

  it("says what it may mean that nobody called, once that is not usual any more", async () => {
    const { page } = await newKey({ expiresIn: 3600 });
    await browser.signIn(use.world);
    const young = (await browser.browse(page)).text;
    expect(young).toContain("No server has called with it yet");
    expect(young).toContain("takes some minutes");
    use.world.advance(11 * MINUTE);
    const old = (await browser.browse(page)).text;
    expect(old).not.toContain("takes some minutes");
    expect(old).toContain("<code>cloud-init status --long</code>");
    use.world.advance(60 * MINUTE);
    expect((await browser.browse(page)).text).toContain("it is expired");
  });

  it("of which nothing is known is none of servers that did not come", async () => {
    const { key, page } = await newKey({ maxUses: 2 });
    await use.world.enrol({ key });
    await browser.signIn(use.world);
    use.world.advance(11 * MINUTE);
    const { text } = await browser.browse(page);
    expect(text).toContain("1 of 2 servers came in with it");
    expect(text).not.toContain("No server has called");
  });

  it("is one of a key that there is, for whoever may see keys", async () => {
    const { page } = await newKey();
    await browser.signIn(use.world);
    expect((await browser.browse("/keys/0123456789abcdef")).status).toBe(404);
    expect((await browser.browse("/keys/web")).status).toBe(400);
    await browser.signIn(use.world, "nodes");
    expect((await browser.browse(page)).status).toBe(403);
    await browser.signIn(use.world, "keys");
    expect((await browser.browse(page)).status).toBe(200);
  });

  it("is found from the list of keys and from new user-data, which shows that it was made", async () => {
    const { page } = await newKey();
    await browser.signIn(use.world);
    expect((await browser.browse("/keys")).text).toContain(`<a href="${page}">`);
    const made = (
      await browser.browse("/add", {
        ...{ provider: "hetzner", name: "web7", docker: "distro", layout: "split" },
      })
    ).text;
    const [, id = ""] = /data-from="\/keys\/([0-9a-f]{16})"/.exec(made) ?? [];
    expect(stagesOn(made)).toEqual({ reached: ["User-data made"], missing: [] });
    expect(made).toContain(`<a href="/keys/${id}">`);
    // Where a script asks for what is live: the same id is there.
    expect((await browser.browse(`/keys/${id}`)).text).toContain('<div id="first-boots" data-live=');
  });
});

describe("the page of a server", () => {
  it("has no first boot where none was told, and for whoever may not see it", async () => {
    const { key } = await newKey();
    await use.world.enrol({ key });
    const page = `/servers/${identity(0).node}`;
    await browser.signIn(use.world);
    expect((await browser.browse(page)).text).not.toContain("Its first boot");
    const other = await newKey();
    await tell(other.key, FAILED);
    await browser.signIn(use.world, "nodes");
    const { status, text } = await browser.browse(page);
    expect([status, text.includes("Its first boot")]).toEqual([200, false]);
  });
});

describe("the list of servers", () => {
  const standing = (text: string) => [
    ...text.matchAll(/<a href="(\/keys\/[0-9a-f]{16})">([^<]*: first boot [^<]*)</g),
  ];

  it("shows above it a first boot that stands still, which is in no list yet, and leads to its key", async () => {
    const { key, page } = await newKey();
    await browser.signIn(use.world);
    await tell(key, { state: "running", stage: "fetched" });
    expect(standing((await browser.browse("/")).text)).toEqual([]);
    await tell(key, FAILED);
    const { text } = await browser.browse("/");
    expect(standing(text).map(([, to, words]) => [to, words])).toEqual([
      [page, "web7: first boot stands still at zerotier"],
    ]);
    expect(text).toContain('data-live="servers controller first-boots"');
    use.world.advance(7 * 60 * MINUTE);
    expect(standing((await browser.browse("/")).text)).toEqual([]);
  });

  it("shows one that went quiet in the middle", async () => {
    const { key } = await newKey();
    await browser.signIn(use.world);
    await tell(key, { state: "running", stage: "fetched" });
    use.world.advance(41 * MINUTE);
    expect(standing((await browser.browse("/")).text).map(([, , words]) => words)).toEqual([
      "web7: first boot has told nothing for 41 minutes",
    ]);
  });

  it("shows none of a server that is in, nor to whoever may not see them", async () => {
    const { key } = await newKey();
    await tell(key, FAILED);
    await browser.signIn(use.world, "nodes");
    const { status, text } = await browser.browse("/");
    expect([status, standing(text)]).toEqual([200, []]);
    const { json } = await use.world.enrol({ key });
    await use.world.call("POST", `/v1/nodes/${json["node"]}/heartbeat`, {
      token: String(json["token"]),
      body: { state: "failed", step: "docker", log: "no such package" },
    });
    await browser.signIn(use.world);
    const [boot] = (await use.world.admin("GET", "/v1/first-boots")).json["items"] as { state: string }[];
    expect(boot?.state).toBe("failed");
    expect(standing((await browser.browse("/")).text)).toEqual([]);
  });
});
