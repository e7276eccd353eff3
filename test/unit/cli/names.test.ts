/** What the command line says of a name that is taken, reserved or not in lower case, and of a key that is made twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inOwnVerbs } from "../../../scripts/cli/call/own-verbs.ts";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const AT = SERVER.leasedAt;
const KEY = {
  ...{ id: "5db36edb221a0232", createdAt: AT, lastUsedAt: null, expiresAt: "2026-08-08T12:00:00.000Z" },
  ...{ maxUses: 1, uses: 0, state: "valid", approval: false, names: null, ephemeralMinutes: null },
  ...{ reservation: null, takesOver: null, allowOverlap: false, options: null, tags: [], note: "for web1" },
};
const USER_DATA = {
  ...{ form: "cloud-config", userData: "#cloud-config\n", bytes: 14, limits: [], key: { ...KEY, id: "new" } },
  notes: ["see GET /v1/keys"],
};
const PREVIEW = {
  ...{ dryRun: true, node: SERVER.node, name: "web1", slot: 1, lastSeen: AT, breaks: [], freeAt: null },
  stays: ["name and slot are reserved from now on (GET /v1/reservations)"],
};
const RESERVED = {
  ...{ name: "web1", slot: 1, node: null, zerotier: { ipv4: "10.147.17.1/24" }, createdAt: AT },
  docker: { ipv4: SERVER.docker.ipv4 },
};

let line: CommandLine;
let stub: StubWorker;
/** What there is; a number: refused with that status. */
let lists: Record<"nodes" | "keys" | "reservations", readonly object[] | number>;

beforeAll(async () => {
  line = bundledCommandLine();
  stub = await startStubWorker(({ method, url = "" }, response) => {
    const [, list] = /^\/v1\/(nodes|keys|reservations)(?:\?|$)/.exec(url) ?? [];
    if (method !== "GET" || (list !== "nodes" && list !== "keys" && list !== "reservations"))
      return sendJson(response, url === "/v1/user-data" ? USER_DATA : PREVIEW);
    const items = lists[list];
    if (typeof items === "number") sendProblem(response, items, "forbidden", "needs the scope read");
    else sendJson(response, { items, next: null });
  });
  signIn(line, { stub: { url: stub.url, token: "mba_x" } });
});
afterAll(async () => {
  await stub.close();
  line.remove();
});
beforeEach(() => {
  lists = { nodes: [], keys: [], reservations: [] };
});

describe("a server", () => {
  it.each(["server", "replace", "approve", "retire"])(
    "that is reserved alone is told to %s with its remedy",
    async (command) => {
      lists.reservations = [RESERVED];
      const { code, err } = await line.run([command, "web1"]);
      expect(code).toBe(1);
      expect(err).toBe(
        "meshboot: web1 is reserved, and no server has it. One that gets it: meshboot add web1 --reserved.\n",
      );
    },
  );

  it.each(["server", "wait"])("in capitals is told to %s as it is written", async (command) => {
    const { code, err } = await line.run([command, "DEMO3"]);
    expect(code).toBe(1);
    expect(err).toContain("names are in lower case. Try demo3");
  });
});

describe("replace", () => {
  it("names the unused key that replaces the server already, and no other", async () => {
    lists.nodes = [SERVER];
    lists.keys = [
      { ...KEY, takesOver: SERVER.node },
      { ...KEY, id: "0".repeat(16), takesOver: SERVER.node, state: "expired" },
      { ...KEY, id: "1".repeat(16), takesOver: SERVER.node, uses: 1, state: "spent" },
      { ...KEY, id: "2".repeat(16) },
    ];
    const { code, err } = await line.run(["replace", "web1", "--dry-run"]);
    expect(code).toBe(0);
    expect(err).toMatch(
      /^Key 5db36edb221a0232, made .* replaces web1 already.* meshboot keys delete 5db36edb221a0232$/m,
    );
    expect(err.match(/^Key /gm)).toHaveLength(1);
    expect(err).toContain("reserved from now on (meshboot reservations)");
  });
});

describe("add", () => {
  it("says nothing of a name that nobody has", async () => {
    const { code, out, err } = await line.run(["add", "web1"]);
    expect({ code, out }).toEqual({ code: 0, out: "#cloud-config\n" });
    expect(err).toMatch(/^User-data of the form/);
    expect(err).toContain("see meshboot keys\n");
  });

  it("names the command for a name that a server has", async () => {
    lists.nodes = [SERVER];
    const { code, err } = await line.run(["add", "web1"]);
    expect(code).toBe(0);
    expect(err).toContain("For one in its place: meshboot replace web1");
  });

  it("names the command for a name that is reserved", async () => {
    lists.reservations = [RESERVED];
    const { code, err } = await line.run(["add", "web1"]);
    expect(code).toBe(0);
    expect(err).toContain("For the reserved one: meshboot add web1 --reserved");
  });

  it("says that there is an unused key for the same name, unless the same one is asked for again", async () => {
    lists.keys = [KEY];
    const { err } = await line.run(["add", "web1"]);
    expect(err).toMatch(
      /^Key 5db36edb221a0232, made .* is for web1 too.* meshboot keys delete 5db36edb221a0232$/m,
    );
    expect((await line.run(["add", "web1", "--idempotency-key", "one"])).err).not.toContain("too");
  });

  it.each([
    ["that is not there", [], "web1 is not reserved. meshboot reserve web1 does it"],
    ["that a server has", [{ ...RESERVED, node: SERVER.node }], "One in its place: meshboot replace web1"],
  ])("makes no key for a reservation %s", async (_, reservations, said) => {
    lists.reservations = reservations;
    const { code, out, err } = await line.run(["add", "web1", "--reserved"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(said);
    lists.reservations = [RESERVED];
    expect(await line.run(["add", "web1", "--reserved"])).toMatchObject({ code: 0 });
  });

  it("goes without a look where the token is for keys alone", async () => {
    lists = { nodes: 403, keys: 403, reservations: 403 };
    expect(await line.run(["add", "web1"])).toMatchObject({ code: 0, out: "#cloud-config\n" });
  });
});

it.each([
  [
    'a server gets them by a key with "reservation": "db1" (POST /v1/user-data)',
    "a server gets them by meshboot add db1 --reserved",
  ],
  [
    "node a has the reserved name db1; another server takes its place with a key that says `takeover` (POST /v1/nodes/a/replace makes one)",
    "node a has the reserved name db1; another server takes its place by meshboot replace db1",
  ],
  [
    "this call needs `Authorization: Bearer mba_…`, the admin token",
    "this call needs an admin token, which begins with mba_",
  ],
  ["expired; POST /v1/tokens makes another one", "expired; meshboot tokens make makes another one"],
  ["end it with POST /v1/tokens/former/revoke", "end it with meshboot tokens revoke former"],
  ["and DELETE /v1/reservations/db1 gives both up", "and meshboot reservations delete db1 gives both up"],
  [
    "gone (GET /v1/nodes?state=stale), or GET /v1/pool",
    "gone (meshboot servers --state stale), or meshboot pool",
  ],
  ["a new one: POST /v1/adopt?dryRun=true", "a new one: POST /v1/adopt?dryRun=true"],
])("the API's %j has the command's own verbs", (text, said) => {
  expect(inOwnVerbs(text)).toBe(said);
});
