// What a server's doctor found: taken within bounds, shown, never trusted.

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { identity } from "./identities.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

const use = useWorld();
const path = `/v1/nodes/${identity(0).node}`;
const finding = (change: object = {}) => ({
  link: "sysctls",
  level: "fault",
  saw: "net/ipv4/ip_forward=0",
  expected: "1",
  remedy: "meshboot up",
  ...change,
});
const note = finding({ link: "mtu", level: "note", saw: "2800", expected: "", remedy: "" });
const warning = finding({ link: "peers", level: "warning", saw: "db1 is silent, others answer" });

/** Enrols a server; gives what reports the findings. */
async function enrolled() {
  const token = String((await use.world.enrol()).json["token"]);
  return (findings?: unknown) =>
    use.world.call("POST", `${path}/heartbeat`, { token, body: { state: "ok", findings } });
}

/** A page of the dashboard's, for who has signed in. */
async function browse(page: string): Promise<string> {
  const headers = { Origin: ORIGIN, Accept: "text/html" };
  const body = new URLSearchParams({ token: ADMIN });
  const entry = await exports.default.fetch(`${ORIGIN}/sign-in`, {
    ...{ method: "POST", redirect: "manual", headers, body },
  });
  const cookie = entry.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const response = await exports.default.fetch(`${ORIGIN}${page}`, {
    headers: { ...headers, Cookie: cookie },
  });
  return (await readAnswer(response)).text;
}

const node = async () => (await use.world.admin("GET", path)).json;
const listed = async () => {
  const { items } = (await use.world.admin("GET", "/v1/nodes")).json;
  return Array.isArray(items) ? items[0] : undefined;
};

describe("findings", () => {
  it("are shown with their time until the next ones, the worst in the list too", async () => {
    const report = await enrolled();
    use.world.standStill();
    expect(await node()).toMatchObject({ findings: null, worstFinding: null });
    const at = new Date(use.world.now()).toISOString();
    expect((await report([note, warning, finding()])).status).toBe(200);
    const told = await node();
    expect(told["findings"]).toEqual({
      at,
      items: [note, warning, finding()],
    });
    expect(told["worstFinding"]).toMatchObject({ link: "sysctls", level: "fault" });
    expect(told["report"]).toEqual({ state: "ok" });
    const { findings, ...rest } = told;
    expect(await listed()).toEqual(rest);
    use.world.advance(3_600_000);
    await report();
    expect((await node())["findings"]).toEqual(findings);
    await report([warning]);
    expect((await node())["worstFinding"]).toMatchObject({ link: "peers", level: "warning" });
    await report([note]);
    expect(await node()).toMatchObject({ findings: { items: [note] }, worstFinding: null });
  });

  it("are told to the server itself, and not by a call that changes it", async () => {
    const report = await enrolled();
    await report([finding()]);
    const renamed = await use.world.admin("PATCH", path, { name: "web2" });
    expect(renamed.json["worstFinding"]).toMatchObject({ link: "sysctls" });
    expect(renamed.json).not.toHaveProperty("findings");
    expect(await node()).toMatchObject({ name: "web2", findings: { items: [finding()] } });
  });

  it.each([
    ["more than 32", Array.from({ length: 33 }, () => finding())],
    ["of a level that there is not", [finding({ level: "ok" })]],
    ["of a link that is markup", [finding({ link: "<b>" })]],
    ["with a text without end", [finding({ saw: "x".repeat(401) })]],
    ["without a remedy", [finding({ remedy: undefined })]],
    ["that are no list", "none"],
  ])("are refused, the lease not renewed by them: %s", async (_, findings) => {
    const report = await enrolled();
    expect((await report(findings)).json["type"]).toBe("/problems/bad-request");
    expect((await node())["findings"]).toBeNull();
  });

  it("keep no secret that has got into them", async () => {
    const report = await enrolled();
    await report([finding({ saw: "mbn_0123456789abcdefghijkl was refused" })]);
    expect(JSON.stringify(await node())).toContain("mbn_… was refused");
  });

  it("are not in a backup", async () => {
    const report = await enrolled();
    await report([finding()]);
    expect((await use.world.admin("GET", "/v1/export")).text).not.toContain("ip_forward");
  });
});

describe("the server's page", () => {
  it("says that the doctor has not reported yet, and then what it found and when", async () => {
    const report = await enrolled();
    expect(await browse(`/servers/${identity(0).node}`)).toContain("It has not reported yet.");
    await report([finding({ saw: "<script>alert(1)</script>" })]);
    use.world.advance(2 * 3_600_000);
    const text = await browse(`/servers/${identity(0).node}`);
    expect(text).toContain("&lt;script&gt;");
    expect(text).not.toContain("<script>");
    expect(text).toMatch(/fault<\/span> at sysctls[\s\S]*Expected: 1[\s\S]*There, as root: meshboot up/);
    expect(text).toMatch(/as of <time[^>]*>2 hours ago</);
    expect(text).not.toContain("Healthy");
    expect(text).toContain("fault at sysctls, its doctor said 2 hours ago");
    await report([]);
    expect(await browse(`/servers/${identity(0).node}`)).toContain("Healthy, as of");
  });

  it("begins with them while something is wrong, and has them behind all else when nothing is", async () => {
    const report = await enrolled();
    await report([warning]);
    const page = `/servers/${identity(0).node}`;
    expect(await browse(page)).toMatch(/warning<\/span> at peers[\s\S]*<h2>Addresses/);
    await report([]);
    expect(await browse(page)).toMatch(/<h2>Addresses[\s\S]*Healthy, as of/);
  });

  it("leaves what is worse in the list's clause", async () => {
    const report = await enrolled();
    await use.world.settle();
    await report([warning]);
    expect(await browse("/")).toContain("warning at peers, its doctor said just now");
    use.world.advance(5 * 3_600_000);
    expect(await browse("/")).toContain("last heard 5 hours ago");
  });
});
