import { expect } from "vitest";
import { CAPABILITIES } from "../../../../worker/config/capabilities.ts";
import { ControllerError } from "../../../../worker/controller/controller.ts";
import { type Kit, nodeId } from "./kit.ts";

const NODE = nodeId("4e8d87c868");
const OTHER = nodeId("f7e7e10d2a");
/** 6PLANE of the node in network 8056c2e21c000001. */
const SIX_PLANE = "fc9c:56c2:e34e:8d87:c868::1";
const ON_LINK = { target: "10.147.17.0/24", via: null };
const LEASE = { name: "web1", authorized: true, addresses: ["10.147.17.5"], autoAssign: true } as const;
const SIX_PLANE_ON = { sixPlane: true, rfc4193: false, zt: false } as const;

/** What Meshboot relies on at a controller, whichever it is; by the words that docs/controllers.md has for it. */
export const PROMISES: Readonly<Record<string, (kit: Kit) => Promise<void>>> = {
  "a server is let in before it was ever seen": async ({ controller, configure }) => {
    await controller.writeNetwork({ routes: [ON_LINK], v6: SIX_PLANE_ON });
    await controller.putMember(NODE, LEASE);
    expect(await controller.readMember(NODE)).toMatchObject({ node: NODE, ...LEASE });
    const { status, assignedAddresses } = configure(NODE);
    expect(status).toBe("OK");
    expect(assignedAddresses.map((text) => text.split("/")[0])).toEqual([SIX_PLANE, "10.147.17.5"]);
  },

  "letting one in takes as many calls as it says": async ({ kind, controller, calls }) => {
    calls();
    await controller.putMember(NODE, LEASE);
    expect(calls()).toBe(CAPABILITIES[kind].callsALease);
  },

  "what a change leaves out stays": async ({ controller, network }) => {
    await controller.putMember(NODE, LEASE);
    const member = network.members.get(NODE) ?? expect.fail();
    member.config.activeBridge = true;
    expect(await controller.putMember(NODE, { authorized: false })).toMatchObject({
      ...LEASE,
      authorized: false,
    });
    expect(member.config.activeBridge).toBe(true);
    network.config.mtu = 1400;
    network.config.ipAssignmentPools = [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }];
    await controller.writeNetwork({ routes: [ON_LINK] });
    expect(network.config).toMatchObject({
      mtu: 1400,
      ipAssignmentPools: [{ ipRangeStart: "10.147.17.240" }],
    });
  },

  "routes, ranges and modes are read as they are, and written back as they were": async ({
    controller,
    network,
  }) => {
    network.config.routes = [
      { target: "10.9.0.0/16", via: "10.147.17.250" },
      { target: "192.168.7.0/24", via: null },
      { target: "2001:db8::/32", via: "fd00::9" },
    ];
    network.config.ipAssignmentPools = [{ ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" }];
    network.config.v6AssignMode = { "6plane": false, rfc4193: true, zt: false };
    const before = structuredClone(network.config);
    const { routes, pools, v4AutoAssign, v6 } = await controller.readNetwork();
    await controller.writeNetwork({ routes: [...routes, ON_LINK], pools, v4AutoAssign, v6 });
    expect(network.config).toEqual({ ...before, routes: [...before.routes, ON_LINK] });
    await controller.writeNetwork({ v6: { ...v6, sixPlane: true } });
    expect(network.config.v6AssignMode).toEqual({ "6plane": true, rfc4193: true, zt: false });
  },

  "a bad route is seen to be missing from the answer": async ({ controller }) => {
    const { routes } = await controller.writeNetwork({
      routes: [ON_LINK, { target: "10.1.2.0/33", via: null }],
    });
    expect(routes).toEqual([ON_LINK]);
  },

  "a server that is shut out, or taken away, gets no configuration any more": async ({
    controller,
    configure,
    network,
  }) => {
    await controller.putMember(NODE, LEASE);
    expect(configure(NODE).status).toBe("OK");
    await controller.putMember(NODE, { authorized: false });
    expect(configure(NODE).status).toBe("ACCESS_DENIED");
    await controller.putMember(NODE, { authorized: true });
    await controller.removeMember(NODE);
    expect(network.members.has(NODE)).toBe(false);
    expect(network.revoked).toContain(NODE);
    expect(configure(NODE).status).toBe("ACCESS_DENIED");
    await controller.removeMember(OTHER);
  },

  "what the operator decides by hand is told from what was never decided": async ({
    controller,
    network,
  }) => {
    await controller.putMember(NODE, LEASE);
    expect((await controller.readMember(NODE))?.deauthorizedAt).toBe(0);
    const member = network.members.get(NODE) ?? expect.fail();
    member.config.authorized = false;
    member.lastDeauthorizedTime = 1_790_000_000_000;
    expect(await controller.readMember(NODE)).toMatchObject({
      authorized: false,
      deauthorizedAt: 1_790_000_000_000,
    });
  },

  "all members are listed, also those that only asked": async ({ controller, configure }) => {
    expect(await controller.listMembers()).toEqual({ members: [], unread: [] });
    await controller.putMember(NODE, LEASE);
    configure(OTHER);
    const { members, unread } = await controller.listMembers();
    expect(unread).toEqual([]);
    expect(members.map(({ node, authorized }) => [node, authorized])).toEqual([
      [NODE, true],
      [OTHER, false],
    ]);
    expect(members[0]).toMatchObject(LEASE);
    expect(await controller.readMember(nodeId("0123456789"))).toBeUndefined();
  },

  "the first identity under an address counts, and no other": async ({ controller, configure }) => {
    await controller.putMember(NODE, LEASE);
    expect(configure(NODE, "ab").status).toBe("OK");
    expect(configure(NODE, "cd").status).toBe("ACCESS_DENIED");
  },

  "a refused token is called that, and no message holds it": async ({ stranger }) => {
    for (const call of [stranger.readNetwork(), stranger.listMembers(), stranger.putMember(NODE, LEASE)]) {
      const error = await faultOf(call);
      expect(error.reason).toBe("unauthorized");
      expect(error.message).not.toContain("somebody-else-with-a-token");
    }
  },

  "a network that is not there is called that": async ({ elsewhere }) => {
    for (const call of [elsewhere.readNetwork(), elsewhere.listMembers(), elsewhere.putMember(NODE, LEASE)])
      expect((await faultOf(call)).reason).toBe("not-found");
  },

  "a change whose answer is lost is made once, however often it is tried": async ({
    kind,
    controller,
    central,
    network,
  }) => {
    central.faults.order({ kind: "lost", times: 1, match: { method: "POST", path: `/member/${NODE}` } });
    expect((await faultOf(controller.putMember(NODE, LEASE))).reason, kind).toBe("unreachable");
    await controller.putMember(NODE, LEASE);
    expect(network.members.size).toBe(1);
    expect(await controller.readMember(NODE)).toMatchObject(LEASE);
  },

  "what is no answer of its API changes nothing that is known": async ({ controller, central }) => {
    central.faults.order({ kind: "text", times: 2, status: 200, match: { method: "GET", path: "/network" } });
    expect((await faultOf(controller.readNetwork())).reason).toBe("bad-answer");
    expect((await faultOf(controller.listMembers())).reason).toBe("bad-answer");
  },

  "it says when a server was last seen": async ({ kind, controller, configure }) => {
    await controller.putMember(NODE, LEASE);
    expect((await controller.readMember(NODE))?.lastSeen).toBeUndefined();
    configure(NODE);
    const { lastSeen } = (await controller.readMember(NODE)) ?? expect.fail();
    if (CAPABILITIES[kind].tellsSightings) expect(lastSeen).toBeGreaterThan(1_790_000_000_000);
    else expect(lastSeen).toBeUndefined();
  },
};

async function faultOf(call: Promise<unknown>): Promise<ControllerError> {
  const error: unknown = await call.then(
    () => expect.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  return error instanceof ControllerError ? error : expect.fail(String(error));
}
