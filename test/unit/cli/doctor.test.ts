/** What `doctor` says of a deployment. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { version } from "../../../package.json";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const SHA256 = "3c36ec16a1c3114f8f09838064e6eca1a86e710658817e43b205d7b333f00fb9";
const NONE = { items: [], next: null };
const POOL = {
  network: SERVER.network,
  pool: SERVER.pool,
  slots: {
    total: 239,
    active: 1,
    pending: 0,
    revoked: 0,
    quarantined: 0,
    excluded: 0,
    reserved: 0,
    free: 238,
  },
  ...{ conflicts: [], addressConflicts: [], excluded: [], routeLimit: 32 },
  waiting: { member: 0, routes: 0, copy: 0 },
};
const HEALTH = {
  status: "ok",
  ...{ faults: [], warnings: [] },
  nodes: { pending: 0, active: 1, offline: 0, stale: 0, revoked: 0, failed: 0 },
};

/** What a sound deployment answers, by its paths. */
const SOUND: Readonly<Record<string, unknown>> = {
  "/agent": { version, sha256: SHA256, bytes: 1000 },
  "/v1/sessions/current": { token: "root", id: null, scopes: ["admin"], expiresAt: null },
  "/openapi.json": { info: { version } },
  "/healthz": HEALTH,
  "/v1/pool": POOL,
  "/v1/nodes": { items: [{ ...SERVER, report: { state: "ok" } }], next: null },
  "/v1/webhooks": NONE,
  "/v1/reach/silences": { items: [] },
  "/v1/first-boots": NONE,
};

/** A first boot of a server that has no lease yet, so many minutes after it was last heard of. */
const boot = (minutes: number, change: object = {}) => {
  const lastAt = new Date(Date.now() - minutes * 60_000).toISOString();
  return {
    ...{ key: "5db36edb221a0232", machineId: "ab".repeat(32), node: null, name: "web9", address: null },
    ...{ state: "failed", step: "zerotier", stages: [{ stage: "fetched", at: lastAt }], clockAhead: 0 },
    ...{ log: null, lastAt, ...change },
  };
};

const MISSED = {
  node: SERVER.node,
  name: SERVER.name,
  kind: "missed",
  family: null,
  servers: 1,
  by: ["db1"],
};

let line: CommandLine;
let stub: StubWorker;
/** What is otherwise in a test; a number: refused with that status. */
let otherwise: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  line = bundledCommandLine();
  stub = await startStubWorker(({ url = "" }, response) => {
    const [path = ""] = url.split("?");
    response.sendDate = !("no date" in otherwise);
    const document = otherwise[url] ?? otherwise[path] ?? SOUND[path];
    if (typeof document === "number") sendProblem(response, document, "forbidden", "needs the scope read");
    else sendJson(response, document, path === "/healthz" && document !== HEALTH ? 503 : 200);
  });
  signIn(line, { stub: { url: stub.url, token: "mba_x" } });
});
beforeEach(() => {
  otherwise = {};
});
afterAll(async () => {
  await stub.close();
  line.remove();
});

