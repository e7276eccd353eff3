import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeApp } from "../../worker/app.ts";
import { seal } from "../../worker/base/seal.ts";
import { ADMIN, ORIGIN, readAnswer, useWorld } from "./world.ts";

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
    const { text, headers } = await use.world.call("POST", "/v1/user-data", {
      ...call,
      headers: { ...call.headers, Authorization: "Bearer mba_operator-of-the-tests-0123" },
    });
    expect(text).toMatch(/^#include-once\nhttps:\/\/mesh\.example\.com\/boot\/mbk_[A-Za-z0-9_-]{22}\n$/);
    expect(headers.get("Cache-Control")).toBe("no-store");
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

describe("user-data that cannot be made, and why", () => {
  it.each([
    [
      { cloudConfig: "#cloud-config\nhostname:\tweb1\n" },
      /^cloudConfig: it is no valid YAML: .* \(line 2, column 10\)$/,
    ],
    [{ cloudConfig: "#cloud-config\nruncmd: [a: b]\n" }, /^cloudConfig: runcmd: item 1 /],
    [{ provider: "ovh-vps", form: "include" }, /^provider: ovh-vps has no field .* leave form out/],
    [{ provider: "ovh-vps", cloudConfig: "#cloud-config\n{}\n" }, /^provider: .* leave cloudConfig out/],
    [
      { provider: "aws", cloudConfig: `#cloud-config\nbootcmd: [${"x".repeat(16_000)}]\n` },
      /^provider: the user-data has \d+ bytes .*; make your own part of it smaller$/,
    ],
  ])("%j", async (body, fault) => {
    const { status, json } = await use.world.admin("POST", "/v1/user-data", body);
    expect([status, json["errors"]]).toEqual([400, [expect.stringMatching(fault)]]);
    expect((await use.world.admin("GET", "/v1/keys")).json["items"]).toEqual([]);
  });

  it("gives the script where there is no field for user-data, asked for or not", async () => {
    for (const form of [undefined, "script"]) {
      const { status, json } = await use.world.admin("POST", "/v1/user-data", { provider: "ovh-vps", form });
      expect([status, json["form"]]).toEqual([201, "script"]);
      // It is run on the server, and pasted nowhere.
      expect(json["notes"]).toEqual([]);
    }
    const { json } = await use.world.admin("POST", "/v1/user-data", { form: "script" });
    expect(json["notes"]).toEqual([expect.stringContaining("empty line")]);
  });

  it("says that servers elsewhere do not reach a local Worker, and nothing of it otherwise", async () => {
    const notesOf = async (origin: string) => {
      const response = await exports.default.fetch(`${origin}/v1/user-data`, {
        method: "POST",
        headers: { Authorization: `Bearer ${ADMIN}`, "Content-Type": "application/json" },
        body: "{}",
      });
      return (await readAnswer(response)).json["notes"];
    };
    for (const origin of ["http://127.0.0.1:8787", "http://192.168.1.5:8787"])
      expect(await notesOf(origin)).toEqual([
        `It names ${origin}, which servers elsewhere do not reach: call the Worker by the address that your servers should use.`,
      ]);
    expect(await notesOf(ORIGIN)).toEqual([]);
    expect(await notesOf(ORIGIN.replace("https:", "http:"))).toEqual([]);
  });

  it("says of a name that is taken or reserved which one the server gets, to whoever may see servers", async () => {
    await use.world.enrol({ name: "web1" });
    await use.world.admin("POST", "/v1/reservations", { name: "db1" });
    const notesOf = async (body: object, token = ADMIN) => {
      const { status, json } = await use.world.call("POST", "/v1/user-data", { token, body });
      expect(status).toBe(201);
      return json["notes"];
    };
    for (const name of ["web1", "db1"])
      expect(await notesOf({ name })).toEqual([
        `${name} is another server's name, or reserved: this server will be called ${name}-2. For one in the place of that server, replace it; for a reserved name, choose that.`,
      ]);
    expect(await notesOf({ name: "web2" })).toEqual([]);
    expect(await notesOf({ name: "db1", key: { reservation: "db1" } })).toEqual([]);
    const { json } = await use.world.admin("POST", "/v1/tokens", { scopes: ["keys"] });
    expect(await notesOf({ name: "web1" }, String(json["token"]))).toEqual([]);
  });
});

describe("an Idempotency-Key", () => {
  const ask = (idempotencyKey: string, body: unknown) =>
    use.world.call("POST", "/v1/user-data", {
      token: ADMIN,
      body,
      headers: { "Idempotency-Key": idempotencyKey },
    });
  const keyIds = async () => {
    const { json } = await use.world.admin("GET", "/v1/keys");
    return (json["items"] as { id: string }[]).map(({ id }) => id);
  };
  const web1 = {
    name: "web1",
    cloudConfig: "#cloud-config\npassword: of-the-operator\n",
    key: { note: "a" },
  };

  it("gives the same key and text again, whatever the order of the fields, until the key is deleted", async () => {
    const first = await ask("web1", web1);
    expect(first.status).toBe(201);
    expect(await keyIds()).toHaveLength(1);
    await use.world.crash();
    use.world.advance(8 * 86_400_000);
    const { key, cloudConfig, name } = web1;
    const again = await ask("web1", { key, cloudConfig, name });
    expect(again.status).toBe(201);
    expect(again.json["userData"]).toBe(first.json["userData"]);
    expect(again.json["key"]).toMatchObject({ note: "a", state: "expired" });
    expect(await keyIds()).toHaveLength(1);
    await use.world.admin("DELETE", `/v1/keys/${(await keyIds())[0]}`);
    const gone = await ask("web1", web1);
    expect([gone.status, gone.json["type"]]).toEqual([409, "/problems/idempotency-key-used"]);
    expect(gone.json["detail"]).toContain("was deleted");
    expect(await keyIds()).toEqual([]);
    const kept = await runInDurableObject(use.world.object, (_, { storage }) =>
      storage.sql.exec("SELECT sealed FROM user_data").toArray(),
    );
    expect(kept).toEqual([{ sealed: null }]);
  });

  it("is another one's: other user-data; without any, each call makes its own", async () => {
    const texts = [];
    for (const idempotencyKey of ["web1", "web2"])
      texts.push((await ask(idempotencyKey, web1)).json["userData"]);
    for (let n = 0; n < 2; n++)
      texts.push((await use.world.admin("POST", "/v1/user-data", web1)).json["userData"]);
    expect(new Set(texts).size).toBe(4);
    expect(await keyIds()).toHaveLength(4);
  });

  it("is refused with another body, and makes nothing", async () => {
    await ask("web1", web1);
    const other = await ask("web1", { ...web1, name: "web2" });
    expect([other.status, other.json["type"]]).toEqual([409, "/problems/idempotency-key-used"]);
    expect(other.json["detail"]).toContain("another kind");
    expect(await keyIds()).toHaveLength(1);
  });

  it("makes one key, however many ask at a time", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask("web1", web1)));
    expect(new Set(answers.map(({ json }) => json["userData"])).size).toBe(1);
    expect(await keyIds()).toHaveLength(1);
  });

  it.each(["", "a b", "x".repeat(201)])("is refused when it is %j", async (idempotencyKey) => {
    const { status, json } = await ask(idempotencyKey, web1);
    expect([status, json["errors"]]).toEqual([400, [expect.stringContaining("idempotency-key: ")]]);
  });

  it("leaves neither the key nor the operator's own text readable in the tables", async () => {
    const { json } = await ask("web1", web1);
    const secret = /mbk_[A-Za-z0-9_-]{22}/.exec(String(json["userData"]))?.[0] ?? "none";
    expect(secret).toMatch(/^mbk_/);
    const stored = await runInDurableObject(use.world.object, (_, { storage: { sql } }) => {
      const tables = sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
        .toArray();
      return tables
        .filter(({ name }) => !name.startsWith("_") && !name.startsWith("sqlite_"))
        .flatMap(({ name }) => sql.exec(`SELECT * FROM ${name}`).toArray())
        .flatMap((row) => Object.values(row))
        .map((value) =>
          value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : String(value),
        )
        .join("\n");
    });
    expect(stored).toContain("web1");
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain("of-the-operator");
  });

  it("says so when what it gave is sealed under a secret that is lost", async () => {
    await ask("web1", web1);
    const sealed = await seal("{}", "mba_another-secret-of-the-tests-0", (bytes) => bytes);
    await runInDurableObject(use.world.object, (_, { storage }) => {
      storage.sql.exec("UPDATE user_data SET sealed = ?", sealed);
    });
    const { status, json } = await ask("web1", web1);
    expect([status, json["detail"]]).toEqual([409, expect.stringContaining("changed at once")]);
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
    for (const path of [`/boot/${key}`, "/boot/x", "/boot/mbn_0123456789abcdefghijkl"])
      expect([path, (await use.world.call("GET", path)).status]).toEqual([path, 404]);
    for (const path of [`/boot/${key}/sh`, "/boot/x/sh"])
      expect((await use.world.call("GET", path)).text).toMatch(/no such enrolment key.*\nexit 1\n$/);
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
    expect(json["errors"]).toEqual([`${field}: there is no such field; /openapi.json lists them`]);
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
