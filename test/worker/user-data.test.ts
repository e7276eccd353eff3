import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { ORIGIN, useWorld } from "./world.ts";

const use = useWorld();

describe("POST /v1/user-data", () => {
  it("makes a key and the user-data that carries it, with its size against the providers' limits", async () => {
    const { status, json } = await use.world.admin("POST", "/v1/user-data", {
      name: "web1",
      docker: "official",
      key: { expiresIn: 3600, maxUses: 3, note: "three servers" },
    });
    expect(status).toBe(201);
    const text = String(json["userData"]);
    expect(text).toMatch(/^#cloud-config\n/);
    expect(text).toContain(`URL=${ORIGIN}\n`);
    expect(text).toContain("NAME=web1\n");
    expect(json).toMatchObject({
      form: "cloud-config",
      bytes: text.length,
      limits: expect.arrayContaining([
        expect.objectContaining({ provider: "hetzner", limit: 32768, fits: true }),
      ]),
      key: { maxUses: 3, uses: 0, state: "valid", note: "three servers" },
    });
    const secret = /mbk_[A-Za-z0-9_-]{22}/.exec(text)?.[0];
    expect(JSON.stringify(json["key"])).not.toContain("mbk_");
    expect((await use.world.enrol({ key: String(secret) })).status).toBe(200);
  });

  it("gives the user-data alone to who asks for plain text", async () => {
    const call = { token: undefined, body: { form: "include" }, headers: { Accept: "text/plain" } };
    const { text } = await use.world.call("POST", "/v1/user-data", {
      ...call,
      headers: { ...call.headers, Authorization: "Bearer mba_operator-of-the-tests-0123" },
    });
    expect(text).toMatch(/^#include-once\nhttps:\/\/mesh\.example\.com\/boot\/mbk_[A-Za-z0-9_-]{22}\n$/);
  });

  it("makes no key when the user-data cannot be made", async () => {
    for (const body of [
      { form: "multipart" },
      { form: "multipart", cloudConfig: "a: [" },
      { layout: "macvlan" },
      { name: "Web 1" },
      { unknown: true },
      { docker: "present", compose: true },
      { provider: "aws", cloudConfig: `#cloud-config\nbootcmd: [${"x".repeat(16_000)}]\n` },
      { provider: "ovh-vps", form: "include" },
    ]) {
      const { status, json } = await use.world.admin("POST", "/v1/user-data", body);
      expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
    }
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toEqual([]);
  });
});

describe("GET /boot/:key", () => {
  it("gives cloud-config and script with the options that the key was made with", async () => {
    const made = await use.world.admin("POST", "/v1/user-data", {
      form: "include",
      name: "web1",
      compose: true,
    });
    const path = String(made.json["userData"]).split("\n")[1]?.slice(ORIGIN.length) ?? "";
    const config = await use.world.call("GET", path);
    expect(config.text).toMatch(/^#cloud-config\n/);
    expect(config.text).toContain("COMPOSE=on\n");
    const script = await use.world.call("GET", `${path}/sh`);
    expect(script.text).toMatch(/^#!\/bin\/sh\n/);
    expect(script.text).toContain("NAME=web1\n");
    for (const { headers } of [config, script]) {
      expect(headers.get("Cache-Control")).toBe("no-store");
      expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    }
    expect((await use.world.call("GET", path)).text).toBe(config.text);
  });

  it("allows an overlap on the server exactly when its key does, in every form", async () => {
    for (const allowOverlap of [true, false]) {
      for (const form of ["cloud-config", "script"]) {
        const { json } = await use.world.admin("POST", "/v1/user-data", { form, key: { allowOverlap } });
        expect(String(json["userData"]).includes("ALLOW_OVERLAP=on\n")).toBe(allowOverlap);
      }
      const key = await use.world.key({ allowOverlap });
      for (const path of [`/boot/${key}`, `/boot/${key}/sh`])
        expect((await use.world.call("GET", path)).text.includes("ALLOW_OVERLAP=on\n")).toBe(allowOverlap);
    }
  });

  it("answers a spent and expired key too, since a second boot must not fail", async () => {
    const key = await use.world.key({ expiresIn: 60 });
    await use.world.enrol({ key });
    use.world.advance(61_000);
    expect((await use.world.call("GET", `/boot/${key}`)).status).toBe(200);
  });

  it("knows no key that was deleted, or never was", async () => {
    const key = await use.world.key();
    const { json } = await use.world.admin("GET", "/v1/keys");
    const [first]: unknown[] = Array.isArray(json["items"]) ? json["items"] : [];
    const id = typeof first === "object" && first !== null && "id" in first ? first.id : "";
    expect((await use.world.admin("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    expect((await use.world.admin("DELETE", `/v1/keys/${id}`)).status).toBe(404);
    for (const path of [`/boot/${key}`, `/boot/${key}/sh`, "/boot/x", "/boot/mbn_0123456789abcdefghijkl"])
      expect([path, (await use.world.call("GET", path)).status]).toEqual([path, 404]);
  });

  it("is not found in the log with its key, and neither is any other secret", async () => {
    const key = await use.world.key();
    await use.world.call("GET", `/boot/${key}`);
    await use.world.call("GET", `/boot/${key}/nothing`);
    const { json } = await use.world.enrol({ key });
    await use.world.settle();
    const log = use.world.log.join("\n");
    expect(log).toContain('"route":"/boot/:key"');
    for (const secret of [key, String(json["token"]), "operator-of-the-tests", "central-token"])
      expect(log).not.toContain(secret);
  });
});

describe("a field that does not exist", () => {
  it.each([
    ["POST", "/v1/keys", { expires: 5 }, "expires"],
    ["POST", "/v1/user-data", { nmae: "web1" }, "nmae"],
    ["POST", "/v1/user-data", { key: { maxUse: 3 } }, "key.maxUse"],
    ["PUT", "/v1/nodes/4e8d87c868", { name: "db1", slots: 7 }, "slots"],
    ["PATCH", "/v1/nodes/4e8d87c868", { name: "db1", slot: 7 }, "slot"],
  ])("is refused by %s %s, with its name", async (method, path, body, field) => {
    const { status, json } = await use.world.admin(method, path, body);
    expect([status, json["type"]]).toEqual([400, "/problems/bad-request"]);
    expect(json["errors"]).toEqual([`${field}: there is no such field`]);
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toEqual([]);
    expect((await use.world.admin("GET", "/v1/nodes")).json["items"]).toEqual([]);
  });

  it("is passed over in what an agent sends, which may be newer than the Worker", async () => {
    const { status, json } = await use.world.enrol({ change: { later: 1 } });
    expect(status).toBe(200);
    const beat = { token: String(json["token"]), body: { state: "ok", later: 1 } };
    expect((await use.world.call("POST", `/v1/nodes/${json["node"]}/heartbeat`, beat)).status).toBe(200);
  });
});

describe("keys", () => {
  it("live seven days and let in one server unless made otherwise", async () => {
    const { json } = await use.world.admin("POST", "/v1/keys", {});
    expect(json).toMatchObject({
      maxUses: 1,
      uses: 0,
      state: "valid",
      approval: false,
      allowOverlap: false,
      note: null,
    });
    const lifetime = Date.parse(String(json["expiresAt"])) - Date.parse(String(json["createdAt"]));
    expect(lifetime).toBe(7 * 86_400_000);
  });

  it("are listed page by page in the order of their making, without their secret", async () => {
    for (const note of ["a", "b", "c"]) {
      await use.world.key({ note });
      use.world.advance(1000);
    }
    const first = await use.world.admin("GET", "/v1/keys?limit=2");
    expect(first.json["items"]).toMatchObject([{ note: "a" }, { note: "b" }]);
    const second = await use.world.admin("GET", `/v1/keys?limit=2&cursor=${first.json["next"]}`);
    expect(second.json).toMatchObject({ items: [{ note: "c" }], next: null });
    expect(first.text).not.toContain("mbk_");
    // The page ends at a key that is deleted meanwhile.
    const [, last] = first.json["items"] as { id: string }[];
    await use.world.admin("DELETE", `/v1/keys/${last?.id}`);
    const after = await use.world.admin("GET", `/v1/keys?limit=2&cursor=${first.json["next"]}`);
    expect(after.json).toMatchObject({ items: [{ note: "c" }], next: null });
    expect((await use.world.admin("GET", "/v1/keys?cursor=abc")).status).toBe(400);
  });

  it("come to servers with an address by https, unless the Worker is a local one", async () => {
    const key = await use.world.key();
    for (const [called, told] of [
      ["http://mesh.example.com", "https://mesh.example.com"],
      ["http://127.0.0.1:8787", "http://127.0.0.1:8787"],
    ] as const) {
      const answer = await makeApp().fetch(new Request(`${called}/boot/${key}/sh`), { ...env });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain(told);
    }
  });
});
