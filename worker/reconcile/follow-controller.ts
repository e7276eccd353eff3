// What the operator decides on a member at the controller counts: deauthorized there, a node is revoked here, and
// authorized there again it is back. What he decided here, by approve and revoke, counts more.
import type { ControllerMember } from "../controller/controller.ts";
import type { NodeId } from "../lease/ids.ts";
import { queueCopy, queueRoutes } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import type { Upkeep } from "./upkeep.ts";

/**
 * Whether the controller was told nothing of the node since then (ms since 1970), and is to be told nothing: so any
 * difference that it shows was decided there.
 */
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
export async function followController({ stores, controller, log, now }: Upkeep, id: NodeId): Promise<void> {
  const began = now();
  const member = await controller.readMember(id);
  stores.transaction(() => {
    const node = stores.nodes.get(id);
    if (node === undefined || member === undefined || !isSettled(stores, node, began)) return;
    const state = decidedThere(node, member);
    if (state === undefined) return;
    const { name, slot } = node;
    log(`${state === "active" ? "authorized" : "revoked"}-at-controller`, { node: id, name, slot });
    stores.nodes.put({ ...node, state, ...(state === "active" ? readmitted(now()) : TAKEN_OUT) });
    queueCopy(stores, id, now());
    queueRoutes(stores, now());
  });
}

const TAKEN_OUT = { revokedBy: "controller" } as const;

/** Seen now: a node that was out for long would otherwise be released by time at once. */
function readmitted(now: number): Pick<StoredNode, "revokedBy" | "seenAt"> {
  return { revokedBy: null, seenAt: now };
}
