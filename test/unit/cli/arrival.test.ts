/** What waits for a server: `wait`, and `add --wait`, which tells of its first boot. */
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { generateIdentity } from "../../../scripts/identity/generate.ts";
import { enrolmentBody, postEnrolment, postReport } from "../../../scripts/local/invented-server.ts";
import type { ReachOfServer, ReachPair } from "../../../worker/schema/reach.ts";
import { bundledCommandLine, type CommandLine, signIn } from "./command-line.ts";
import { type DemoMesh, startDemoMesh } from "./demo-mesh.ts";
import { follow } from "./follow.ts";
import { SERVER } from "./server.ts";
import { type StubWorker, sendJson, sendProblem, startStubWorker } from "./stub-worker.ts";

const AT = "2026-08-01T12:00:00.000Z";
const OTHER = { ...SERVER, node: "39f51dfb25", name: "db1", slot: 2 };
const READY = { ...SERVER, report: { state: "ok" } };
const ANSWERS = { answers: true, rttMs: 1, loss: 0, mtu: 1500 };
const SILENT = { answers: false, rttMs: null, loss: 100, mtu: null };

const pair = ({ node, name }: { node: string; name: string }, family: ReachPair["ipv4"]): ReachPair => ({
  ...{ node, name, ipv4: family, ipv6: family, path: "direct" },
});
const reach = (
  { node, name }: { node: string; name: string },
  pairs: readonly ReachPair[] = [],
): ReachOfServer => ({
  ...{ node, name, at: pairs.length === 0 ? null : AT, fault: null, probed: pairs.length, pairs: [...pairs] },
});

let line: CommandLine;
beforeAll(() => {
  line = bundledCommandLine();
});
afterAll(() => line.remove());

