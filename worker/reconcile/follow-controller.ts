// What the operator decides on a member at the controller counts: deauthorized there, a node is revoked here, and
// authorized there again it is back. What he decided here, by approve and revoke, counts more.
import type { ControllerMember } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy, queueRoutes } from "../outbox/queue.ts";
import type { StoredNode } from "../store/node-store.ts";
import type { Stores } from "../store/stores.ts";
import type { Upkeep } from "./upkeep.ts";

/** Whether the controller was told nothing of the node since then (ms since 1970), and is to be told nothing: so what it answers since is no news of ours. */
export function isSettled({ outbox }: Stores, { node, deliveredAt }: StoredNode, since: number): boolean {
  return outbox.get("member", node) === undefined && (deliveredAt ?? 0) < since;
}

/** The state that the operator gave the node at the controller; undefined when he decided nothing there. */
export function decidedThere(
  { state, revokedBy }: StoredNode,
  { authorized }: ControllerMember,
): "active" | "revoked" | undefined {
  if (state === "active" && !authorized) return "revoked";
  return state === "revoked" && revokedBy === "controller" && authorized ? "active" : undefined;
}

/**
 * Takes over what the operator decided on the node at the controller, by a read of this one member: a list of all may
 * be older than what it was told meanwhile. Rejects when the controller cannot be read.
 */
export async function followController(net: Upkeep, id: NodeId): Promise<void> {
  const began = net.now();
  const member = await net.controller.readMember(id);
  net.stores.transaction(() => {
    const node = net.stores.nodes.get(id);
    if (node === undefined || member === undefined || !isSettled(net.stores, node, began)) return;
    const state = decidedThere(node, member);
    if (state === undefined) return;
    const { name, slot } = node;
    net.log(`${state === "active" ? "authorized" : "revoked"}-at-controller`, { node: id, name, slot });
    net.stores.nodes.put({ ...node, state, ...(state === "active" ? back(net.now()) : OUT) });
    queueCopy(net.stores, id, net.now());
    queueRoutes(net.stores, net.now());
  });
}

const OUT = { revokedBy: "controller" } as const;

/** Else a node that was out for long would be released by time at once. */
function back(now: number): Pick<StoredNode, "revokedBy" | "seenAt"> {
  return { revokedBy: null, seenAt: now };
}
