import { z } from "zod";
import { LIMITS } from "../config/limits.ts";
import { defaultLeaseTimes, type ShownState } from "../lease/lease-times.ts";
import { matchesName } from "../lease/name.ts";
import type { NodeView } from "../schema/lease.ts";
import type { NodeSort } from "../schema/node-query.ts";
import { type NodePlace, type NodeSubset, placeOf } from "../store/node-store.ts";
import type { Holders } from "../store/slot-pages.ts";
import type { StoredNode, StoredState } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { failureIn } from "./failed-report.ts";
import { shownState } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";
import { nodeViewOf } from "./node-operations.ts";

/** What a host says of its agent. */
const agentIn = z.object({ agentSha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** Which nodes are wanted; what is left out does not matter. */
export interface NodeFilter {
  readonly state: ShownState | undefined;
  /** One `*` stands for any characters. */
  readonly name: string | undefined;
  readonly tag: string | undefined;
  /** SHA-256 of the agent that they do not run, by their own word. */
  readonly agentNot: string | undefined;
}

/** A part of the list of nodes. */
export interface NodeQuery extends NodeFilter {
  readonly sort: NodeSort;
  /** The id of the enrolment key that they last came in with. */
  readonly key: string | undefined;
  readonly limit: number;
  readonly after: NodePlace | undefined;
}

/** The nodes that were found, and the place behind which to look on; undefined at the end of the list. */
export interface NodePage {
  readonly items: readonly NodeView[];
  readonly next: NodePlace | undefined;
}

/**
 * The nodes that are wanted, in order. Where no index finds them, it looks through so many and no more, however many there are: then a
 * page may have fewer than `limit`, or none, and not be the last.
 */
export function listNodes(net: NetworkContext, { sort, limit, after, key, ...filter }: NodeQuery): NodePage {
  const now = net.now();
  const found: StoredNode[] = [];
  const page = (next: StoredNode | undefined): NodePage => ({
    items: found.map((node) => nodeViewOf(net, node)),
    next: next && placeOf(next, sort),
  });
  let lookedThrough = 0;
  for (const node of net.stores.nodes.inOrder(sort, after, subsetOf(filter, key, now))) {
    const isMore = isWanted(node, filter, now);
    if (isMore && found.length === limit) return page(found.at(-1));
    if (isMore) found.push(node);
    lookedThrough += 1;
    if (lookedThrough === LIMITS.nodesLookedThrough) return page(node);
  }
  return page(undefined);
}

/** Those among which an index finds the ones that are wanted; undefined: all. */
function subsetOf({ state, name }: NodeFilter, key: string | undefined, now: number): NodeSubset | undefined {
  if (key !== undefined) return { kind: "of-key", keyId: key };
  if (name !== undefined && !name.includes("*")) return { kind: "named", name };
  switch (state) {
    case "pending":
    case "revoked":
      return { kind: "not-active", state };
    case "offline":
      return { kind: "unseen", since: now - defaultLeaseTimes.offlineAfter };
    case "stale":
      return { kind: "unseen", since: now - defaultLeaseTimes.staleAfter };
    case "failed":
      return { kind: "failed" };
    default:
      return undefined;
  }
}

function isWanted(node: StoredNode, { state, name, tag, agentNot }: NodeFilter, now: number): boolean {
  if (agentNot !== undefined && !runsOther(node, agentNot)) return false;
  if (tag !== undefined && !node.tags.includes(tag)) return false;
  if (name !== undefined && !matchesName(node.name, name)) return false;
  return state === undefined || isShownAs(node, state, now);
}

/** Whether the node is in the mesh and says that it runs another agent than that with this SHA-256. */
function runsOther({ state, facts }: StoredNode, sha256: string): boolean {
  if (state !== "active") return false;
  const said = facts === null ? undefined : agentIn.safeParse(JSON.parse(facts)).data?.agentSha256;
  return said !== undefined && said !== sha256;
}

/** How many nodes are shown as what. Reads those alone that are not active; of those that were not seen lately see {@link UnseenCounts}. */
export function countNodes({ stores, unseen, now }: NetworkContext): Record<ShownState, number> {
  const { active: letIn, ...counts } = countStored(stores, stores.slots.holders());
  const { offline, stale } = unseen.count(stores.nodes, now());
  const failed = stores.nodes.countFailed();
  return { ...counts, offline, stale, failed, active: letIn - offline - stale };
}

/** How many nodes are in each state that is stored: each has a slot, and few are not active. */
export function countStored({ nodes }: Stores, holders: Holders): Record<StoredState, number> {
  const { pending, revoked } = nodes.countNotActive();
  return { pending, active: holders.count() - pending - revoked, revoked };
}

function isShownAs(node: StoredNode, state: ShownState, now: number): boolean {
  return state === "failed" ? failureIn(node.report) !== undefined : shownState(node, now) === state;
}