describe("in front of a Worker that says what it is to say,", () => {
  let stub: StubWorker;
  /** What it knows; each test changes it. */
  let servers: readonly { readonly name: string }[];
  let found: readonly ReachOfServer[];
  let boots: readonly object[];
  /** What it says of the key; undefined: there is none. */
  let key: object | undefined;
  /** So many calls get such a status and no answer before there is one. */
  let unwell: { calls: number; status: number };

  const KEY = {
    ...{ id: "5db36edb221a0232", createdAt: AT, lastUsedAt: null, expiresAt: "2026-08-08T12:00:00.000Z" },
    ...{ maxUses: 1, uses: 0, state: "valid", approval: false, names: null, ephemeralMinutes: null },
    ...{ reservation: null, takesOver: null, allowOverlap: false, options: null, tags: [], note: null },
  };
  const USER_DATA = {
    ...{ form: "cloud-config", userData: "#cloud-config\n", bytes: 14, notes: [], limits: [], key: KEY },
  };

  beforeEach(async () => {
    servers = [];
    found = [];
    boots = [];
    key = KEY;
    unwell = { calls: 0, status: 503 };
    stub = await startStubWorker(({ url = "" }, response) => {
      if (unwell.calls-- > 0) return sendProblem(response, unwell.status, "x", "it rains");
      const { pathname, searchParams } = new URL(url, "http://stub");
      if (pathname === `/v1/keys/${KEY.id}`)
        return key === undefined ? sendProblem(response, 404, "not-found", "none") : sendJson(response, key);
      const node = searchParams.get("node");
      const name = searchParams.get("name");
      const items = {
        "/v1/nodes": servers.filter((server) => name === null || server.name === name),
        "/v1/reach": found.filter((each) => node === null || each.node === node),
        "/v1/first-boots": boots,
        "/v1/keys": [],
        "/v1/reservations": [],
      }[pathname];
      sendJson(response, items === undefined ? USER_DATA : { items, next: null });
    }, true);
    signIn(line, { stub: { url: stub.url, token: "mba_x" } });
  });
  afterEach(() => stub.close());

  /** Has whoever waits look again, once it listens. */
  async function tell(...changed: string[]): Promise<void> {
    while (stub.tell({ changed }) === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  const stages = (...reached: string[]) =>
    ["made", "fetched", "packages", "enrolled", "approved", "mesh", "docker", "containers"].map((stage) => ({
      ...{
        stage,
        at: stage === "made" ? AT : reached.includes(stage) ? "2026-08-01T12:00:34.000Z" : null,
      },
    }));
  const boot = (change: object) => ({
    ...{ key: KEY.id, machineId: "ab".repeat(32), node: null, name: "web1", address: "192.0.2.7" },
    ...{ state: "running", step: null, stages: stages("fetched"), clockAhead: 0, log: null, lastAt: AT },
    ...change,
  });
  const failed = boot({ state: "failed", step: "zerotier", log: "E: no route\n\u001b[31mE: end\n" });

  describe("wait", () => {
    it.each([
      ["its own probe was answered", [reach(SERVER, [pair(OTHER, ANSWERS)])], "db1 has answered web1"],
      [
        "it does not probe, and another one's probe was answered",
        [reach(OTHER, [pair(SERVER, { ...ANSWERS, mtu: null })]), reach(SERVER)],
        "web1 has answered db1",
      ],
    ])("ends well when %s", async (_, proof, said) => {
      servers = [READY, OTHER];
      found = proof;
      const { code, out, err } = await line.run(["wait", "web1"]);
      expect({ code, out }).toEqual({ code: 0, out: "web1 is reachable: 10.147.17.1/24\n" });
      expect(err).toContain(`web1: ${said}.`);
    });

    it("goes on while nobody has probed, and while nobody answers, and says whom it is about", async () => {
      servers = [READY, OTHER];
      found = [reach(SERVER), reach(OTHER)];
      const { printed, out, ended } = follow(line, ["wait", "web1"]);
      await printed("web1: set up, and no server has probed it yet");
      found = [reach(SERVER, [pair(OTHER, SILENT)]), reach(OTHER, [pair(SERVER, SILENT)])];
      await tell("servers");
      await printed("web1: set up, and no answer between it and db1\n");
      found = [reach(SERVER, [pair(OTHER, { ...ANSWERS, loss: 33 })])];
      await tell("servers");
      expect(await ended(), out()).toBe(0);
      expect(out()).toContain("web1 is reachable");
    });

    it("says of one that is alone in the mesh that nobody can prove it", async () => {
      servers = [READY];
      found = [reach(SERVER)];
      const { code, out, err } = await line.run(["wait", "web1"]);
      expect({ code, out }).toEqual({ code: 0, out: "web1 is active: 10.147.17.1/24\n" });
      expect(err).toContain("alone in the mesh");
    });

    it("asks nobody whether it is reached where it is only to be let in", async () => {
      servers = [SERVER, OTHER];
      expect(await line.run(["wait", "web1", "--for", "active"])).toMatchObject({
        ...{ code: 0, out: "web1 is active: 10.147.17.1/24\n", err: "" },
      });
      expect(stub.asked.filter(({ url }) => url?.startsWith("/v1/reach"))).toEqual([]);
    });

    it("ends with 5 when the server does not come in time", async () => {
      const { out, ended } = follow(line, ["wait", "web1", "--timeout", "1s"]);
      expect(await ended()).toBe(5);
      expect(out()).toMatch(
        /^web1: not there yet\n.*not reachable within 1s; at last: not there yet\. Why: meshboot refusals/s,
      );
    });

    it("says where to look when the server that is there does not get further", async () => {
      const waiting = { ...SERVER, state: "pending" };
      servers = [waiting];
      const { out, ended } = follow(line, ["wait", "web1", "--timeout", "1s"]);
      expect(await ended()).toBe(5);
      expect(out()).toContain(
        "at last: pending, its agent has not reported yet. It waits for you: meshboot approve web1",
      );
    });

    it("waits for the one that a key lets in, whatever is there under the name", async () => {
      servers = [READY];
      found = [reach(SERVER)];
      const { code, out } = await line.run(["wait", "web1", "--key", "0123456789abcdef"]);
      expect({ code, out }).toEqual({ code: 0, out: "web1 is active: 10.147.17.1/24\n" });
      expect(stub.asked.map(({ url }) => url)).toContain("/v1/nodes?key=0123456789abcdef&limit=1");
      expect(stub.asked.map(({ url }) => url).join(" ")).not.toContain("name=");
    });

    it.each([429, 500, 502, 503])("goes on after an answer of %i, and says that once", async (status) => {
      [servers, found, unwell] = [[READY], [reach(SERVER)], { calls: 2, status }];
      const { code, out, err } = await line.run(["wait", "web1"]);
      expect({ code, out }).toEqual({ code: 0, out: "web1 is active: 10.147.17.1/24\n" });
      expect(err.match(/^web1: no answer, it is tried on: Refused: it rains$/gm)).toHaveLength(1);
    });

    it("goes on while nobody answers, until its time is over", async () => {
      await stub.close();
      const { code, err } = await line.run(["wait", "web1", "--timeout", "2s"]);
      expect(code).toBe(5);
      expect(err.match(/^web1: no answer, it is tried on: .*ECONNREFUSED/gm)).toHaveLength(1);
      expect(err).toMatch(/^meshboot: not reachable within 2s; at last: no answer, .*ECONNREFUSED/m);
    });

    it.each([
      [401, 4],
      [403, 4],
      [404, 1],
    ])("ends at once when it is refused with %i", async (status, ended) => {
      unwell = { calls: 9, status };
      expect(await line.run(["wait", "web1", "--key", KEY.id])).toMatchObject({ code: ended, out: "" });
      expect(stub.asked).toHaveLength(1);
    });

    it.each([
      ["that was taken back", { ...KEY, state: "revoked" }, "was taken back"],
      ["that has expired", { ...KEY, state: "expired" }, "has expired"],
      ["that is not there", undefined, "it was deleted, or never was"],
    ])("ends at once for a key %s and has brought no server", async (_, known, said) => {
      key = known;
      const { code, out, err } = await line.run(["wait", "web1", "--key", KEY.id]);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain(said);
      expect(err).toContain("Another one: meshboot add web1");
    });

    it("goes on for a key whose server may come again", async () => {
      key = { ...KEY, state: "expired", uses: 1 };
      const { code, err } = await line.run(["wait", "web1", "--key", KEY.id, "--timeout", "1s"]);
      expect(code).toBe(5);
      expect(err).toContain(`web1: not there yet: key ${KEY.id} was used`);
      expect(err).toContain(`its first boot: ${stub.url}/keys/${KEY.id}`);
    });

    it("says which server came by the key when its name is another one", async () => {
      [servers, found] = [[{ ...READY, name: "web1-2" }], [reach(SERVER)]];
      const { code, out, err } = await line.run(["wait", "web1", "--key", KEY.id]);
      expect({ code, out }).toEqual({ code: 0, out: "web1-2 is active: 10.147.17.1/24\n" });
      expect(err).toContain("The server that the key let in is named web1-2, not web1.");
    });

    it("tells of a first boot under its name that stands still, and ends with 7 then", async () => {
      boots = [boot({ name: "db1" }), failed, boot({ state: "done", machineId: "cd".repeat(32) })];
      const { code, err } = await line.run(["wait", "web1", "--timeout", "1s"]);
      expect(code).toBe(7);
      expect(err).toContain(
        "web1 stands still at the step zerotier, and tries again by itself.\n  E: no route\n",
      );
      expect(err).toContain("at last: web1 stands still at the step zerotier. Why: meshboot refusals");
      expect(err).toContain("meshboot keys has the id of its key, of which wait --key ID tells more");
      expect(err).not.toContain("db1");
    });

    it("tells nothing of a first boot that is over", async () => {
      boots = [boot({ state: "done" }), failed];
      const { code, err } = await line.run(["wait", "web1", "--timeout", "1s"]);
      expect(code).toBe(5);
      expect(err).not.toContain("Agent there");
      expect(err).not.toContain("stands still");
    });
  });

  describe("add --wait", () => {
    it("tells each stage with its time as it comes, and where it stands still, and goes on when that is over", async () => {
      const { printed, out, ended } = follow(line, ["add", "web1", "--wait"]);
      await printed("web1: not there yet");
      expect(out()).toContain(`Should this wait end: meshboot wait web1 --key ${KEY.id}`);
      boots = [boot({})];
      await tell("first-boots");
      await printed("12:00:34Z  web1: Agent there, after 34s\n");
      boots = [failed];
      await tell("first-boots");
      await printed(
        "12:00:00Z  web1 stands still at the step zerotier, and tries again by itself.\n  E: no route\n",
      );
      boots = [boot({ state: "done", stages: stages("fetched", "packages", "enrolled", "containers") })];
      [servers, found] = [[READY, OTHER], [reach(SERVER, [pair(OTHER, ANSWERS)])]];
      await tell("first-boots", "servers");
      expect(await ended(), out()).toBe(0);
      for (const said of [
        "web1: Enrolled, after 34s",
        "web1: Containers answer, after",
        "web1 is in the mesh",
      ])
        expect(out()).toContain(said);
      expect(out().match(/Agent there/g)).toHaveLength(1);
      expect(out()).not.toContain("\u001b");
    });

    it("ends with 7, and says where, when the first boot stands still to the end", async () => {
      boots = [failed];
      const { out, ended } = follow(line, ["add", "web1", "--wait", "--timeout", "1s"]);
      expect(await ended()).toBe(7);
      expect(out()).toContain("not reachable within 1s; at last: web1 stands still at the step zerotier");
    });
  });
});

describe("in front of a Worker,", () => {
  let demo: DemoMesh;
  beforeAll(async () => {
    demo = await startDemoMesh();
  });
  afterAll(() => demo.close());

  const enrolled = z.object({ token: z.string(), probe: z.unknown().optional() });
  const probed = z.object({ probe: z.array(z.object({ node: z.string() })) });

  it("add --wait follows a server from its first word to the first answer of another one", async () => {
    await demo.renew();
    const { url } = demo.mesh.state;
    const { printed, out, ended } = follow(demo.line, ["add", "web8", "--wait"]);
    await printed("web8: not there yet");
    const [key = ""] = /mbk_[A-Za-z0-9_-]{22}/.exec(out()) ?? [];
    const identity = await generateIdentity();
    const server = { ...identity, name: "web8", machine: "web8" };
    const machineId = createHash("sha256").update(server.machine).digest("hex");
    const clock = Math.floor(Date.now() / 1000);
    await fetch(`${url}/v1/first-boots`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({
        state: "failed",
        step: "prerequisites",
        machineId,
        name: "web8",
        clock,
        log: "E: lock\n",
      }),
    });
    await printed("web8 stands still at the step prerequisites");
    await printed("  E: lock");
    const { token } = enrolled.parse(
      await (await postEnrolment(url, key, enrolmentBody(url, server))).json(),
    );
    await printed("web8: Approved");
    const report = (body: object): Promise<Response> => postReport(url, server.node, token, body);
    const said = { state: "ok", firstBoot: { stage: "containers", state: "done" }, probes: { pairs: [] } };
    const { probe } = probed.parse(await (await report(said)).json());
    await printed("web8: Containers answer");
    await printed("set up, and no server has probed it yet");
    const family = { answers: true, rttMs: 1, loss: 0, mtu: 1500 };
    const pairs = probe.map(({ node: to }) => ({ to, ipv4: family, ipv6: family, path: "direct" }));
    await report({ ...said, probes: { secondsAgo: 0, pairs } });
    expect(await ended(), out()).toBe(0);
    expect(out()).toMatch(
      /web8 is in the mesh: 10\.147\.17\.\d+\/24, containers .*\n.*: demo\d has answered web8\.\n$/,
    );
  });
});
