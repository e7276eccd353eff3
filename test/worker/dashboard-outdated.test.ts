// A preview that was left open does nothing that it did not show: it is shown once more, as things are by now.
import { beforeEach, describe, expect, it } from "vitest";
import { Browser, hidden } from "./dashboard-browse.ts";
import { identity } from "./identities.ts";
import { type Document, useWorld } from "./world.ts";

const use = useWorld();
const node = (number: number): string => identity(number).node;
let browser = new Browser();

beforeEach(async () => {
  browser = new Browser();
  await browser.signIn(use.world);
});

const items = async (path: string): Promise<Document[]> => {
  const listed = (await use.world.admin("GET", path)).json["items"];
  return Array.isArray(listed) ? listed : [];
};

/** Looks at the preview, and gives what sends its form, with more fields if wanted. */
async function opened(path: string, fields: Record<string, string> = {}) {
  const { text } = await browser.browse(path);
  const seen = hidden(text, "seen");
  expect(seen).not.toEqual([]);
  return () => browser.browse(path, { ...fields, seen });
}

const AGAIN = "Nothing was done: it is not as it was when you looked";

describe.each(["delete", "retire"])("to %s a server", (verb) => {
  it("that was let in since", async () => {
    const key = await use.world.key({ approval: true });
    await use.world.enrol({ key });
    const send = await opened(`/servers/${node(0)}/${verb}`);
    await use.world.admin("POST", `/v1/nodes/${node(0)}/approve`);
    const { text } = await send();
    expect(text).toContain(AGAIN);
    expect(text).toContain("is out of the mesh at once");
    expect(await items("/v1/nodes")).toMatchObject([{ state: "active" }]);
    await browser.browse(`/servers/${node(0)}/${verb}`, { seen: hidden(text, "seen") });
    expect(await items("/v1/nodes")).toEqual([]);
  });

  it("that has only grown older is no other preview", async () => {
    await use.world.enrol();
    const send = await opened(`/servers/${node(0)}/${verb}`);
    use.world.advance(6 * 3_600_000);
    expect((await send()).status).toBe(303);
    expect(await items("/v1/nodes")).toEqual([]);
  });
});

it("to give up a name that a server has by now, and for which a key was made", async () => {
  await browser.browse("/reservations", { name: "db1" });
  const send = await opened("/reservations/db1/give-up");
  await use.world.enrol({ key: await use.world.key({ reservation: "db1" }), name: "db1" });
  const { text } = await send();
  expect(text).toContain(AGAIN);
  expect(text).toContain("keeps its lease");
  expect(await items("/v1/reservations")).toHaveLength(1);
  expect((await browser.browse("/reservations/db1/give-up", { seen: hidden(text, "seen") })).status).toBe(
    303,
  );
  expect(await items("/v1/reservations")).toEqual([]);
});

it("to take a key back with its servers, of which there is one more by now", async () => {
  const key = await use.world.key({ maxUses: 3 });
  await use.world.enrol({ key });
  const [{ id } = {}] = await items("/v1/keys");
  const send = await opened(`/keys/${id}/revoke`, { nodes: "on" });
  await use.world.enrol({ key, number: 1, name: "web2" });
  const { text } = await send();
  expect(text).toContain(AGAIN);
  expect(text).toContain(">web2<");
  expect(await items("/v1/nodes")).toMatchObject([{ state: "active" }, { state: "active" }]);
  await browser.browse(`/keys/${id}/revoke`, { nodes: "on", seen: hidden(text, "seen") });
  expect(await items("/v1/nodes")).toMatchObject([{ state: "revoked" }, { state: "revoked" }]);
});

it("who added a server is who made the lease that it has, and not one that it had before", async () => {
  const lease = { name: "by-hand" };
  const tokens = ["first", "second"].map(async (note) =>
    use.world.admin("POST", "/v1/tokens", { scopes: ["nodes"], note }),
  );
  const [first, second] = (await Promise.all(tokens)).map(({ json }) => json);
  const put = (token: unknown) =>
    use.world.call("PUT", "/v1/nodes/0a0b0c0d0e", { token: String(token), body: lease });
  await put(first?.["token"]);
  await use.world.admin("DELETE", "/v1/nodes/0a0b0c0d0e");
  use.world.advance(3_600_000);
  await put(second?.["token"]);
  const { text } = await browser.browse("/servers/0a0b0c0d0e");
  expect(text).toMatch(new RegExp(`Added by</dt><dd>operator ${second?.["id"]}, `));
});
