import { expect, test } from "vitest";
import { parseNodeId } from "../../worker/lease/ids.ts";
import { withNewToken, withTokenUsed } from "../../worker/network/node-token.ts";
import { newNode, type StoredNode } from "../../worker/store/stored-node.ts";

const hash = (number: number): string => `${number}`.padStart(64, "0");

function enrolled(...numbers: number[]): StoredNode {
  const node = parseNodeId("4e8d87c868");
  if (node === undefined) throw new Error("no node id");
  return numbers.reduce(
    (known, number) => withNewToken(known, hash(number)),
    newNode({ node, name: "web1", slot: 1, state: "active" }, 0),
  );
}

/** The tokens that are good, of those numbered to 9. */
function good(node: StoredNode | undefined): number[] {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((n) => node && withTokenUsed(node, hash(n)) !== undefined);
}

test("whichever of several answers the node kept, its token is good", () => {
  const node = enrolled(1, 2, 3);
  expect(good(node)).toEqual([1, 2, 3]);
  expect(good(withTokenUsed(node, hash(1)))).toEqual([1, 2, 3]);
});

test("a token that is used ends those before it, and none that is newer", () => {
  expect(good(withTokenUsed(enrolled(1, 2, 3), hash(2)))).toEqual([2, 3]);
  expect(good(withTokenUsed(enrolled(1, 2, 3), hash(3)))).toEqual([3]);
});

test("the one last used and the latest two are kept, however often the node enrols", () => {
  expect(good(enrolled(1, 2, 3, 4, 5, 6))).toEqual([1, 5, 6]);
  expect(good(withTokenUsed(enrolled(1, 2, 3, 4, 5, 6), hash(9)))).toEqual([]);
});
