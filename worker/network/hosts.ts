// Which servers are in the mesh, for their names in each other's hosts files.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import type { HostsView } from "../schema/hosts.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize, type Caller } from "./node-access.ts";

/** The version that a node is told which says that it has this one; undefined: it did not ask, or is not in the mesh. */
export function hostsVersionFor(
  { stores }: NetworkContext,
  node: StoredNode,
  has: string | undefined,
): string | undefined {
  return has === undefined || !isInMesh(node) ? undefined : stores.hosts.version();
}

/** The servers after that slot, for the operator or for a server that is in the mesh. */
export function listHosts(
  { stores, config, hosts, now }: NetworkContext,
  node: string,
  caller: Caller,
  after: number,
): Result<HostsView, Refusal> {
  const list = stores.transaction(() => {
    const known = authorize(stores, node, caller, now());
    if (!known.ok) return known;
    if (!caller.admin && !isInMesh(known.value))
      return err({ problem: "revoked", reason: "taken-out", node } as const);
    return ok(hosts.now());
  });
  if (!list.ok) return list;
  const { version, all } = list.value;
  const from = all.findIndex(({ slot }) => slot > after);
  const part = from === -1 ? [] : all.slice(from, from + LIMITS.hosts);
  const isLast = from === -1 || from + LIMITS.hosts >= all.length;
  return ok({
    network: config.networkId,
    version,
    hosts: part,
    next: isLast ? null : (part.at(-1)?.slot ?? null),
  });
}

function isInMesh(node: StoredNode): boolean {
  return node.state === "active" && !isUntold(node);
}
