// The pages that are not looked at every day: reservations, refused servers, controller, webhooks, tokens, sessions, the end of a key.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { PROBLEMS } from "../../worker/schema/problem-kinds.ts";
import { Browser } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { type Document, useWorld } from "./world.ts";

const use = useWorld();
let browser = new Browser();

beforeEach(async () => {
  browser = new Browser();
  await browser.signIn(use.world);
});

const link = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? "none";
const items = async (path: string): Promise<Document[]> => {
  const listed = (await use.world.admin("GET", path)).json["items"];
  return Array.isArray(listed) ? listed : [];
};

describe("reservations", () => {
  it("are made, refused with what was typed, and given up after a look at what ends", async () => {
    expect((await browser.browse("/reservations")).text).toContain("No name is reserved.");
    expect((await browser.browse("/reservations", { name: "db1", slot: "7" })).status).toBe(303);
    const { text } = await browser.browse("/reservations");
    expect(text).toMatch(/<th scope="row">db1<\/th><td>7<\/td><td>none now, <a /);
    for (const [form, status, told] of [
      [{ name: "DB!", slot: "" }, 400, "one DNS label"],
      [{ name: "db2", slot: "7" }, 409, "slot 7 is reserved for db1"],
      [{ name: "db2", slot: "seven" }, 400, "slot"],
    ] as const) {
      const refused = await browser.browse("/reservations", form);
      expect([refused.status, refused.text.includes(told)]).toEqual([status, true]);
      expect(refused.text).toContain(`value="${form.name}"`);
    }
    await use.world.key({ reservation: "db1" });
    const [key] = await items("/v1/keys");
    const way = link(text, /href="(\/reservations\/db1\/give-up)"/);
    const preview = await browser.browse(way);
    expect(preview.text).toContain(String(key?.["id"]));
    expect(await items("/v1/reservations")).toHaveLength(1);
    expect((await browser.browse(way, {})).headers.get("Location")).toBe("/reservations");
    expect(await items("/v1/reservations")).toEqual([]);
    expect(await items("/v1/keys")).toMatchObject([{ state: "revoked" }]);
  });

  it("say that a server keeps its lease", async () => {
    await use.world.enrol();
    await browser.browse("/reservations", { name: "web1" });
    const { text } = await browser.browse("/reservations/web1/give-up");
    expect(text).toMatch(new RegExp(`/servers/${identity(0).node}[\\s\\S]*keeps its lease`));
    expect(text).toContain("No key was made for it");
  });

  it("are only to be seen by whoever may read", async () => {
    await browser.browse("/reservations", { name: "db1" });
    const reader = new Browser();
    await reader.signIn(use.world, "read");
    const { text } = await reader.browse("/reservations");
    expect([text.includes("db1"), text.includes('<form class="row"'), text.includes("Give up")]).toEqual([
      ...[true, false, false],
    ]);
    for (const form of [undefined, {}])
      expect((await reader.browse("/reservations/db1/give-up", form)).status).toBe(403);
    expect((await reader.browse("/reservations", { name: "db2" })).status).toBe(403);
  });
});

describe("refused servers", () => {
  it("have the problem by its name, what it was about, and no key's secret", async () => {
    expect((await browser.browse("/refusals")).text).toContain("None was refused.");
    const key = await use.world.key({ names: "web-*" });
    await use.world.enrol({ key, name: "db1" });
    const { text } = await browser.browse("/refusals");
    expect(text).toContain(PROBLEMS["name-not-allowed"].title);
    expect(text).toContain('href="/problems/name-not-allowed"');
    expect(text).toContain(">db1<");
    expect(text).not.toContain(key);
  });
});

describe("the controller's page", () => {
  it("has what waits and why, and how much of the limits is used", async () => {
    await use.world.enrol();
    await use.world.settle();
    const { text } = await browser.browse("/controller");
    expect(text).toContain("1 of 32 that Meshboot may set");
    expect(text.match(/<span class="good">nothing<\/span>/g)).toHaveLength(3);
    use.world.central.fail("POST", "/member/", { kind: "status", status: 502, times: 99 });
    await use.world.enrol({ number: 1, name: "web2" });
    const waiting = await browser.browse("/controller");
    expect(waiting.status).toBe(200);
    expect(waiting.text).toMatch(/1, the oldest from[\s\S]*1 not taken: [^<]*502/);
  });

  it("compares, and puts right after a look", async () => {
    await use.world.enrol();
    await use.world.settle();
    expect((await browser.browse("/controller/drift")).text).toContain(
      "Nothing that Meshboot would put right.",
    );
    use.world.central.network.config.routes = [];
    use.world.advance(120_000);
    const found = await browser.browse("/controller/drift");
    expect(found.text).toContain("the managed route 172.28.1.0/24 by 10.147.17.1 is missing");
    expect(use.world.routes()).toEqual([]);
    expect((await browser.browse("/controller/drift", {})).text).toContain("<h1>Put right</h1>");
    await use.world.settle();
    expect(use.world.routes()).toContain("172.28.1.0/24 via 10.147.17.1");
  });

  it("lets nobody repair who may only read", async () => {
    const reader = new Browser();
    await reader.signIn(use.world, "read");
    expect((await reader.browse("/controller")).text).not.toContain("Compare now");
    for (const form of [undefined, {}])
      expect((await reader.browse("/controller/drift", form)).status).toBe(403);
  });
});

