// A node's tokens: a new one with each enrolment that succeeds, while those before stay good until a newer one is first
// used. So neither an answer that got lost on its way, nor one of several at a time, locks anybody out.
import { equalDigests } from "../base/secret.ts";
import type { StoredNode } from "../store/stored-node.ts";

/** How many of the latest tokens are good, besides the one that the node last used. */
const LATEST = 2;

export function withNewToken(node: StoredNode, hash: string): StoredNode {
  const all = [...node.tokenHashes, hash];
  // The first is the one that the node last used: until it uses another, that may be all it has.
  return { ...node, tokenHashes: all.filter((_, at) => at === 0 || at >= all.length - LATEST) };
}

/** The node after the token with this hash was presented, which ends those before it; undefined when it is not the node's. */
export function withTokenUsed(node: StoredNode, hash: string): StoredNode | undefined {
  const at = node.tokenHashes.findIndex((known) => equalDigests(known, hash));
  if (at < 0) return undefined;
  return at === 0 ? node : { ...node, tokenHashes: node.tokenHashes.slice(at) };
}
