import type { Refusal } from "../base/problem.ts";
import type { StoredNode } from "../store/node-store.ts";
import type { NetworkContext } from "./network-context.ts";
import { withTokenUsed } from "./node-token.ts";

/** Who asks: the operator, or whoever presented the node token with this SHA-256. */
export type Caller = { readonly admin: true } | { readonly admin: false; readonly tokenHash: string };

/** A value, or why there is none. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

/** Wraps a value. */
export function given<T>(value: T): Answer<T> {
  return { ok: true, value };
}

/** Wraps a refusal. */
export function refused(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal };
}

/** Why a revoked node may not do what it asks for. */
export function revoked(node: string): Refusal {
  return {
    problem: "revoked",
    detail: `node ${node} was revoked by the operator; it comes back by POST /v1/nodes/${node}/approve`,
  };
}

/**
 * Within a transaction, since the first use of a token ends those before it: the node, for the operator or for the node itself. Somebody with another node's token is told the same whether
 * the node exists or not.
 */
export function authorize(net: NetworkContext, node: string, caller: Caller): Answer<StoredNode> {
  const known = net.stores.nodes.get(node);
  if (caller.admin)
    return known === undefined
      ? refused({ problem: "not-found", detail: `there is no node ${node}` })
      : given(known);
  const opened = known && withTokenUsed(known, caller.tokenHash);
  if (opened === undefined)
    return refused({
      problem: "unauthorized",
      detail: `the token is not that of node ${node}: it was replaced by a later enrolment, or the node was deleted; enrol again`,
    });
  if (opened !== known) net.stores.nodes.put(opened);
  return given(opened);
}
