// "Replace": the user-data of another server in the place of one, as the pages give it.
import { beforeEach, describe, expect, it } from "vitest";
import { Browser, hidden } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { ORIGIN, useWorld } from "./world.ts";

const use = useWorld();
const AT = `/servers/${identity(0).node}/replace`;
let browser: Browser;

beforeEach(async () => {
  browser = new Browser();
  await use.world.enrol({ key: await use.world.key({ tags: ["edge"] }) });
});

const keys = async () => (await use.world.admin("GET", "/v1/keys")).json["items"];
const secretIn = (text: string) => /mbk_[A-Za-z0-9_-]{22}/.exec(text)?.[0] ?? "none";

describe("replacing a server", () => {
  it("gives cloud-config that lets the other one in, and follows it", async () => {
    await browser.signIn(use.world);
    const { text: asked } = await browser.browse(AT);
    expect(asked).toContain("web1 is out of the mesh once the new server is in");
    expect(asked).toContain('<option value="hetzner">');
    const [once = ""] = hidden(asked, "once");
    const { status, text } = await browser.browse(AT, { once, provider: "hetzner" });
    expect(status).toBe(200);
    expect(text).toContain("<h1>User-data to replace web1</h1>");
    expect(text).toContain("#cloud-config");
    expect(text).not.toContain("#include-once");
    expect(text).toMatch(/\d{4} of 32768 bytes that hetzner takes/);
    expect(text).toContain(`curl -fsS ${ORIGIN}/boot/${secretIn(text)}/sh | sh`);
    expect(text).toMatch(/<h2>How far it has come<\/h2>[\s\S]*User-data made/);
    expect(await keys()).toContainEqual(
      expect.objectContaining({
        ...{ note: "replaces web1", reservation: "web1", takesOver: identity(0).node },
        ...{ tags: ["edge"], maxUses: 1 },
      }),
    );
    // Loaded again it is the same one.
    const again = await browser.browse(AT, { once, provider: "hetzner" });
    expect(secretIn(again.text)).toBe(secretIn(text));
    expect(await keys()).toHaveLength(2);
    const heir = await use.world.enrol({ key: secretIn(text), number: 1, name: "localhost" });
    expect(heir.json).toMatchObject({ name: "web1", slot: 1 });
  });

  it("keeps what the server before had been made with, on the page and by the call", async () => {
    const wanted = { layout: "bridge", docker: "official", hosts: true, mtu: "auto", name: "old" };
    const made = await use.world.admin("POST", "/v1/user-data", { ...wanted, key: { allowOverlap: true } });
    await use.world.enrol({ key: secretIn(String(made.json["userData"])), number: 5, name: "old" });
    await browser.signIn(use.world);
    const at = `/servers/${identity(5).node}/replace`;
    const { text } = await browser.browse(at, { provider: "other" });
    for (const line of ["LAYOUT=bridge", "DOCKER=official", "HOSTS=on", "MTU=auto"])
      expect(text).toContain(line);
    const call = await use.world.admin("POST", `/v1/nodes/${identity(5).node}/replace`, {});
    const { key } = call.json["key"] as { key: string };
    const fetched = await use.world.call("GET", `/boot/${key}`);
    for (const line of ["LAYOUT=bridge", "DOCKER=official", "HOSTS=on", "MTU=auto"])
      expect(fetched.text).toContain(line);
    const kept = ((await keys()) as { reservation: string }[]).filter((one) => one.reservation === "old");
    expect(kept).toHaveLength(2);
    for (const one of kept) expect(one).toMatchObject({ allowOverlap: true });
  });

  it("gives the form of the provider, and by default that of none", async () => {
    await browser.signIn(use.world);
    const { text } = await browser.browse(AT, { provider: "ovh-vps" });
    expect(text).toContain("#!/bin/sh");
    expect(text).toContain("<h2>To run on the server</h2>");
    expect((await browser.browse(AT, {})).text).toContain("#cloud-config");
    expect((await browser.browse(AT, { provider: "evil" })).status).toBe(404);
  });

  it("gives the key alone to whoever may make no user-data", async () => {
    await browser.signIn(use.world, "nodes");
    expect((await browser.browse(AT)).text).not.toContain('name="provider"');
    const { status, text } = await browser.browse(AT, {});
    expect(status).toBe(200);
    expect(text).toContain("<h1>A key to replace web1</h1>");
    expect(text).not.toContain("#include-once");
    expect(text).toContain("To load this page again makes another key");
    expect((await use.world.enrol({ key: secretIn(text), number: 1 })).json["slot"]).toBe(1);
  });

  it("is for nobody who may only make user-data", async () => {
    await browser.signIn(use.world, "keys");
    const before = await keys();
    for (const form of [undefined, { provider: "hetzner" }])
      expect((await browser.browse(AT, form)).status).toBe(403);
    expect(await keys()).toEqual(before);
  });
});