describe("webhooks", () => {
  const URL_OF_HOOK = "https://hooks.example.com/meshboot";
  const make = () =>
    browser.browse("/webhooks", { url: URL_OF_HOOK, note: "pager", action: ["enrolled", "tagged"] });
  const answerWith = (status: number) =>
    vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      return request.url.startsWith(URL_OF_HOOK)
        ? new Response("thank you", { status })
        : use.world.central.fetch(input, init);
    });

  it("are made with a secret that is shown once, tested, and deleted after a look", async () => {
    const made = await make();
    expect(made.text).toMatch(/whsec_[A-Za-z0-9+/=]{20,}/);
    const { text } = await browser.browse("/webhooks");
    expect(text).not.toContain("whsec_");
    expect(text).toContain("enrolled, tagged");
    const at = link(text, /href="(\/webhooks\/[0-9a-f]{16})"/);
    answerWith(200);
    const tested = await browser.browse(`${at}/test`, {});
    expect(tested.text).toMatch(/Test call: taken, status 200[\s\S]*thank you/);
    answerWith(500);
    expect((await browser.browse(`${at}/test`, {})).text).toMatch(/class="notice bad"[\s\S]*status 500/);
    expect((await browser.browse(`${at}/delete`)).text).toContain(URL_OF_HOOK);
    expect(await items("/v1/webhooks")).toHaveLength(1);
    expect((await browser.browse(`${at}/delete`, {})).headers.get("Location")).toBe("/webhooks");
    expect(await items("/v1/webhooks")).toEqual([]);
  });

  it("show what their receivers answered last", async () => {
    await make();
    const at = link((await browser.browse("/webhooks")).text, /href="(\/webhooks\/[0-9a-f]{16})"/);
    expect((await browser.browse(at)).text).toContain("Nothing was sent yet.");
    answerWith(503);
    await use.world.enrol();
    await use.world.fireAlarm();
    await use.world.fireAlarm();
    const { text } = await browser.browse(at);
    expect(text).toMatch(/status 503/);
    expect((await browser.browse("/webhooks")).text).toContain("failing");
  });

  it("get another secret, at once or with a day of both", async () => {
    const before = link((await make()).text, /(whsec_[A-Za-z0-9+/=]+)/);
    const at = link((await browser.browse("/webhooks")).text, /href="(\/webhooks\/[0-9a-f]{16})"/);
    expect((await browser.browse(`${at}/rotate`)).text).toContain("signed by both secrets");
    const rotated = link((await browser.browse(`${at}/rotate`, {})).text, /(whsec_[A-Za-z0-9+/=]+)/);
    expect(rotated).not.toBe(before);
    expect((await browser.browse(at)).text).toContain("The secret before signs too");
    expect((await browser.browse(`${at}/rotate-now`, {})).text).toContain("whsec_");
    expect((await browser.browse(at)).text).not.toContain("The secret before signs too");
  });

  it("are refused with what was typed", async () => {
    const { status, text } = await browser.browse("/webhooks", {
      url: "http://10.0.0.1/",
      note: "x",
      action: "enrolled",
    });
    expect([status, text.includes('value="http://10.0.0.1/"')]).toEqual([400, true]);
    expect(text).toMatch(/value="enrolled" checked/);
  });
});

