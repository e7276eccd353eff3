import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { ReachOfServer, ReachPair } from "../schema/reach.ts";
import { type NodePlace, placeOf } from "../store/node-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { isUnanswered, keptProbes } from "./kept-probes.ts";

/** Of which servers it is asked. */
export interface ReachQuery {
  /** That one alone. */
  readonly node: string | undefined;
  /** Those alone who get no answer from somebody, and these pairs alone. */
  readonly silent: boolean;
  readonly limit: number;
  readonly after: NodePlace | undefined;
}

/** What servers found, and the place behind which to look on; undefined at the end. */
export interface ReachPage {
  readonly items: readonly ReachOfServer[];
  readonly next: NodePlace | undefined;
}

/** What servers in the mesh found of each other, by name. One call looks through so many servers and no more, however many there are. */
export function listReach(stores: Stores, query: ReachQuery, now: number): Result<ReachPage, Refusal> {
  const { node: id, silent, limit, after } = query;
  const find = remembering(stores);
  if (id !== undefined) {
    const node = stores.nodes.get(id);
    if (node === undefined) return err({ problem: "not-found", missing: { what: "node", id } });
    return ok({ items: [reachOf(node, silent, find, now)], next: undefined });
  }
  const items: ReachOfServer[] = [];
  let last: StoredNode | undefined;
  let looked = 0;
  for (const node of stores.nodes.inOrder("name", after, silent ? { kind: "unanswered" } : undefined)) {
    const reach = reachOf(node, silent, find, now);
    if (node.state === "active" && (!silent || reach.pairs.length > 0)) {
      if (items.length === limit) return ok({ items, next: last && placeOf(last, "name") });
      items.push(reach);
    }
    last = node;
    looked += 1;
    if (looked === LIMITS.nodesLookedThrough) return ok({ items, next: placeOf(node, "name") });
  }
  return ok({ items, next: undefined });
}

type Find = (node: string) => StoredNode | undefined;

/** Nodes by their ids, each read once. */
function remembering({ nodes }: Stores): Find {
  const known = new Map<string, StoredNode | undefined>();
  return (node) => {
    if (!known.has(node)) known.set(node, nodes.get(node));
    return known.get(node);
  };
}

/** What a node found, as far as it is not of yesterday, of others that are still in the mesh. */
function reachOf(node: StoredNode, silent: boolean, find: Find, now: number): ReachOfServer {
  const kept = keptProbes(node);
  const { node: id, name } = node;
  const at = kept?.at ?? null;
  if (kept === undefined || at === null || now - at >= LIMITS.probesSeconds * 1000)
    return { node: id, name, at: null, fault: kept?.fault ?? null, probed: 0, pairs: [] };
  const pairs = kept.pairs.flatMap(({ to, ...found }): ReachPair[] => {
    const other = find(to);
    return other === undefined || other.state !== "active" || to === id
      ? []
      : [{ node: to, name: other.name, ...found }];
  });
  return {
    ...{ node: id, name, at: new Date(at).toISOString(), fault: kept.fault, probed: pairs.length },
    pairs: pairs.filter((pair) => !silent || isUnanswered(pair)).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
