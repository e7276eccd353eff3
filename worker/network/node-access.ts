import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import { queueCopy } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { withTokenUsed } from "./node-token.ts";

/** Who asks: the operator, or whoever presented the node token with this SHA-256. */
export type Caller =
  | { readonly admin: true; readonly by: Operator }
  | { readonly admin: false; readonly tokenHash: string };

/**
 * Within a transaction, since the first use of a token ends those before it: the node, for the operator or for the node
 * itself. `now`: ms since 1970. Somebody with another node's token is told the same whether the node exists or not.
 */
export function authorize(
  stores: Stores,
  node: string,
  caller: Caller,
  now: number,
): Result<StoredNode, Refusal> {
  const { nodes } = stores;
  const known = nodes.get(node);
  if (caller.admin)
    return known === undefined
      ? err({ problem: "not-found", missing: { what: "node", id: node } })
      : ok(known);
  const ending = known === undefined ? stores.formerNodes.endingOf(node, caller.tokenHash) : undefined;
  if (ending !== undefined) return err({ problem: "revoked", reason: ending, node });
  const admitted = known && withTokenUsed(known, caller.tokenHash);
  if (admitted === undefined) return err({ problem: "unauthorized", reason: "not-of-node", node });
  if (admitted !== known) {
    nodes.put(admitted);
    // The copy answers for the object: what is good for nothing here must not read it.
    queueCopy(stores, node, now);
  }
  return ok(admitted);
}