describe("tokens", () => {
  it("are made with scopes and an end, shown once, revoked and deleted after a look", async () => {
    const made = await browser.browse("/tokens", {
      scope: ["read", "keys"],
      expiresIn: "86400",
      note: "grafana",
    });
    const token = link(made.text, /(mba_[A-Za-z0-9_-]{22})/);
    expect((await use.world.call("GET", "/v1/keys", { token })).status).toBe(200);
    expect((await use.world.call("GET", "/v1/tokens", { token })).status).toBe(403);
    const { text } = await browser.browse("/tokens");
    expect(text).not.toContain(token);
    expect(text).toMatch(/grafana[\s\S]*read, keys/);
    const [listed] = await items("/v1/tokens");
    expect(Date.parse(String(listed?.["expiresAt"])) - use.world.now()).toBeLessThanOrEqual(86_400_000);
    const revoke = link(text, /href="(\/tokens\/[0-9a-f]{16}\/revoke)"/);
    expect((await browser.browse(revoke)).text).toContain("is refused");
    expect((await use.world.call("GET", "/v1/keys", { token })).status).toBe(200);
    await browser.browse(revoke, {});
    expect((await use.world.call("GET", "/v1/keys", { token })).status).toBe(401);
    await browser.browse(link(text, /href="(\/tokens\/[0-9a-f]{16}\/delete)"/), {});
    expect(await items("/v1/tokens")).toEqual([]);
  });

  it.each([
    ["rotate", 200],
    ["rotate-now", 401],
  ])("are replaced by others, /%s, after a look, and the one before gets %i", async (way, status) => {
    const made = await browser.browse("/tokens", { scope: ["keys"], note: "grafana" });
    const before = link(made.text, /(mba_[A-Za-z0-9_-]{22})/);
    const preview = link(
      (await browser.browse("/tokens")).text,
      /href="(\/tokens\/[0-9a-f]{16}\/rotate)" aria-label="Rotate grafana"/,
    );
    expect((await browser.browse(preview)).text).toContain(`action="${preview.replace("rotate", way)}"`);
    expect(await items("/v1/tokens")).toHaveLength(1);
    const { text } = await browser.browse(preview.replace("rotate", way), {});
    const after = link(text, /(mba_[A-Za-z0-9_-]{22})/);
    const reached = async (token: string) => (await use.world.call("GET", "/v1/keys", { token })).status;
    expect([await reached(after), await reached(before)]).toEqual([200, status]);
    expect(await items("/v1/tokens")).toMatchObject([{ note: "grafana" }, { note: "grafana" }]);
  });

  it("are refused without a scope, with what was typed", async () => {
    const { status, text } = await browser.browse("/tokens", { expiresIn: "", note: "grafana" });
    expect([status, text.includes("give at least one scope"), text.includes('value="grafana"')]).toEqual([
      ...[400, true, true],
    ]);
  });

  it("and sessions and webhooks are for admins alone", async () => {
    const reader = new Browser();
    await reader.signIn(use.world, "read", "nodes", "keys");
    for (const path of [
      ...["/tokens", "/sessions", "/webhooks"],
      ...[`/tokens/${"0".repeat(16)}/revoke`, `/tokens/${"0".repeat(16)}/rotate`],
    ])
      expect([path, (await reader.browse(path)).status]).toEqual([path, 403]);
    for (const path of ["/tokens", "/webhooks", `/sessions/${"0".repeat(16)}/end`])
      expect([path, (await reader.browse(path, { scope: "admin" })).status]).toEqual([path, 403]);
    expect(await items("/v1/tokens")).toHaveLength(1);
  });
});

describe("sessions", () => {
  it("are listed, one's own marked, and ended", async () => {
    const other = new Browser();
    await other.signIn(use.world);
    const { text } = await browser.browse("/sessions");
    expect(text.match(/>this one</g)).toHaveLength(1);
    const ways = [...text.matchAll(/action="(\/sessions\/[0-9a-f]{16}\/end)"/g)].map(([, way = ""]) => way);
    expect(ways).toHaveLength(2);
    expect(text).not.toMatch(/mbs_[A-Za-z0-9_-]{22}/);
    const own = text.indexOf("this one");
    const [foreign = ""] = ways.filter((way) => {
      const at = text.indexOf(way);
      const row = text.slice(text.lastIndexOf("<tr", at), at);
      return own !== -1 && !row.includes("this one");
    });
    expect((await browser.browse(foreign, {})).status).toBe(303);
    expect((await other.browse("/pool")).status).toBe(401);
    expect((await browser.browse("/pool")).status).toBe(200);
  });
});

describe("taking a key back", () => {
  it("takes its servers out too when that is ticked, and only then", async () => {
    const key = await use.world.key({ maxUses: 3, note: "rack 7" });
    await use.world.enrol({ key });
    const way = link((await browser.browse("/keys")).text, /href="(\/keys\/[0-9a-f]{16}\/revoke)"/);
    const { text } = await browser.browse(way);
    expect(text).toContain("it has let in 1 of 3");
    expect(text).toContain('name="nodes"');
    expect(text).not.toMatch(/name="nodes" checked/);
    await browser.browse(way, {});
    expect(await items("/v1/nodes")).toMatchObject([{ state: "active" }]);
    await browser.browse(way, { nodes: "on" });
    expect(await items("/v1/nodes")).toMatchObject([{ state: "revoked" }]);
  });

  it("shows no servers to whoever may not see them, and is for keys alone", async () => {
    await use.world.enrol();
    const way = link((await browser.browse("/keys")).text, /href="(\/keys\/[0-9a-f]{16}\/revoke)"/);
    const ofKeys = new Browser();
    await ofKeys.signIn(use.world, "keys");
    const { status, text } = await ofKeys.browse(way);
    expect([status, text.includes("web1"), text.includes('name="nodes"')]).toEqual([200, false, false]);
    const reader = new Browser();
    await reader.signIn(use.world, "read");
    expect((await reader.browse(way)).status).toBe(403);
  });
});

describe("what is refused", () => {
  it("is said in words of pages, not of calls", async () => {
    for (const [path, told] of [
      ["/servers/0100000000", "“Servers” lists them"],
      [`/keys/${"0".repeat(16)}/revoke`, "“Keys” lists them"],
      ["/reservations/db9/give-up", "“Reservations” lists those that are"],
      [`/webhooks/${"0".repeat(16)}`, "“Webhooks” lists them"],
    ] as const) {
      const { status, text } = await browser.browse(path);
      expect([path, status, text.includes(told), text.includes("/v1/")]).toEqual([path, 404, true, false]);
    }
  });
});
