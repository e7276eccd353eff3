// The form for a new server: what may be chosen there, and what follows from it.
import { beforeEach, describe, expect, it } from "vitest";
import { Browser, hidden } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
let browser: Browser;
const FORM = { provider: "hetzner", name: "", tags: "", docker: "distro", layout: "split", once: "" };

beforeEach(async () => {
  browser = new Browser();
  for (const [name, slot] of [
    ["db1", 7],
    ["db2", 8],
  ])
    await use.world.admin("POST", "/v1/reservations", { name, slot });
  const { json } = await use.world.admin("POST", "/v1/keys", { reservation: "db2" });
  await use.world.enrol({ key: String(json["key"]) });
});

const keys = async () => (await use.world.admin("GET", "/v1/keys")).json["items"];
const secretIn = (text: string) => /mbk_[A-Za-z0-9_-]{22}/.exec(text)?.[0] ?? "none";

describe("a reserved name", () => {
  it("is to choose where no server has it", async () => {
    await browser.signIn(use.world);
    const { text } = await browser.browse("/add?provider=hetzner");
    expect(text).toContain('<option value="db1">db1, slot 7</option>');
    expect(text).not.toContain('value="db2"');
  });

  it("is chosen already where one comes from its reservation, or from the end of the server that had it", async () => {
    await browser.signIn(use.world);
    const to = "/add?reserved=db1";
    expect((await browser.browse("/reservations")).text).toContain(`<a href="${to}">add it</a>`);
    const next = (await browser.browse(to)).text.replaceAll("&amp;", "&");
    expect(next).toContain('href="/add?provider=hetzner&reserved=db1"');
    const { text } = await browser.browse("/add?provider=hetzner&reserved=db1");
    expect(text).toContain('<option value="db1" selected="">');
    expect(text).not.toContain('role="status"><p>db1');
    const ended = (await browser.browse(`/servers/${identity(0).node}/retire`)).text;
    expect(ended).toContain('a server gets them by <a href="/add?reserved=db2">“Add a server”</a>');
    expect(ended).not.toContain("/v1/");
    expect((await browser.browse("/add?provider=hetzner&reserved=db2")).text).toContain(
      "db2 is no reserved name without a server.",
    );
  });

  it("is offered to nobody who may not see it, and the form is there nevertheless", async () => {
    await browser.signIn(use.world, "keys");
    const { status, text } = await browser.browse("/add?provider=hetzner");
    expect([status, text.includes('name="reserved"')]).toEqual([200, false]);
    expect(text).toContain("Make its user-data");
  });

  it("is the server's, with its slot, whatever that calls itself", async () => {
    await browser.signIn(use.world);
    const { status, text } = await browser.browse("/add", { ...FORM, reserved: "db1" });
    expect(status).toBe(200);
    expect(text).toContain("NAME=db1");
    const { json } = await use.world.enrol({ key: secretIn(text), number: 1, name: "localhost" });
    expect(json).toMatchObject({ name: "db1", slot: 7 });
    expect(await keys()).toContainEqual(expect.objectContaining({ note: "for db1", reservation: "db1" }));
  });

  it("goes with no other name", async () => {
    await browser.signIn(use.world);
    const before = await keys();
    const { status, text } = await browser.browse("/add", { ...FORM, name: "web9", reserved: "db1" });
    expect(status).toBe(400);
    expect(text).toMatch(/role="alert"[\s\S]*not both/);
    expect(text).toContain('value="web9"');
    expect(text).toContain('<option value="db1" selected="">');
    expect(await keys()).toEqual(before);
    expect((await browser.browse("/add", { ...FORM, name: "db1", reserved: "db1" })).status).toBe(200);
  });

  it("that is none any more is refused with the reason", async () => {
    await browser.signIn(use.world);
    await use.world.admin("DELETE", "/v1/reservations/db1");
    const { status, text } = await browser.browse("/add", { ...FORM, reserved: "db1" });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).toMatch(/role="alert"[\s\S]*db1/);
    expect(hidden(text, "provider")).toEqual(["hetzner"]);
  });
});

it("the names of the mesh's servers come with a tick", async () => {
  await browser.signIn(use.world);
  const [without, with_] = [
    await browser.browse("/add", { ...FORM, name: "web8" }),
    await browser.browse("/add", { ...FORM, name: "web9", hosts: "on" }),
  ];
  expect(without.text).not.toContain("HOSTS=on");
  expect(with_.text).toContain("HOSTS=on");
});
