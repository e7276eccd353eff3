// The controller's API of the double of zerotier-one, over HTTP, against what was measured and read of the real 1.14.1.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "../../agent/shells.ts";
import { callAt, type Daemon, Double, ended, identityAt } from "./zerotier-process.ts";

const hasPython = available("python3", ["--version"], "the controller of the double is not looked at");

const { node: ADDRESS, secret: SECRET } = identityAt(0);
const NODE = "4e8d87c868";
const NOTHING = { status: 404, type: undefined, body: "" };

describe.runIf(hasPython)("the controller's API", { timeout: 60_000 }, () => {
  let double: Double;
  let home: string;
  let daemon: Daemon;
  let networks = 0;

  beforeAll(async () => {
    double = new Double();
    home = double.makeHome("home", SECRET);
    daemon = await double.start(home);
  });
  afterAll(() => double.close());

  /** A network of its own for a test; gives its path. */
  async function newNetwork(body: object = {}): Promise<string> {
    networks += 1;
    const path = `/controller/network/${ADDRESS}${networks.toString(16).padStart(6, "0")}`;
    expect(await daemon.call("POST", path, body)).toMatchObject({ status: 200 });
    return path;
  }

  /** What the network, or the member, is after a POST of this. */
  async function posted(path: string, body: string | object): Promise<unknown> {
    const { status, body: document } = await daemon.call("POST", path, body);
    expect(status, JSON.stringify(document)).toBe(200);
    expect((await daemon.call("GET", path)).body).toEqual(document);
    return document;
  }

  it("takes the token in three ways, and refuses all else with 401 and {}", async () => {
    const { port, token } = daemon;
    const status = async (path: string, headers: Record<string, string> = {}) =>
      (await callAt(port, "GET", path, { headers })).status;
    expect(await status("/controller", { "x-zt1-auth": token })).toBe(200);
    expect(await status("/controller", { authorization: `bearer ${token}` })).toBe(200);
    expect(await status(`/controller?auth=${token}`)).toBe(200);
    expect(await callAt(port, "GET", "/controller")).toEqual({
      status: 401,
      type: "application/json",
      body: {},
    });
    expect(await status("/controller/nowhere")).toBe(401);
    expect(await status("/controller", { authorization: token })).toBe(401);
    expect(await status("/controller?auth=x", { authorization: `Bearer ${token}` })).toBe(401);
    expect(await status(`/controller?auth=${token}`, { "x-zt1-auth": "x" })).toBe(401);
  });

  it("is for the host itself, and for whom local.conf allows", () => {
    const text = `import control, json, os
home = control.local_conf.__globals__["home"]
home.HOME = ${JSON.stringify(home)} + "2"
os.makedirs(home.HOME)
def allowed(): return [control.is_allowed(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:192.0.2.7", "2001:db8::1")]
before = allowed()
home.write("local.conf", json.dumps({"settings": {"allowManagementFrom": ["192.0.2.0/24"]}}))
print(json.dumps([before, allowed()]))`;
    expect(double.python(text)).toEqual([
      [true, true, true, false, false],
      [true, true, true, true, false],
    ]);
  });

  it("says that it is there", async () => {
    expect((await daemon.call("GET", "/controller")).body).toEqual({
      apiVersion: 4,
      clock: expect.any(Number),
      controller: true,
      databaseReady: true,
    });
    expect(await daemon.call("GET", "/controller/nowhere")).toEqual(NOTHING);
  });

  it("says 503 while its database is not ready, and all else waits", async () => {
    const order = `${double.folder}/not-ready`;
    writeFileSync(order, "");
    expect(await daemon.call("GET", "/controller")).toMatchObject({
      status: 503,
      body: { controller: true, databaseReady: false },
    });
    let isAnswered = false;
    const list = daemon.call("GET", "/controller/network").then((answer) => {
      isAnswered = true;
      return answer;
    });
    expect((await daemon.call("GET", "/controller")).status).toBe(503);
    expect(isAnswered).toBe(false);
    rmSync(order);
    expect((await list).status).toBe(200);
  });

  it("takes of a form, curl's default, 8192 bytes and no more, and of JSON more", async () => {
    const path = await newNetwork();
    const type = "application/x-www-form-urlencoded";
    const send = (name: string, contentType: string) =>
      callAt(daemon.port, "POST", path, {
        body: JSON.stringify({ name }),
        headers: { "x-zt1-auth": daemon.token, "content-type": contentType },
      });
    const most = 8192 - '{"name":""}'.length;
    expect((await send("x".repeat(most), type)).status).toBe(200);
    expect(await send("x".repeat(most + 1), type)).toEqual({ status: 413, type: undefined, body: "" });
    expect((await send("x".repeat(most + 1), "application/json")).status).toBe(200);
  });

  it("makes a network of a random id, by its own list or by six underscores after its own address", async () => {
    for (const path of ["/controller/network", `/controller/network/${ADDRESS}______`]) {
      const { status, body } = await daemon.call("POST", path, { name: "new" });
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { id: expect.stringMatching(`^${ADDRESS}[0-9a-f]{6}$`), name: "new", revision: 1 },
      });
    }
    expect(await daemon.call("POST", "/controller/network/0123456789______", {})).toEqual({
      status: 400,
      type: undefined,
      body: "",
    });
    expect(await daemon.call("GET", `/controller/network/${ADDRESS}______`)).toEqual(NOTHING);
  });

  it("makes the network of an id that is not there, also of another controller's, and knows it in any case", async () => {
    const foreign = "/controller/network/ABCDEF0123456789";
    expect(await posted(foreign, {})).toMatchObject({ id: "abcdef0123456789", nwid: "abcdef0123456789" });
    expect((await daemon.call("GET", "/controller/network")).body).toContain("abcdef0123456789");
    expect((await daemon.call("DELETE", foreign)).body).toMatchObject({ id: "abcdef0123456789" });
    for (const method of ["GET", "DELETE"]) expect(await daemon.call(method, foreign)).toEqual(NOTHING);
    expect(await daemon.call("GET", `${foreign}/member`)).toEqual(NOTHING);
  });

  it("has flat documents, with what a real one has by default", async () => {
    const path = await newNetwork();
    expect((await daemon.call("GET", path)).body).toMatchObject({
      enableBroadcast: true,
      mtu: 2800,
      multicastLimit: 32,
      name: "",
      objtype: "network",
      private: true,
      revision: 1,
      routes: [],
      rules: [{ not: false, or: false, type: "ACTION_ACCEPT" }],
      v4AssignMode: { zt: false },
      v6AssignMode: { "6plane": false, rfc4193: false, zt: false },
    });
    expect(await posted(`${path}/member/${NODE}`, {})).toMatchObject({
      address: NODE,
      authorized: false,
      id: NODE,
      ipAssignments: [],
      nwid: path.slice(-16),
      objtype: "member",
      revision: 1,
      vMajor: -1,
    });
  });

  it("merges key by key; what it does not know changes nothing, and no change is no revision", async () => {
    const path = await newNetwork({ name: "mesh", routes: [{ target: "10.1.0.0/16" }] });
    const before = await posted(path, { mtu: 1400 });
    expect(before).toMatchObject({
      name: "mesh",
      mtu: 1400,
      revision: 2,
      routes: [{ target: "10.1.0.0/16" }],
    });
    for (const body of [{}, { name: "mesh" }, { config: { name: "x" }, revision: 9, rulesSource: "x" }, []])
      expect(await posted(path, body)).toEqual(before);
    expect(await daemon.call("PUT", path, { name: "put" })).toMatchObject({
      body: { name: "put", revision: 3 },
    });

    const member = `${path}/member/${NODE}`;
    const authorized = await posted(member, { authorized: true, ipAssignments: ["10.1.0.7"] });
    expect(authorized).toMatchObject({
      lastAuthorizedCredentialType: "api",
      lastAuthorizedTime: expect.any(Number),
      lastDeauthorizedTime: 0,
    });
    expect(await posted(member, { identity: identityAt(1).identity, authorized: true })).toEqual(authorized);
    expect(await posted(member, { authorized: false })).toMatchObject({
      ipAssignments: ["10.1.0.7"],
      lastDeauthorizedTime: expect.any(Number),
      revision: 2,
    });
  });

  it.each([
    [{ v6AssignMode: { rfc4193: true } }, { v6AssignMode: { rfc4193: true } }],
    [{ v6AssignMode: "6plane,rfc4193" }, { v6AssignMode: { "6plane": true, rfc4193: true, zt: false } }],
    [{ v6AssignMode: null }, { v6AssignMode: { "6plane": false, rfc4193: false, zt: false } }],
    [{ v4AssignMode: "zt" }, { v4AssignMode: { zt: true } }],
    [{ v4AssignMode: {} }, { v4AssignMode: { zt: false } }],
    [
      { private: 0, mtu: 20_000 },
      { private: false, mtu: 10_000 },
    ],
    [{ mtu: "1" }, { mtu: 1280 }],
    [{ private: "no" }, { private: false }],
  ])("replaces assign modes whole, and reads what is of another type: %j", async (body, expected) => {
    const path = await newNetwork({ v6AssignMode: { "6plane": true }, v4AssignMode: { zt: true } });
    const document = await posted(path, body);
    for (const [name, value] of Object.entries(expected)) expect(document).toHaveProperty([name], value);
  });

  it("takes routes as they are, bends or drops the rest, and says 200", async () => {
    const path = await newNetwork();
    const kept = async (...routes: unknown[]) => {
      const document = await posted(path, { routes });
      return document !== null && typeof document === "object" && "routes" in document ? document.routes : [];
    };
    const onLink = (target: string) => [{ target, via: null }];
    const target = "10.2.0.0/16";
    expect(await kept({ target, via: "10.1.0.9", flags: 1, metric: 7 })).toEqual([
      { target, via: "10.1.0.9" },
    ]);
    expect(await kept({ target: "10.2.3.4" })).toEqual(onLink("10.2.3.4/0"));
    expect(await kept({ target: "10.1.0.5/16" })).toEqual(onLink("10.1.0.5/16"));
    expect(await kept({ target, via: "fd00::1" })).toEqual(onLink(target));
    expect(await kept({ target: "FD00:0::/64", via: "fd00:1::9" })).toEqual([
      { target: "fd00::/64", via: "fd00:1::9" },
    ]);
    expect(await kept({ target }, { target })).toEqual([...onLink(target), ...onLink(target)]);
    expect(
      await kept({ target: "10.0.0.0/33" }, { target: "fd00::/129" }, { target: "x" }, { target: 5 }, "x"),
    ).toEqual([]);
    expect(await kept({ target: "10.0.0.999/24" })).toEqual(onLink("0.0.0.0/24"));
    await posted(path, { routes: [{ target }] });
    expect(await posted(path, { routes: "x" })).toMatchObject({ routes: onLink(target) });
    expect(await kept(...Array.from({ length: 16_390 }, () => ({ target })))).toHaveLength(16_384);
  });

  it("keeps of pools those whose ends are of one family", async () => {
    const path = await newNetwork();
    const pool = { ipRangeStart: "10.1.0.1", ipRangeEnd: "10.1.0.9" };
    const pools = [
      pool,
      { ipRangeStart: "10.1.0.1", ipRangeEnd: "fd00::9" },
      { ipRangeStart: "10.1.0.1" },
      7,
    ];
    expect(await posted(path, { ipAssignmentPools: pools })).toMatchObject({ ipAssignmentPools: [pool] });
  });

  it("takes addresses without a length, drops what is none, and fails over what is no text", async () => {
    const member = `${await newNetwork()}/member/${NODE}`;
    const sent = { ipAssignments: ["10.1.0.7/24", "x", "FD00::7"], authorized: true };
    const before = await posted(member, sent);
    expect(before).toMatchObject({ ipAssignments: ["10.1.0.7", "fd00::7"] });
    expect(await daemon.call("POST", member, { ipAssignments: [7], authorized: false })).toEqual({
      status: 500,
      type: "application/json",
      body: { error: 500, description: expect.stringContaining("type must be string") },
    });
    expect(await posted(member, { ipAssignments: "10.1.0.8" })).toEqual(before);
  });

  it("fails over a body that is no JSON, and makes a network of one that is no object", async () => {
    for (const body of ["", "{"])
      expect(await daemon.call("POST", "/controller/network", body)).toMatchObject({
        status: 500,
        body: { error: 500 },
      });
    expect(await daemon.call("POST", "/controller/network", "null")).toMatchObject({
      status: 200,
      body: { name: "" },
    });
  });

  it("knows members by ten digits, in the case that they were sent in, and none of a network that is not there", async () => {
    const path = await newNetwork();
    expect(await posted(`${path}/member/AABBCCDDEE`, {})).toMatchObject({ id: "AABBCCDDEE" });
    expect((await daemon.call("GET", `${path}/member/aabbccddee`)).body).toMatchObject({ id: "AABBCCDDEE" });
    expect((await daemon.call("GET", `${path}/member`)).body).toEqual({ AABBCCDDEE: 1 });
    const unknown = `/controller/network/${ADDRESS}ffffff/member/${NODE}`;
    for (const method of ["GET", "POST", "DELETE"])
      expect(await daemon.call(method, unknown, "{}")).toEqual(NOTHING);
    for (const method of ["GET", "DELETE"])
      expect(await daemon.call(method, `${path}/member/${NODE}`)).toEqual(NOTHING);
    expect(await daemon.call("POST", `${path}/member/______`, {})).toEqual(NOTHING);
    expect((await daemon.call("DELETE", `${path}/member/aabbccddee`)).body).toMatchObject({
      id: "AABBCCDDEE",
    });
    expect((await daemon.call("GET", `${path}/member`)).body).toEqual({});
  });

  it("lists whole documents under /unstable", async () => {
    const path = await newNetwork();
    const first = await posted(`${path}/member/${NODE}`, { authorized: true });
    const second = await posted(`${path}/member/aabbccddee`, {});
    const { body } = await daemon.call("GET", `/unstable${path}/member`);
    expect(body).toEqual({ data: [first, second], meta: { totalCount: 2, authorizedCount: 1 } });
    expect((await daemon.call("GET", "/unstable/controller/network")).body).toMatchObject({
      data: expect.arrayContaining([
        expect.objectContaining({
          id: path.slice(-16),
          meta: { totalMemberCount: 2, authorizedMemberCount: 1 },
        }),
      ]),
      meta: { networkCount: expect.any(Number) },
    });
    expect(await daemon.call("GET", `/unstable/controller/network/${ADDRESS}ffffff/member`)).toEqual(NOTHING);
  });

  it("has all of it again after a kill, nothing in a home with the identity alone, and the same address in both", async () => {
    const home = double.makeHome("killed", SECRET);
    const first = await double.start(home);
    const path = `/controller/network/${ADDRESS}000001`;
    const network = (await first.call("POST", path, { name: "kept" })).body;
    const member = (await first.call("POST", `${path}/member/${NODE}`, { authorized: true })).body;
    expect(statSync(`${home}/controller.d`).mode & 0o777).toBe(0o700);
    const onDisk = `${home}/controller.d/network/${ADDRESS}000001`;
    expect(JSON.parse(readFileSync(`${onDisk}.json`, "utf8"))).toEqual(network);
    expect(JSON.parse(readFileSync(`${onDisk}/member/${NODE}.json`, "utf8"))).toEqual(member);
    await ended(first.child);

    const second = await double.start(home);
    expect(second.token).toBe(first.token);
    expect((await second.call("GET", path)).body).toEqual(network);
    expect((await second.call("GET", `${path}/member/${NODE}`)).body).toEqual(member);
    expect((await second.call("DELETE", path)).status).toBe(200);
    expect([existsSync(`${onDisk}.json`), existsSync(onDisk)]).toEqual([false, false]);
    await ended(second.child);

    const third = await double.start(double.makeHome("anew", SECRET));
    expect(third.token).not.toBe(first.token);
    expect((await third.call("GET", "/status")).body).toMatchObject({ address: ADDRESS });
    expect((await third.call("GET", "/controller/network")).body).toEqual([]);
  });

  it("is not there in a build without a controller, of which nothing else is another", async () => {
    const without = new Double({ CONTROLLER: "none" });
    try {
      const home = without.makeHome("home", SECRET);
      const own = await without.start(home);
      for (const path of ["/controller", "/controller/network", "/unstable/controller/network"])
        expect(await own.call("GET", path)).toEqual(NOTHING);
      expect(await own.call("POST", "/controller/network", {})).toEqual(NOTHING);
      expect((await callAt(own.port, "GET", "/controller")).status).toBe(401);
      expect((await own.call("GET", "/status")).status).toBe(200);
      expect(existsSync(`${home}/controller.d`)).toBe(false);
    } finally {
      await without.close();
    }
  });
});

