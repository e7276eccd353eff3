/** What `server` says of one, and what is said of what it takes away before that is done. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const AT = "2026-08-01T12:00:00.000Z";
const NONE = { items: [], next: null };
const FINDINGS = {
  at: AT,
  items: [
    {
      ...{ link: "dockerd", level: "fault", saw: "no lease's options\u001b[2J" },
      ...{ expected: "--fixed-cidr", remedy: "meshboot up --restart-docker" },
    },
    { link: "peers", level: "note", saw: "db1 is silent", expected: "", remedy: "" },
  ],
};
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };
const REACH = {
  ...{ node: SERVER.node, name: "web1", at: AT, fault: null, probed: 2 },
  pairs: [
    {
      ...{ node: "39f51dfb25", name: "db1", path: "relayed", ipv6: SILENT },
      ipv4: { answers: true, rttMs: 12.3, loss: 0, mtu: 1500 },
    },
  ],
};

let line: CommandLine;
let stub: StubWorker;
/** What each path is answered with; a number: refused with that status. */
let answers: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  line = bundledCommandLine();
  stub = await startStubWorker(({ url = "" }, response) => {
    const document = answers[url.split("?")[0] ?? ""] ?? NONE;
    if (typeof document === "number") sendProblem(response, document, "forbidden", "needs the scope read");
    else sendJson(response, document);
  });
  signIn(line, { stub: { url: stub.url, token: "mba_x" } });
});
beforeEach(() => {
  answers = {
    "/v1/nodes": { items: [SERVER], next: null },
    [`/v1/nodes/${SERVER.node}`]: { ...SERVER, findings: FINDINGS },
    "/v1/reach": { items: [REACH], next: null },
  };
});
afterAll(async () => {
  await stub.close();
  line.remove();
});

it("has each finding of its doctor with what to do, and whom it reaches", async () => {
  const { code, out } = await line.run(["server", "web1"]);
  expect(code).toBe(0);
  expect(out).toContain(
    "fault at dockerd: no lease's options\ufffd[2J, and not --fixed-cidr\n  there, as root: meshboot up --restart-docker\nnote at peers: db1 is silent\n",
  );
  expect(out).toMatch(/^web1 +db1 +12\.3 ms, 1500 bytes +no answer +relayed/m);
});

it("says of a healthy one that nothing was found, and of one whose doctor was never asked nothing", async () => {
  answers = { ...answers, [`/v1/nodes/${SERVER.node}`]: { ...SERVER, findings: { at: AT, items: [] } } };
  expect((await line.run(["server", "web1"])).out).toContain("Its doctor found nothing wrong");
  answers = { ...answers, [`/v1/nodes/${SERVER.node}`]: { ...SERVER, findings: null } };
  expect((await line.run(["server", "web1"])).out).not.toContain("doctor");
});

it("is shown by who may not see whom it reaches", async () => {
  answers = { ...answers, "/v1/reach": 403, "/v1/events": 403 };
  const { code, out } = await line.run(["server", "web1"]);
  expect(code).toBe(0);
  expect(out).toContain("fault at dockerd");
  expect(out).not.toContain("relayed");
});

it("stands in the list with the worst that its doctor found", async () => {
  const worstFinding = { link: "sysctls", level: "fault", at: AT };
  answers = { "/v1/nodes": { items: [{ ...SERVER, worstFinding }], next: null } };
  expect((await line.run(["servers"])).out).toContain("fault at sysctls");
});

it("stands in the list, and is shown, with those whom it does not answer, or with nothing where that may not be read", async () => {
  const silence = { node: SERVER.node, name: "web1", kind: "missed", family: null, servers: 1, by: ["db1"] };
  answers = {
    ...answers,
    [`/v1/nodes/${SERVER.node}`]: { ...SERVER, findings: null },
    "/v1/reach/silences": { items: [silence] },
  };
  for (const words of [["servers"], ["server", "web1"]])
    expect((await line.run(words)).out).toContain("does not answer db1");
  for (const refusal of [403, 503]) {
    answers = { ...answers, "/v1/reach/silences": refusal };
    expect(await line.run(["servers"])).toMatchObject({ code: 0, err: "" });
  }
});

it.each([
  [
    ["reservations", "delete", "db1"],
    "/v1/reservations/db1",
    {
      ...{ name: "db1", slot: 7, node: null, createdAt: AT, keys: ["5db36edb221a0232"] },
      zerotier: { ipv4: "10.147.17.7/24" },
      docker: { ipv4: { subnet: "172.28.7.0/24", gateway: "172.28.7.1" } },
    },
    "taken back with it: key 5db36edb221a0232",
    ["DELETE /v1/reservations/db1?dryRun=true"],
  ],
  [
    ["tokens", "revoke", "former"],
    "/v1/tokens",
    {
      items: [
        {
          ...{ id: "former", scopes: ["admin"], note: "the ADMIN_TOKEN before", state: "valid" },
          ...{ createdAt: AT, expiresAt: AT, lastUsedAt: AT },
        },
      ],
      next: null,
    },
    "Token former: valid, for admin, last used",
    ["GET /v1/tokens?limit=200"],
  ],
])(
  "%j --dry-run says what goes with it, and asks for no more",
  async (words, path, document, said, asked) => {
    answers = { [path]: document };
    const before = stub.asked.length;
    const { code, err } = await line.run([...words, "--dry-run"]);
    expect(code, err).toBe(0);
    expect(err).toContain(said);
    expect(stub.asked.slice(before).map(({ method, url }) => `${method} ${url}`)).toEqual(asked);
  },
);
