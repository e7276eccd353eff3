// A node's token: a new one with each enrolment that succeeds, while the one before stays good until the new one is first
// used. So an answer that got lost on its way locks nobody out.
import { equalDigests } from "../http/secret.ts";
import type { StoredNode } from "./node-store.ts";

/** The node with a new token; the one that it last used stays good. */
export function withNewToken(node: StoredNode, hash: string): StoredNode {
  const kept = node.tokenUsed || node.previousHash === null ? node.tokenHash : node.previousHash;
  return { ...node, tokenHash: hash, tokenUsed: false, previousHash: kept };
}

/** The node after the token with this hash was presented; undefined when it is not the node's. */
export function withTokenUsed(node: StoredNode, hash: string): StoredNode | undefined {
  if (node.tokenHash !== null && equalDigests(node.tokenHash, hash))
    return node.tokenUsed ? node : { ...node, tokenUsed: true, previousHash: null };
  return node.previousHash !== null && equalDigests(node.previousHash, hash) ? node : undefined;
}
