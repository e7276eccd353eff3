import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RunningCentral, startCentral } from "../../../../scripts/simulated-central/server.ts";
import { type CentralV1Options, makeCentralV1 } from "../../../../worker/controller/central-v1/client.ts";
import { makePace } from "../../../../worker/controller/pace.ts";
import type { NetworkId, NodeId } from "../../../../worker/lease/ids.ts";
import { parseNetworkId, parseNodeId } from "../../../../worker/lease/ids.ts";
import { makeOpenPace } from "../open-pace.ts";

const TOKEN = "the-secret-token-of-the-operator";
const NETWORK = networkId("8056c2e21c000001");
const NODE = nodeId("4e8d87c868");

function networkId(text: string): NetworkId {
  const id = parseNetworkId(text);
  if (id === undefined) throw new Error(`${text} is no network id`);
  return id;
}

function nodeId(text: string): NodeId {
  const id = parseNodeId(text);
  if (id === undefined) throw new Error(`${text} is no node id`);
  return id;
}

let central: RunningCentral;

beforeEach(async () => {
  central = await startCentral({
    networks: [NETWORK],
    token: TOKEN,
    otherToken: "the-token-of-somebody-else",
    limit: 100,
  });
});

afterEach(() => central.close());

function clientWith(options: Partial<CentralV1Options> = {}) {
  return makeCentralV1({
    url: central.url,
    token: TOKEN,
    networkId: NETWORK,
    fetch: (url, init) => fetch(url, init),
    pace: makeOpenPace(),
    now: Date.now,
    ...options,
  });
}

/** The call's error; a call that succeeds fails the test. */
async function errorOf(
  call: Promise<unknown>,
): Promise<{ reason: string; message: string; retryAt?: number }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "ControllerError" });
  const { reason, message, retryAt } = error as { reason: string; message: string; retryAt?: number };
  return { reason, message, ...(retryAt !== undefined && { retryAt }) };
}

function order(fault: object): void {
  central.faults.order({ match: {}, kind: "status", times: 1, ...fault });
}

describe("the network", () => {
  it("reads the settings", async () => {
    expect(await clientWith().readNetwork()).toEqual({
      routes: [],
      pools: [],
      v4AutoAssign: false,
      v6: { sixPlane: false, rfc4193: false, zt: false },
      private: true,
      name: "",
    });
  });

  it("changes what it is asked to and leaves the rest", async () => {
    const client = clientWith();
    const pools = [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }];
    await client.writeNetwork({ pools, v4AutoAssign: true });
    const routes = [
      { target: "10.147.17.0/24", via: null },
      { target: "172.28.3.0/24", via: "10.147.17.3" },
    ];
    const answer = await client.writeNetwork({ routes, v6: { sixPlane: true, rfc4193: true, zt: false } });
    expect(answer).toMatchObject({ routes, pools, v4AutoAssign: true });
    expect(answer.v6).toEqual({ sixPlane: true, rfc4193: true, zt: false });
    expect(await client.readNetwork()).toEqual(answer);
  });

  it("says what came back, so that the caller sees a route that was dropped silently", async () => {
    const routes = [
      { target: "172.28.3.0/24", via: "10.147.17.3" },
      { target: "172.28.4.0/33", via: "10.147.17.4" },
    ];
    expect((await clientWith().writeNetwork({ routes })).routes).toEqual(routes.slice(0, 1));
  });
});

