import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { macOf, rfc4193Of, sixPlaneOf } from "../../../scripts/simulated-central/node-addresses.ts";
import { configureNode } from "../../../scripts/simulated-central/node-config.ts";
import {
  createNetwork,
  memberOf,
  type Network,
  type NetworkConfig,
  removeMember,
  setAuthorized,
} from "../../../scripts/simulated-central/state.ts";
import { identityOf, NETWORK, NODE } from "./central-test.ts";

const NOW = 1_800_000_000_000;
const ON_LINK = { target: "10.147.17.0/24", via: null };
const SIX_PLANE = { "6plane": true, rfc4193: false, zt: false };

function networkWith(config: Partial<NetworkConfig> = {}): Network {
  const network = createNetwork({ networks: new Map() }, NETWORK, "owner", NOW);
  Object.assign(network.config, config);
  return network;
}

function authorize(network: Network, node: string, addresses: string[] = [], noAutoAssignIps = false) {
  Object.assign(memberOf(network, node, NOW).config, {
    authorized: true,
    ipAssignments: addresses,
    noAutoAssignIps,
  });
}

function ask(network: Network | undefined, node = NODE, identity = identityOf(node)) {
  return configureNode(network, { node, identity, physicalAddress: "192.0.2.7" }, NOW);
}

/** The addresses that an authorized node gets. */
function addressesOf(
  config: Partial<NetworkConfig>,
  addresses: string[],
  noAutoAssignIps = false,
): readonly string[] {
  const network = networkWith(config);
  authorize(network, NODE, addresses, noAutoAssignIps);
  return ask(network).assignedAddresses;
}

describe("who is let in", () => {
  it("nobody to a network that does not exist", () => {
    expect(ask(undefined)).toMatchObject({ status: "NOT_FOUND", assignedAddresses: [], routes: [] });
  });

  it("no unknown node, which becomes an unauthorized member that was seen", () => {
    const network = networkWith({ routes: [ON_LINK], v6AssignMode: SIX_PLANE });
    expect(ask(network)).toMatchObject({ status: "ACCESS_DENIED", assignedAddresses: [], routes: [] });
    expect(network.members.get(NODE)).toMatchObject({
      identity: identityOf(NODE),
      lastSeen: NOW,
      physicalAddress: "192.0.2.7",
      config: { authorized: false },
    });
  });

  it("an authorized one", () => {
    const network = networkWith({ name: "mesh", mtu: 1400, routes: [ON_LINK] });
    authorize(network, NODE, ["10.147.17.233"]);
    expect(ask(network)).toEqual({
      status: "OK",
      name: "mesh",
      mac: macOf(NETWORK, NODE),
      mtu: 1400,
      netconfRevision: 1,
      assignedAddresses: ["10.147.17.233/24"],
      routes: [{ ...ON_LINK, flags: 0, metric: 0 }],
      revoked: [],
    });
  });

  it("an authorized one, which hears of those that were shut out, deleted since or not, until they are let in again", () => {
    const [deleted, out, cut] = ["39f51dfb25", "a3b033f4db", "c1d2e3f4a5"] as const;
    const network = networkWith({ routes: [ON_LINK] });
    for (const node of [NODE, deleted, out, cut]) setAuthorized(memberOf(network, node, NOW), true, NOW);
    for (const node of [deleted, out]) setAuthorized(memberOf(network, node, NOW), false, NOW);
    // A certificate of one that is only deleted is good until its time is over.
    for (const node of [deleted, cut]) removeMember(network, memberOf(network, node, NOW));
    expect(ask(network).revoked).toEqual([deleted, out].map((node) => macOf(NETWORK, node)));
    setAuthorized(memberOf(network, deleted, NOW), true, NOW);
    expect(ask(network).revoked).toEqual([macOf(NETWORK, out)]);
  });

  it("everybody to a public network", () => {
    const network = networkWith({ private: false });
    expect(ask(network).status).toBe("OK");
    expect(network.members.get(NODE)?.config.authorized).toBe(true);
  });

  it("the first identity that shows up under an address, and never another one", () => {
    const network = networkWith();
    authorize(network, NODE);
    expect(ask(network, NODE, identityOf(NODE, "aa")).status).toBe("OK");
    expect(ask(network, NODE, identityOf(NODE, "bb")).status).toBe("ACCESS_DENIED");
    expect(ask(network, NODE, identityOf("39f51dfb25")).status).toBe("ACCESS_DENIED");
    expect(ask(network, NODE, identityOf(NODE, "aa")).status).toBe("OK");
  });
});

