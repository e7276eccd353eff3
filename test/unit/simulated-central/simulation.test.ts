import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deriveNodeId } from "../../../worker/identity/address.ts";
import { identityOf, NETWORK, NODE, startSim, test } from "./central-test.ts";

describe("the calls of a node", () => {
  test("give a fresh genuine identity", async ({ sim }) => {
    const { body } = await sim.call("POST", `${sim.central.origin}/double/identity`);
    const publicKey = Buffer.from(body.identity.split(":")[2], "hex");
    expect(await deriveNodeId(new Uint8Array(publicKey))).toBe(body.node);
    expect(body.identity.startsWith(`${body.node}:0:`)).toBe(true);
    expect(body.secret.startsWith(`${body.identity}:`)).toBe(true);
  });

  test("join: refused, then authorized by the API, then seen there", async ({ sim }) => {
    const path = `/network/${NETWORK}/member/${NODE}`;
    expect((await sim.ask(NODE)).body.status).toBe("ACCESS_DENIED");
    await sim.api("POST", `/network/${NETWORK}`, {
      config: { routes: [{ target: "10.147.17.0/24" }], v6AssignMode: { "6plane": true } },
    });
    await sim.api("POST", path, { config: { authorized: true, ipAssignments: ["10.147.17.233"] } });
    expect((await sim.ask(NODE)).body).toMatchObject({
      status: "OK",
      assignedAddresses: ["fc9c:56c2:e34e:8d87:c868::1/40", "10.147.17.233/24"],
    });
    const member = await sim.api("GET", path);
    expect(member.body).toMatchObject({
      physicalAddress: "127.0.0.1",
      clientVersion: "1.14.1",
      config: { identity: identityOf(NODE) },
    });
    expect(member.body.lastSeen).toBeGreaterThan(0);
  });

  test("push: what changes for an authorized node is told at once, that it is shut out is not", async ({
    sim,
  }) => {
    const path = `/network/${NETWORK}/member/${NODE}`;
    const url = `${sim.central.origin}/double/network/${NETWORK}/node/${NODE}`;
    const identity = identityOf(NODE);
    const denied = (await sim.ask(NODE)).body;
    const admitted = sim.call("POST", `${url}/push`, { identity, answered: denied });
    await sim.api("POST", `/network/${NETWORK}`, { config: { routes: [{ target: "10.147.17.0/24" }] } });
    await sim.api("POST", path, { config: { authorized: true, ipAssignments: ["10.147.17.233"] } });
    const { body } = await admitted;
    expect(body).toMatchObject({ status: "OK", assignedAddresses: ["10.147.17.233/24"] });

    const moved = sim.call("POST", `${url}/push`, { identity, answered: body });
    // Neither another member nor the member's name is a change of its configuration, nor is being shut out.
    await sim.api("POST", `/network/${NETWORK}/member/aabbccddee`, { config: { authorized: true } });
    await sim.api("POST", path, { name: "web1", config: { authorized: false } });
    await sim.api("POST", path, { config: { authorized: true, ipAssignments: ["10.147.17.234"] } });
    expect((await moved).body).toMatchObject({ status: "OK", assignedAddresses: ["10.147.17.234/24"] });
  });

  test("that are not understood are refused with the reason", async ({ sim }) => {
    const url = `${sim.central.origin}/double/network/${NETWORK}/node/${NODE}`;
    for (const body of [{}, { identity: "x" }, "no json"]) {
      const answer = await sim.call("POST", url, body);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toContain("identity");
    }
    expect((await sim.call("GET", url)).status).toBe(405);
  });
});

describe("what can be seen", () => {
  test("everything as JSON, and the calls by second and by kind", async ({ sim }) => {
    const url = `${sim.central.origin}/sim/state`;
    await sim.api("POST", `/network/${NETWORK}/member/${NODE}`, { name: "web1" });
    await sim.api("GET", `/network/${NETWORK}/member`);
    await sim.ask(NODE);
    const { body } = await sim.call("GET", url);
    expect(body.networks).toMatchObject([{ id: NETWORK, members: [{ node: NODE, name: "web1" }] }]);
    expect(body.calls).toMatchObject({ total: 2, refused: 0, peak: 2 });
    expect(body.calls.byCall).toEqual({
      "POST /network/:network/member/:node": 1,
      "GET /network/:network/member": 1,
    });
    const sum = body.calls.seconds.reduce((total: number, { calls }: { calls: number }) => total + calls, 0);
    expect(sum).toBe(2);
    await sim.call("POST", `${sim.central.origin}/sim/reset-counters`);
    expect((await sim.call("GET", url)).body.calls).toEqual({
      total: 0,
      refused: 0,
      peak: 0,
      seconds: [],
      byCall: {},
    });
  });

  test("a page, on which a member's name is text", async ({ sim }) => {
    await sim.api("POST", `/network/${NETWORK}/member/${NODE}`, { name: "<b>web1</b>" });
    const { status, headers, body } = await sim.call("GET", `${sim.central.origin}/`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(body).toContain(NODE);
    expect(body).toContain("&lt;b&gt;web1&lt;/b&gt;");
    expect(body).not.toContain("<b>");
  });

  test("nothing elsewhere, and what is where instead", async ({ sim }) => {
    const answer = await sim.call("GET", `${sim.central.origin}/network`);
    expect(answer.status).toBe(404);
    expect(answer.body.message).toContain("/api/v1");
  });

  test("a body beyond all measure is refused", async ({ sim }) => {
    const url = `${sim.central.url}/network/${NETWORK}`;
    const answer = await sim.call("POST", url, "x".repeat(5 * 1024 * 1024), {
      authorization: "token token-of-the-owner",
    });
    expect(answer.status).toBe(413);
  });
});

describe("the state file", () => {
  it("keeps networks, members and the account across a restart", async () => {
    const directory = mkdtempSync(join(tmpdir(), "central-"));
    const stateFile = join(directory, "state.json");
    try {
      const first = await startSim({ stateFile });
      await first.api("POST", `/network/${NETWORK}`, { config: { routes: [{ target: "10.147.17.0/24" }] } });
      await first.api("POST", `/network/${NETWORK}/member/${NODE}`, { config: { authorized: true } });
      await first.ask(NODE);
      await first.central.close();
      const second = await startSim({ stateFile });
      expect(second.central.snapshot().networks).toEqual(first.central.snapshot().networks);
      expect((await second.api("GET", `/network/${NETWORK}/member/${NODE}`)).body.config.authorized).toBe(
        true,
      );
      await second.central.close();
      expect(JSON.parse(readFileSync(stateFile, "utf8"))).toMatchObject({ version: 1 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("that is none is refused by name, and left as it is", async () => {
    const directory = mkdtempSync(join(tmpdir(), "central-"));
    const stateFile = join(directory, "state.json");
    try {
      for (const text of ["", "{}", '{"version":1,"networks":[{"id":5}]}']) {
        writeFileSync(stateFile, text);
        await expect(startSim({ stateFile })).rejects.toThrow(`${stateFile} does not hold the state`);
        expect(readFileSync(stateFile, "utf8")).toBe(text);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