describe("members", () => {
  it("creates one that was never seen, with all it needs, in one call", async () => {
    const member = await clientWith().putMember(NODE, {
      name: "web1",
      authorized: true,
      addresses: ["10.147.17.233"],
    });
    expect(member).toEqual({
      node: NODE,
      name: "web1",
      authorized: true,
      addresses: ["10.147.17.233"],
      autoAssign: true,
      lastSeen: undefined,
      authorizedAt: expect.any(Number),
      deauthorizedAt: 0,
    });
    expect(central.calls.counts().total).toBe(1);
    expect(central.state.networks.get(NETWORK)?.members.get(NODE)?.config.noAutoAssignIps).toBe(false);
  });

  it("changes one thing and leaves the rest", async () => {
    const client = clientWith();
    await client.putMember(NODE, { name: "web1", authorized: true, addresses: ["10.147.17.233"] });
    expect(await client.putMember(NODE, { name: "web2" })).toMatchObject({
      name: "web2",
      authorized: true,
      addresses: ["10.147.17.233"],
    });
  });

  it("lists them, with the time of a deauthorization", async () => {
    const client = clientWith();
    await client.putMember(NODE, { authorized: true });
    await client.putMember(NODE, { authorized: false });
    await client.putMember(nodeId("39f51dfb25"), { name: "db1" });
    const { members } = await client.listMembers();
    expect(members.map(({ node }) => node)).toEqual([NODE, "39f51dfb25"]);
    expect(members[0]?.deauthorizedAt).toBeGreaterThan(0);
    expect(members[1]?.deauthorizedAt).toBe(0);
  });

  it("reads one, or that there is none", async () => {
    const client = clientWith();
    expect(await client.readMember(NODE)).toBeUndefined();
    await client.putMember(NODE, { name: "web1", authorized: true });
    expect(await client.readMember(NODE)).toMatchObject({ node: NODE, name: "web1", authorized: true });
    order({ status: 500 });
    expect((await errorOf(client.readMember(NODE))).reason).toBe("server-error");
  });

  it("says when an address was dropped although the answer is a success", async () => {
    const error = await errorOf(clientWith().putMember(NODE, { addresses: ["10.147.17.999"] }));
    expect(error.reason).toBe("rejected");
    expect(error.message).toContain("10.147.17.999");
  });

  it("takes other spellings of an IPv6 address for the same", async () => {
    const { addresses } = await clientWith().putMember(NODE, { addresses: ["FD00:0::1"] });
    expect(addresses).toEqual(["fd00::1"]);
  });

  it("removes one by taking its authorization first, and does not mind when it is gone", async () => {
    const client = clientWith();
    await client.putMember(NODE, { authorized: true });
    await client.removeMember(NODE);
    await client.removeMember(NODE);
    expect((await client.listMembers()).members).toEqual([]);
  });

  it.each([
    { kind: "text", status: 200 },
    { kind: "status", status: 404 },
  ] as const)("looks whether it is gone, whatever the answer says ($kind $status)", async (fault) => {
    const client = clientWith();
    await client.putMember(NODE, { authorized: true });
    order({ match: { method: "DELETE" }, ...fault });
    expect((await errorOf(client.removeMember(NODE))).message).toContain("still there");
    expect((await client.listMembers()).members).toEqual([expect.objectContaining({ authorized: false })]);
    await client.removeMember(NODE);
    expect((await client.listMembers()).members).toEqual([]);
  });
});

