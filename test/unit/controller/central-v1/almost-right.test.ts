/** Answers of a controller that are nearly what they should be: taken where that does no harm, and refused in few words where it would. */
import { describe, expect, it } from "vitest";
import { makeCentralV1 } from "../../../../worker/controller/central-v1/client.ts";
import type { Controller } from "../../../../worker/controller/controller.ts";
import type { Pace } from "../../../../worker/controller/pace.ts";
import { parseNetworkId, parseNodeId } from "../../../../worker/lease/ids.ts";
import { makeOpenPace } from "../open-pace.ts";

const network = parseNetworkId("8056c2e21c000001") ?? expect.fail();
const node = parseNodeId("4e8d87c868") ?? expect.fail();

/** A client of a controller that gives the one answer, or to which there is no connection, for the reason given. */
function clientOf(answer: unknown, status = 200, pace: Pace = makeOpenPace()): Controller {
  return makeCentralV1({
    url: "https://central.example.com/api/v1",
    token: "the-token",
    networkId: network,
    fetch: async () => {
      if (answer instanceof Error) throw answer;
      return new Response(typeof answer === "string" ? answer : JSON.stringify(answer), {
        status,
      });
    },
    pace,
    now: () => 0,
  });
}

const networkAs = (change: object, id: unknown = network) => ({
  id,
  config: {
    private: true,
    routes: [],
    ipAssignmentPools: [],
    v6AssignMode: { "6plane": true },
    ...change,
  },
});

const memberAs = (change: object, config: object = {}) => ({
  nodeId: node,
  ...change,
  config: { authorized: true, ipAssignments: [], ...config },
});

/** The message of the call's failure. */
async function faultOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => expect.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  return error instanceof Error ? error.message : expect.fail();
}

describe("a network", () => {
  it("may have its id in capitals, or none; no other one", async () => {
    for (const id of ["8056C2E21C000001", null])
      expect((await clientOf(networkAs({}, id)).readNetwork()).private).toBe(true);
    expect(await faultOf(clientOf(networkAs({}, "8056c2e21c0000ff")).readNetwork())).toContain("another one");
  });

  it("of which each route is wrong is refused in few words", async () => {
    const routes = Array.from({ length: 1000 }, () => ({ target: null, via: 5 }));
    const fault = await faultOf(clientOf(networkAs({ routes })).readNetwork());
    expect(fault).toContain("expected shape");
    expect(fault.length).toBeLessThan(600);
  });

  it("is not read from an answer without an end", async () => {
    const answer = `${" ".repeat(32 * 1024 * 1024)}{}`;
    expect(await faultOf(clientOf(answer).readNetwork())).toContain("over 32 MB");
  });
});

describe("a member", () => {
  it("may have its id in capitals, or elsewhere; no other one's", async () => {
    for (const change of [{ nodeId: "4E8D87C868" }, { nodeId: null, id: `${network}-${node}` }])
      expect((await clientOf(memberAs(change)).readMember(node))?.node).toBe(node);
    const other = clientOf(memberAs({ nodeId: "0123456789" }));
    expect(await faultOf(other.readMember(node))).toContain("member 0123456789 came back");
    expect(await faultOf(other.putMember(node, { name: "web1" }))).toContain("member 0123456789 came back");
  });

  it("has the addresses that it was given, in whatever form, and no others", async () => {
    const put = (came: string[], addresses: string[]) =>
      clientOf(memberAs({}, { ipAssignments: came })).putMember(node, { addresses });
    const wanted = ["10.147.17.1", "fd00::1"];
    await put(["FD00:0:0::1", "10.147.17.1", "10.147.17.1"], wanted);
    for (const came of [["10.147.17.1"], [...wanted, "10.147.17.2"], ["10.147.17.1", "fd00::2"]])
      expect(await faultOf(put(came, wanted))).toContain("instead of 10.147.17.1, fd00::1");
  });

  it("is seen at a time that there is", async () => {
    for (const lastSeen of [0, -1, null])
      expect((await clientOf(memberAs({ lastSeen })).readMember(node))?.lastSeen).toBeUndefined();
  });
});

describe("a list of members", () => {
  it("names those that cannot be read, in lower case, or by their place", async () => {
    const list = [memberAs({}), { nodeId: "0123456789", config: null }, { nodeId: "ABCDEF0123" }, 5];
    const { members, unread } = await clientOf(list).listMembers();
    expect([members.map((member) => member.node), unread]).toEqual([
      [node],
      ["0123456789", "abcdef0123", "entry 4"],
    ]);
    expect((await clientOf([{ nodeId: "ABCDEF0123" }]).listMembers()).unread).toEqual(["abcdef0123"]);
  });

  it("is none when no entry names a node", async () => {
    expect(await faultOf(clientOf([5, {}]).listMembers())).toContain("no entry is a member");
    expect((await clientOf(null).listMembers()).members).toEqual([]);
  });
});

it("what a controller says of its failure is quoted on one line, in few words", async () => {
  const said = `<html>\n\t${"x".repeat(10_000)}`;
  for (const status of [400, 503]) {
    const fault = await faultOf(clientOf(said, status).readNetwork());
    expect(fault).toContain(`, it says: <html> ${"x".repeat(153)}…)`);
    expect(fault.length).toBeLessThan(400);
  }
  expect((await faultOf(clientOf(said).readNetwork())).length).toBeLessThan(400);
});

it("the network is read and written ahead of all that waits: others wait for it, and a read just before is what a write stands on", async () => {
  const orders: unknown[] = [];
  const pace: Pace = {
    ...makeOpenPace(),
    run: (call, order) => {
      orders.push(order);
      return call();
    },
  };
  const client = clientOf(networkAs({}), 200, pace);
  await client.readNetwork();
  await client.writeNetwork({ routes: [] });
  expect(orders).toEqual(["first", "first"]);
});

it("a connection that fails is told by its code alone: a message could quote a header", async () => {
  const broken = (code: string) => new TypeError("token the-token", { cause: { code } });
  expect(await faultOf(clientOf(broken("ECONNRESET")).readNetwork())).toContain("(ECONNRESET)");
  for (const code of ["token the-token", "", "E".repeat(41)]) {
    const fault = await faultOf(clientOf(broken(code)).readNetwork());
    expect(fault).toContain("no connection, or it broke. It is tried again");
    expect(fault).not.toContain("the-token");
  }
});