describe.runIf(hasPython)("zerotier-one's command line", { timeout: 60_000 }, () => {
  let double: Double;
  beforeAll(() => {
    double = new Double();
  });
  afterAll(() => double.close());

  it("makes the secrets that are missing, writes its port, and has joined nothing", async () => {
    const home = double.makeHome("home", SECRET);
    const daemon = await double.start(home);
    expect(daemon.token).toMatch(/^\S{24}$/);
    expect(statSync(`${home}/authtoken.secret`).mode & 0o777).toBe(0o600);
    expect(statSync(`${home}/identity.secret`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${home}/identity.public`, "utf8")).toBe(identityAt(0).identity);
    expect(readFileSync(`${home}/zerotier-one.port`, "utf8")).toBe(String(daemon.port));
    expect((await daemon.call("GET", "/network")).body).toEqual([]);
    expect(existsSync(`${home}/networks.d`)).toBe(false);
    expect(double.run("-U", `-p${daemon.port}`, double.makeHome("beside", SECRET))).toEqual({
      code: 1,
      out: "",
      err: `zerotier-one: fatal error: cannot bind to local control interface port ${daemon.port}\n`,
    });
  });

  it("refuses an identity that is none, and leaves it as it is", () => {
    const home = double.makeHome("cut", SECRET.slice(0, 200));
    const { code, err } = double.run("-U", "-p0", home);
    expect({ code, err }).toEqual({
      code: 1,
      err: `zerotier-one: fatal error: invalid identity loaded from disk. Please remove identity.public and identity.secret from ${home} and try again\n`,
    });
    expect(readFileSync(`${home}/identity.secret`, "utf8")).toBe(SECRET.slice(0, 200));
  });

  it("shows its version, and its help for what it does not know", () => {
    expect(double.run("-v")).toEqual({ code: 0, out: "1.14.1\n", err: "" });
    for (const [args, code] of [
      [["-h"], 0],
      [["-x"], 0],
      [["a", "b"], 0],
      [["-p70000"], 1],
    ] as const)
      expect(double.run(...args)).toMatchObject({
        code,
        out: expect.stringContaining("Usage: zerotier-one"),
      });
  });
});