describe("the addresses that a node is given", () => {
  it("have the length of the longest route that holds them, via-routes included", () => {
    const routes = [
      { target: "10.0.0.0/8", via: null },
      ON_LINK,
      { target: "10.128.0.0/9", via: null },
      { target: "172.28.161.0/24", via: "10.147.17.161" },
    ];
    expect(addressesOf({ routes }, ["10.147.17.3", "10.9.9.9", "172.28.161.9"])).toEqual([
      "10.147.17.3/24",
      "10.9.9.9/8",
      "172.28.161.9/24",
    ]);
  });

  it("are not handed out when no route holds them", () => {
    expect(addressesOf({ routes: [ON_LINK] }, ["10.147.18.3", "fd00::5"])).toEqual([]);
    expect(addressesOf({ routes: [{ target: "0.0.0.0/0", via: null }] }, ["10.147.18.3"])).toEqual([
      "10.147.18.3/0",
    ]);
  });

  it("include 6PLANE and RFC 4193 where they are switched on, IPv6 first", () => {
    expect(addressesOf({ routes: [ON_LINK], v6AssignMode: SIX_PLANE }, ["10.147.17.3"])).toEqual([
      "fc9c:56c2:e34e:8d87:c868::1/40",
      "10.147.17.3/24",
    ]);
    expect(addressesOf({ v6AssignMode: { ...SIX_PLANE, rfc4193: true } }, [])).toEqual([
      "fd80:56c2:e21c:0:199:934e:8d87:c868/88",
      "fc9c:56c2:e34e:8d87:c868::1/40",
    ]);
  });

  it("do not include them under noAutoAssignIps", () => {
    const v6AssignMode = { ...SIX_PLANE, rfc4193: true };
    expect(addressesOf({ routes: [ON_LINK], v6AssignMode }, ["10.147.17.3"], true)).toEqual([
      "10.147.17.3/24",
    ]);
  });

  it("follow the first 128 routes only, which are all that a node is sent", () => {
    const many = Array.from({ length: 128 }, (_, n) => ({
      target: `172.28.${n}.0/24`,
      via: `10.147.17.${n}`,
    }));
    const network = networkWith({ routes: [...many, ON_LINK] });
    authorize(network, NODE, ["10.147.17.3"]);
    const config = ask(network);
    expect(config.routes).toHaveLength(128);
    expect(config.assignedAddresses).toEqual([]);
    network.config.routes = [ON_LINK, ...many];
    expect(ask(network).assignedAddresses).toEqual(["10.147.17.3/24"]);
  });

  it("are 32 at most", () => {
    const addresses = Array.from({ length: 40 }, (_, n) => `10.147.17.${n + 1}`);
    expect(addressesOf({ routes: [ON_LINK], v6AssignMode: SIX_PLANE }, addresses)).toHaveLength(32);
  });
});

describe("automatic IPv4 addresses", () => {
  const pool = { ipRangeStart: "10.147.17.240", ipRangeEnd: "10.147.17.254" };
  const automatic = { v4AssignMode: { zt: true }, ipAssignmentPools: [pool], routes: [ON_LINK] };

  it("start at the pool's start plus the node's id modulo the pool's length, and are remembered", () => {
    const network = networkWith(automatic);
    authorize(network, NODE);
    // 0x8d87c868 mod 14 = 6
    expect(ask(network).assignedAddresses).toEqual(["10.147.17.246/24"]);
    expect(network.members.get(NODE)?.config.ipAssignments).toEqual(["10.147.17.246"]);
    expect(ask(network).assignedAddresses).toEqual(["10.147.17.246/24"]);
  });

  it("are not given to who has an address of its own, may have none, or where it is switched off", () => {
    expect(addressesOf(automatic, ["10.147.17.3"])).toEqual(["10.147.17.3/24"]);
    expect(addressesOf(automatic, [], true)).toEqual([]);
    expect(addressesOf({ ...automatic, v4AssignMode: { zt: false } }, [])).toEqual([]);
  });

  it("need a route whose target is exactly their network", () => {
    expect(addressesOf({ ...automatic, routes: [] }, [])).toEqual([]);
    expect(addressesOf({ ...automatic, routes: [{ target: "10.147.17.1/24", via: null }] }, [])).toEqual([]);
    expect(addressesOf({ ...automatic, routes: [{ target: "0.0.0.0/0", via: null }] }, [])).toEqual([]);
    expect(addressesOf({ ...automatic, routes: [{ target: "10.147.0.0/16", via: null }] }, [])).toEqual([
      "10.147.17.246/16",
    ]);
  });

  it("are never given twice, never end in .255, and end with the pool", () => {
    const range = { ipRangeStart: "10.147.17.250", ipRangeEnd: "10.147.18.3" };
    const routes = [{ target: "10.147.16.0/22", via: null }];
    const network = networkWith({ ...automatic, ipAssignmentPools: [range], routes });
    const nodes = Array.from({ length: 12 }, (_, n) => (0x1000000000 + n * 7).toString(16));
    const given = nodes.flatMap((node) => {
      authorize(network, node);
      return ask(network, node).assignedAddresses;
    });
    expect(new Set(given).size).toBe(given.length);
    // .250 to .254 and 18.0 to 18.2: the pool's last address is never tried.
    expect(given).toHaveLength(8);
    expect(given).not.toContain("10.147.17.255/22");
  });
});

describe("what follows from network and node", () => {
  it("equals what the real ones were seen to have", () => {
    expect(sixPlaneOf("4b8c030356abcdef", "4e8d87c868")).toBe("fc1d:27ce:ec4e:8d87:c868:0000:0000:0001/40");
    expect(rfc4193Of("4b8c030356abcdef", "4e8d87c868")).toBe("fd4b:8c03:0356:abcd:ef99:934e:8d87:c868/88");
  });

  it("keeps the zeros at the front of the folded network id", () => {
    expect(sixPlaneOf("8056c2e28056c2e3", "4e8d87c868")).toBe("fc00:0000:014e:8d87:c868:0000:0000:0001/40");
  });

  it("masks the node's id in its MAC by the network's id, back to front", () => {
    expect(macOf("9ad07d01093a69e3", "17e81f3f59")).toBe("e2:7e:d2:16:3e:24");
  });

  it("is a MAC of one card, locally administered, and none of KVM's", () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    fc.assert(
      fc.property(hex(16), hex(10), (network, node) => {
        const first = Number.parseInt(macOf(network, node).slice(0, 2), 16);
        expect(first & 3).toBe(2);
        expect(first).not.toBe(0x52);
      }),
    );
    expect(macOf("0000000000000050", "4e8d87c868").slice(0, 2)).toBe("32");
  });
});