describe("each failure is an error of its own that says what to do", () => {
  it("an unknown token, and one of another account", async () => {
    for (const token of ["an-unknown-token", "the-token-of-somebody-else"]) {
      const error = await errorOf(clientWith({ token }).readNetwork());
      expect(error.reason).toBe("unauthorized");
      expect(error.message).toContain("wrangler secret put ZEROTIER_TOKEN");
      expect(error.message).not.toContain(token);
    }
  });

  it("a token that cannot be one, without a call", async () => {
    for (const token of ["", "line\nbreak", "with space"]) {
      const error = await errorOf(clientWith({ token }).readNetwork());
      expect(error.reason).toBe("unauthorized");
      if (token !== "") expect(error.message).not.toContain(token);
    }
    expect(central.calls.counts().total).toBe(0);
  });

  it("a network that does not exist, by name; and removing a member of it is no success", async () => {
    const client = clientWith({ networkId: networkId("8056c2e21c0000ff") });
    const error = await errorOf(client.readNetwork());
    expect(error.reason).toBe("not-found");
    expect(error.message).toContain("8056c2e21c0000ff");
    expect((await errorOf(client.removeMember(NODE))).reason).toBe("not-found");
  });

  it("too many calls, with the time to come back; the pace hears of limit and time", async () => {
    await central.close();
    central = await startCentral({ networks: [NETWORK], token: TOKEN, limit: 2 });
    const pace = makeOpenPace();
    const client = clientWith({ pace });
    await client.readNetwork();
    await client.readNetwork();
    expect(pace.told.limit).toBe(2);
    expect(pace.told.heldUntil).toBeGreaterThan(Date.now() - 1000);
    const error = await errorOf(client.readNetwork());
    expect(error.reason).toBe("rate-limited");
    expect(error.retryAt).toBeGreaterThan(Date.now());
    expect(pace.told.heldUntil).toBe(error.retryAt);
  });

  it("no answer in time", async () => {
    order({ kind: "timeout" });
    const error = await errorOf(clientWith({ timeoutMs: 60 }).writeNetwork({ routes: [] }));
    expect(error.reason).toBe("timeout");
    expect(error.message).toContain("may have taken effect");
  });

  it("an answer that was lost after the change took effect", async () => {
    order({ kind: "lost" });
    const error = await errorOf(clientWith().putMember(NODE, { authorized: true }));
    expect(error.reason).toBe("unreachable");
    expect(error.message).toContain("may have taken effect");
    expect((await clientWith().listMembers()).members[0]?.authorized).toBe(true);
  });

  it("nobody there", async () => {
    const { url } = central;
    await central.close();
    const error = await errorOf(clientWith({ url }).readNetwork());
    expect(error.reason).toBe("unreachable");
    expect(error.message).toContain("ECONNREFUSED");
    expect(error.message).not.toContain("may have taken effect");
  });

  it("an error of the controller itself, with the time to come back when it says one", async () => {
    const fetch503 = (headers: Record<string, string>) =>
      clientWith({ now: () => 1000, fetch: async () => new Response("", { status: 503, headers }) });
    const { reason, retryAt } = await errorOf(fetch503({ "Retry-After": "7" }).readNetwork());
    expect([reason, retryAt]).toEqual(["server-error", 8000]);
    expect((await errorOf(fetch503({}).readNetwork())).retryAt).toBeUndefined();
  });

  it("an error of the controller itself, also when it is not JSON", async () => {
    order({ kind: "status", status: 503 });
    expect(await errorOf(clientWith().readNetwork())).toMatchObject({ reason: "server-error" });
    order({ kind: "text", status: 502 });
    const error = await errorOf(clientWith().readNetwork());
    expect(error.reason).toBe("server-error");
    expect(error.message).toContain("502");
  });

  it("a call that it does not take", async () => {
    order({ kind: "status", status: 400 });
    const error = await errorOf(clientWith().readNetwork());
    expect(error.reason).toBe("rejected");
    expect(error.message).toContain("Ordered fault");
  });

  it("an answer that is not JSON", async () => {
    order({ kind: "text" });
    const error = await errorOf(clientWith().readNetwork());
    expect(error.reason).toBe("bad-answer");
    expect(error.message).toContain("No JSON here");
  });
});