it("a sound deployment is told as that, line by line, and ends with 0", async () => {
  const { code, out, err } = await line.run(["doctor"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(
    out
      .trim()
      .split("\n")
      .map((each) => each.split(/[ :]/)[0]),
  ).toEqual(Array(7).fill("ok"));
});

describe("a fault ends with 6, and has its remedy:", () => {
  const state = (name: string, server: object) => ({
    "/healthz": { ...HEALTH, nodes: { ...HEALTH.nodes, [name]: 1 } },
    [`/v1/nodes?state=${name}&limit=20`]: { items: [{ ...SERVER, ...server }], next: null },
    [`/v1/nodes?limit=20&state=${name}`]: { items: [{ ...SERVER, ...server }], next: null },
  });
  it.each([
    [
      "a controller",
      { "/healthz": { ...HEALTH, status: "waiting", faults: ["Central does not answer"] } },
      "waiting: Central does not answer",
      "its token",
    ],
    [
      "settings",
      { "/healthz": { ...HEALTH, status: "misconfigured", faults: ["no network"] } },
      "misconfigured: no network",
      "docs/deploy.md",
    ],
    [
      "a full pool",
      { "/v1/pool": { ...POOL, slots: { ...POOL.slots, free: 0 } } },
      "0 of 239 slots are free",
      "--state stale",
    ],
    [
      "an address that two have",
      {
        "/v1/pool": {
          ...POOL,
          addressConflicts: [{ slot: 1, address: "10.147.17.1", node: SERVER.node, member: "39f51dfb25" }],
        },
      },
      "member 39f51dfb25 holds it too",
      "Take it from that member",
    ],
    [
      "a server that stopped",
      state("failed", { failed: { step: "docker", at: SERVER.lastSeen } }),
      "web1: stopped at docker",
      "meshboot server web1.",
    ],
    [
      "what a server's own doctor found",
      {
        "/v1/nodes": {
          items: [{ ...SERVER, worstFinding: { link: "sysctls", level: "fault", at: SERVER.lastSeen } }],
          next: null,
        },
      },
      "web1: fault at sysctls",
      "meshboot server web1",
    ],
    [
      "a first boot that stands still",
      { "/v1/first-boots": { items: [boot(5)], next: null } },
      "web9: its first boot stands still at the step zerotier, heard 5m ago",
      "/keys/5db36edb221a0232, or meshboot wait web9 --key 5db36edb221a0232",
    ],
    ["a server that is away", state("offline", { state: "offline" }), "web1: not heard", "switched on"],
  ])("%s", async (_, answers, saw, remedy) => {
    otherwise = answers;
    const { code, out, err } = await line.run(["doctor"]);
    expect(code, out + err).toBe(6);
    expect(out).toMatch(/^FAIL {2}/m);
    expect(out).toContain(saw);
    expect(out).toContain(remedy);
    expect(err).toContain("1 thing to put right");
  });
});

describe("a warning ends with 0, and has its remedy:", () => {
  it.each([
    [
      "another version",
      { "/openapi.json": { info: { version: "99.0.0" } } },
      "the Worker is 99.0.0",
      "git pull",
    ],
    [
      "an older Worker",
      { "/openapi.json": { info: { version: "0.0.1" } } },
      "the Worker is 0.0.1",
      "npm run deploy",
    ],
    [
      "a pool that is nearly full",
      { "/v1/pool": { ...POOL, slots: { ...POOL.slots, free: 9 } } },
      "9 of 239",
      "--state stale",
    ],
    [
      "an agent that is behind",
      { "/v1/nodes": { items: [{ ...SERVER, behind: true }], next: null } },
      "behind: web1",
      "meshboot upgrade",
    ],
    [
      "a server that others do not reach",
      { "/v1/reach/silences": { items: [MISSED] } },
      "web1: does not answer db1",
      "meshboot reach web1",
    ],
    [
      "a first boot that tells nothing more",
      { "/v1/first-boots": { items: [boot(45, { state: "running", step: null })], next: null } },
      "web9: its first boot tells nothing more since: Agent there, heard 45m ago",
      "meshboot wait web9",
    ],
    ["a Worker without a clock", { "no date": true }, "clock: not compared", "`npm start`"],
    [
      "a token that may not look",
      { "/v1/pool": 403, "/v1/webhooks": 403 },
      "needs the scope read",
      "Not looked at",
    ],
  ])("%s", async (_, answers, saw, remedy) => {
    otherwise = answers;
    const { code, out, err } = await line.run(["doctor"]);
    expect(code, out + err).toBe(0);
    expect(out).toMatch(/^warn {2}/m);
    expect(out).toContain(saw);
    expect(out).toContain(remedy);
  });
});

it("a server that never reported is not called well", async () => {
  otherwise = { "/v1/nodes": { items: [SERVER], next: null } };
  const { code, out } = await line.run(["doctor"]);
  expect(code).toBe(0);
  expect(out).toContain("servers: 0 are well; has not reported yet: web1\n");
});

it("first boots that are long over, of servers with a lease, or begun anew are no finding", async () => {
  const items = [
    boot(5, { state: "done" }),
    boot(6),
    boot(7, { machineId: "cd".repeat(32), node: SERVER.node }),
    boot(13 * 60, { machineId: "ef".repeat(32) }),
    boot(5, { machineId: "01".repeat(32), state: "running" }),
  ];
  otherwise = { "/v1/first-boots": { items, next: null } };
  const { code, out } = await line.run(["doctor"]);
  expect(code).toBe(0);
  expect(out).not.toContain("first boot");
});
