import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPrefix, overlaps, parsePrefix } from "../../../worker/address/prefix.ts";
import {
  isNetworkId,
  isNodeId,
  type NetworkId,
  type NodeId,
  parseNetworkId,
  parseNodeId,
} from "../../../worker/lease/ids.ts";
import { sixPlane, sixPlanePrefix } from "../../../worker/lease/six-plane.ts";

function network(text: string): NetworkId {
  const id = parseNetworkId(text);
  if (id === undefined) throw new Error(`${text} is no network id`);
  return id;
}

function node(text: string): NodeId {
  const id = parseNodeId(text);
  if (id === undefined) throw new Error(`${text} is no node id`);
  return id;
}

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const anyNetwork = hex(16).filter(isNetworkId);
const anyNode = hex(10).filter(isNodeId);

describe("6PLANE", () => {
  test("is what zerotier-one was seen to give", () => {
    expect(sixPlane(network("4b8c030356abcdef"), node("4e8d87c868"))).toEqual({
      address: "fc1d:27ce:ec4e:8d87:c868::1",
      addressWithPrefix: "fc1d:27ce:ec4e:8d87:c868::1/40",
      subnet: "fc1d:27ce:ec4e:8d87:c868::/80",
      gateway: "fc1d:27ce:ec4e:8d87:c868::1",
    });
    expect(formatPrefix(sixPlanePrefix(network("4b8c030356abcdef")))).toBe("fc1d:27ce:ec00::/40");
  });

  test.each([
    ["8056c2e28056c2e3", "fc00:0:100::/40", "fc00:0:14e:8d87:c868::/80"], // halves differ in the last bit alone
    ["8056c2e287654321", "fc07:3381:c300::/40", "fc07:3381:c34e:8d87:c868::/80"], // one leading zero digit
    ["8056c2e28156c2e2", "fc01::/40", "fc01:0:4e:8d87:c868::/80"],
    ["8056c2e21c000001", "fc9c:56c2:e300::/40", "fc9c:56c2:e34e:8d87:c868::/80"],
  ])("keeps the leading zeros of the xor: %s", (id, whole, own) => {
    expect(formatPrefix(sixPlanePrefix(network(id)))).toBe(whole);
    expect(sixPlane(network(id), node("4e8d87c868")).subnet).toBe(own);
  });

  test("gives each node its own /80 in the network's /40", () => {
    fc.assert(
      fc.property(anyNetwork, anyNode, anyNode, (id, a, b) => {
        fc.pre(a !== b);
        const [one, other] = [a, b].map((n) => parsePrefix(sixPlane(id, n).subnet));
        if (one === undefined || other === undefined) throw new Error("no prefix");
        expect(overlaps(one, other)).toBe(false);
        expect(overlaps(sixPlanePrefix(id), one)).toBe(true);
        // The bytes as ZeroTier lays them out: fc, the xor, the node's id.
        expect(one.first >> 48n).toBe(BigInt(`0xfc${foldedHex(id)}${a}`));
      }),
    );
  });
});

/** The xor of the halves, computed another way: digit by digit. */
function foldedHex(id: string): string {
  const digit = (i: number) => Number.parseInt(id.charAt(i), 16);
  return Array.from({ length: 8 }, (_, i) => (digit(i) ^ digit(i + 8)).toString(16)).join("");
}

describe("ids", () => {
  test.each([
    "",
    "4e8d87c86",
    "4e8d87c8680",
    "4E8D87C868",
    "0000000000",
    "ff00000000",
    "4e8d87c868\n",
    "4e8d87c86g",
  ])("%j is no node id", (text) => expect(parseNodeId(text)).toBeUndefined());

  test.each([
    "",
    "8056c2e21c00000",
    "8056C2E21C000001",
    "0000000000000000",
    "ff00500050000000",
    "8056c2e21c000001 ",
  ])("%j is no network id", (text) => expect(parseNetworkId(text)).toBeUndefined());
});