describe("odd answers", () => {
  /** What an answer must hold. */
  const FRESH = { private: true, routes: [], ipAssignmentPools: [], v6AssignMode: {} };
  const answering = (body: string, init: ResponseInit = {}) =>
    clientWith({ fetch: async () => new Response(body, init) });

  it.each([
    ["null", "null"],
    ["a list", "[]"],
    ["no config, since its empty lists would be written back", JSON.stringify({ id: NETWORK, config: null })],
    ["a route that is none", JSON.stringify({ config: { ...FRESH, routes: [{ target: 5 }] } })],
    ["another network", JSON.stringify({ id: "8056c2e21c000002", config: FRESH })],
  ])("refuses %s as a network", async (_, body) => {
    expect((await errorOf(answering(body).readNetwork())).reason).toBe("bad-answer");
  });

  it.each(["routes", "ipAssignmentPools", "v6AssignMode", "private"])(
    "refuses a network without %s, which would be written back or decided by as if it were empty",
    async (key) => {
      const config = { ...FRESH, [key]: undefined };
      expect((await errorOf(answering(JSON.stringify({ config })).readNetwork())).reason).toBe("bad-answer");
      expect((await errorOf(answering(JSON.stringify({ config })).writeNetwork({}))).reason).toBe(
        "bad-answer",
      );
    },
  );

  it.each([
    ["no authorization, which would pass for a revocation", { config: { ipAssignments: [] } }],
    ["null for its authorization", { config: { authorized: null, ipAssignments: [] } }],
    ["no config", {}],
    ["null for its config", { config: null }],
    ["addresses that are no texts", { config: { authorized: true, ipAssignments: [1] } }],
  ])("skips and names a member with %s, and reads the others", async (_, fields) => {
    const other = "39f51dfb25";
    const good = { nodeId: other, config: { authorized: true } };
    const bad = { nodeId: NODE.toUpperCase(), ...fields };
    const list = await answering(JSON.stringify([bad, good, "junk", null])).listMembers();
    expect(list.members.map(({ node }) => node)).toEqual([other]);
    expect(list.unread).toEqual([NODE, "entry 3", "entry 4"]);
    expect(await answering(JSON.stringify([bad])).listMembers()).toEqual({ members: [], unread: [NODE] });
  });

  it.each([
    ["no list", "{}"],
    ["one without an id", JSON.stringify([{ config: { authorized: true } }])],
    ["what is of no member", JSON.stringify([1, null, [], {}])],
  ])("refuses %s as members", async (_, body) => {
    expect((await errorOf(answering(body).listMembers())).reason).toBe("bad-answer");
  });

  it("takes null for every field that may be null, and keeps unknown keys out", async () => {
    const config = {
      name: null,
      private: false,
      routes: [{ target: "10.0.0.0/8", via: "", metric: 3 }],
      ipAssignmentPools: null,
      v4AssignMode: null,
      v6AssignMode: { "6plane": null, rfc4193: true },
    };
    expect(await answering(JSON.stringify({ id: null, clock: 1, config })).readNetwork()).toEqual({
      routes: [{ target: "10.0.0.0/8", via: null }],
      pools: [],
      v4AutoAssign: false,
      v6: { sixPlane: false, rfc4193: true, zt: false },
      private: false,
      name: "",
    });
    const bare = { private: true, routes: null, ipAssignmentPools: null, v6AssignMode: null };
    expect(await answering(JSON.stringify({ config: bare })).readNetwork()).toMatchObject({
      routes: [],
      pools: [],
      v6: { sixPlane: false, rfc4193: false, zt: false },
    });
    const member = {
      id: `${NETWORK}-${NODE}`,
      name: null,
      lastSeen: 0,
      config: { authorized: false, ipAssignments: null },
    };
    expect(await answering(JSON.stringify([member])).listMembers()).toEqual({
      members: [
        { node: NODE, name: "", authorized: false, addresses: [], autoAssign: true, lastSeen: undefined },
      ],
      unread: [],
    });
  });

  it.each(["null", "[]"])(
    "believes a list of members that is %s when the network has none",
    async (empty) => {
      const listed = async (totalMemberCount: number | null) => {
        const network = JSON.stringify({ config: FRESH, totalMemberCount });
        const client = clientWith({
          fetch: async (url) => new Response(url.endsWith("/member") ? empty : network),
        });
        await client.readNetwork();
        return client.listMembers();
      };
      expect(await listed(0)).toEqual({ members: [], unread: [] });
      expect(await listed(null)).toEqual({ members: [], unread: [] });
      const error = await errorOf(listed(2));
      expect(error.reason).toBe("bad-answer");
      expect(error.message).toContain("the list is empty, and the network has 2 of them");
    },
  );

  it("null is not believed of what the look before showed, though that had null elsewhere", async () => {
    const config = { private: true, routes: [], ipAssignmentPools: [], v6AssignMode: { rfc4193: true } };
    const networks = [{ ...config, routes: null }, { ...config, v6AssignMode: null }, config];
    const client = clientWith({
      fetch: async () => new Response(JSON.stringify({ config: networks.shift() })),
    });
    expect((await client.readNetwork()).v6.rfc4193).toBe(true);
    expect(networks).toEqual([]);
    let looks = 0;
    const fickle = clientWith({
      fetch: async () => {
        const name = looks++ % 2 === 0 ? "routes" : "v6AssignMode";
        return new Response(JSON.stringify({ config: { ...config, [name]: null } }));
      },
    });
    await expect(fickle.readNetwork()).rejects.toThrow("each look shows other settings as null");
  });

  describe.each(["routes", "ipAssignmentPools", "v6AssignMode"])("null for a network's %s", (key) => {
    const config = {
      private: true,
      routes: [{ target: "172.28.9.0/24", via: "10.147.17.250" }],
      ipAssignmentPools: [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }],
      v6AssignMode: { "6plane": true, rfc4193: true, zt: false },
    };
    const whole = JSON.stringify({ config });
    const vague = JSON.stringify({ config: { ...config, [key]: null } });
    /** Answers one after the other. */
    const answeringInTurn = (...bodies: string[]) => {
      const methods: string[] = [];
      const client = clientWith({
        fetch: async (_, { method }) => {
          methods.push(method);
          return new Response(bodies.shift());
        },
      });
      return { client, methods };
    };

    it("is not believed at the first look", async () => {
      const read = await answering(whole).readNetwork();
      const { client, methods } = answeringInTurn(vague, whole);
      expect(await client.readNetwork()).toEqual(read);
      expect(methods).toEqual(["GET", "GET"]);
    });

    it("is believed when a second look shows it too: so an empty list may look", async () => {
      const { client, methods } = answeringInTurn(vague, vague);
      expect(await client.readNetwork()).not.toEqual(await answering(whole).readNetwork());
      expect(methods).toEqual(["GET", "GET"]);
    });

    it("in the answer to a change is not believed either", async () => {
      const read = await answering(whole).readNetwork();
      const { client, methods } = answeringInTurn(vague, whole);
      expect(await client.writeNetwork({ v4AutoAssign: true })).toEqual(read);
      expect(methods).toEqual(["POST", "GET"]);
    });

    it("in the answer to a change, without a second look, is a bad answer: the change may have taken effect", async () => {
      const bodies = [new Response(vague), new Response("", { status: 429 })];
      const client = clientWith({ fetch: async () => bodies.shift() ?? new Response() });
      const error = await errorOf(client.writeNetwork({ v4AutoAssign: true }));
      expect(error.reason).toBe("bad-answer");
      expect(error.message).toMatch(
        /^changing the network was answered with null, and reading the network at /,
      );
    });
  });

  it("does not carry the token to where a redirect points", async () => {
    let calls = 0;
    const client = clientWith({
      fetch: async (_, init) => {
        calls += 1;
        expect(init.redirect).toBe("manual");
        return new Response("", { status: 302, headers: { location: "https://elsewhere.example/" } });
      },
    });
    expect((await errorOf(client.readNetwork())).reason).toBe("bad-answer");
    expect(calls).toBe(1);
  });

  it.each([200, 400, 500])(
    "never repeats the token, even when the answer does (status %i)",
    async (status) => {
      const error = await errorOf(answering(`you sent token ${TOKEN}`, { status }).readNetwork());
      expect(error.message).toContain("[token]");
      expect(error.message).not.toContain(TOKEN);
    },
  );
});

it("keeps a hundred concurrent calls under the limit of a paid plan", async () => {
  // Both clocks are one, which moves only when a call has to wait: however slow the machine, that is what they count by.
  let time = 1_800_000_000_000;
  const now = () => time;
  const sleep = async (ms: number) => {
    time += ms;
  };
  const paid = await startCentral({ networks: [NETWORK], token: TOKEN, limit: 100, now });
  const client = clientWith({ url: paid.url, now, pace: makePace({ now, sleep, limit: 100 }) });
  const nodes = Array.from({ length: 100 }, (_, index) => nodeId(index.toString(16).padStart(10, "1")));
  await Promise.all(nodes.map((node) => client.putMember(node, { authorized: true })));
  await paid.close();
  expect(paid.calls.counts()).toMatchObject({ total: 100, refused: 0 });
  expect(paid.calls.counts().peak).toBeLessThanOrEqual(100);
  expect(now() - 1_800_000_000_000).toBeGreaterThan(0);
});
