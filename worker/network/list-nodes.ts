import { SHOWN_STATES, type ShownState } from "../lease/lease-times.ts";
import { matchesName } from "../lease/name.ts";
import type { NodeView } from "../schema/lease.ts";
import type { NodeSort } from "../schema/node-query.ts";
import { type NodePlace, placeOf } from "../store/node-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import { failureIn } from "./failed-report.ts";
import { shownState } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { nodeViewOf } from "./node-operations.ts";

/** Which nodes are wanted; what is left out does not matter. */
export interface NodeFilter {
  readonly state: ShownState | undefined;
  /** One `*` stands for any characters. */
  readonly name: string | undefined;
  readonly tag: string | undefined;
}

/** A part of the list of nodes. */
export interface NodeQuery extends NodeFilter {
  readonly sort: NodeSort;
  /** The id of the enrolment key that they last came in with. */
  readonly key: string | undefined;
  readonly limit: number;
  readonly after: NodePlace | undefined;
}

/** A node, and its place in the order that was asked for. */
export interface Listed {
  readonly node: NodeView;
  readonly place: NodePlace;
}

/** The nodes that are wanted, in order. Reads no more rows than it takes to find as many as are asked for. */
export function listNodes(net: NetworkContext, { sort, limit, after, key, ...filter }: NodeQuery): Listed[] {
  const now = net.now();
  const found: StoredNode[] = [];
  for (const node of net.stores.nodes.inOrder(sort, after, key)) {
    if (!isWanted(node, filter, now)) continue;
    found.push(node);
    if (found.length === limit) break;
  }
  return found.map((node) => ({ node: nodeViewOf(net, node), place: placeOf(node, sort) }));
}

function isWanted(node: StoredNode, { state, name, tag }: NodeFilter, now: number): boolean {
  if (tag !== undefined && !node.tags.includes(tag)) return false;
  if (name !== undefined && !matchesName(node.name, name)) return false;
  return state === undefined || isShownAs(node, state, now);
}

/** How many nodes are shown as what. Reads them all. */
export function countNodes({ stores, now }: NetworkContext): Record<ShownState, number> {
  const at = now();
  const counts = { pending: 0, active: 0, offline: 0, stale: 0, revoked: 0, failed: 0 };
  for (const node of stores.nodes.inOrder("slot", undefined))
    for (const state of SHOWN_STATES) if (isShownAs(node, state, at)) counts[state] += 1;
  return counts;
}

function isShownAs(node: StoredNode, state: ShownState, now: number): boolean {
  return state === "failed" ? failureIn(node.report) !== undefined : shownState(node, now) === state;
}
