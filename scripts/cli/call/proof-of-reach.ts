import { nodesSchema } from "../../../worker/schema/lease.ts";
import { type ReachPair, reachSchema } from "../../../worker/schema/reach.ts";
import type { Server } from "./server.ts";
import type { Worker } from "./worker.ts";

/** So many servers are looked through for one that has probed this one, which has not done so itself. */
const LOOKED_THROUGH = 200;

/**
 * What proves that packets go between a server and another one, both ways. `answered`: a probe of the one had the other's answer, at
 * that time; `silent`: these were probed, or probed it, and nothing came back; `alone`: nobody else is heard in the mesh; `untried`:
 * nobody has probed yet.
 */
export type ProofOfReach =
  | { readonly kind: "answered"; readonly from: string; readonly to: string; readonly at: string }
  | { readonly kind: "silent"; readonly others: readonly string[] }
  | { readonly kind: "alone" | "untried" };

/** Looks for it in what servers found of each other: the server's own probes first, then those of others. */
export async function proofOfReach(worker: Worker, { node }: Server): Promise<ProofOfReach> {
  const silent = new Set<string>();
  for (const query of [`node=${node}`, `limit=${LOOKED_THROUGH}`]) {
    const { value } = await worker.ask("GET", `/v1/reach?${query}`, reachSchema);
    for (const from of value.items)
      for (const to of from.pairs) {
        if (from.at === null || (from.node !== node && to.node !== node)) continue;
        if (answers(to)) return { kind: "answered", from: from.name, to: to.name, at: from.at };
        silent.add(from.node === node ? to.name : from.name);
      }
  }
  if (silent.size > 0) return { kind: "silent", others: [...silent] };
  const heard = await worker.ask("GET", "/v1/nodes?state=active&limit=2", nodesSchema);
  return { kind: heard.value.items.some((other) => other.node !== node) ? "untried" : "alone" };
}

function answers({ ipv4, ipv6 }: ReachPair): boolean {
  return ipv4?.answers === true || ipv6?.answers === true;
}
