import { errorText } from "../base/log.ts";
import type { Refusal } from "../base/refusal.ts";
import type { NodeId } from "../lease/ids.ts";
import { followController } from "../reconcile/follow-controller.ts";
import type { NetworkContext } from "./network-context.ts";

/**
 * Before the node is answered, finds out what has to be known of the controller: for a new lease what others hold there, and for one
 * that has a lease whether the operator took it out there. Returns why there can be no new lease.
 * Throws what the platform said while it keeps nothing of what would be found out.
 */
export async function lookFirst(net: NetworkContext, id: NodeId): Promise<Refusal | undefined> {
  net.stores.writePause.prove();
  const node = net.stores.nodes.get(id);
  if (node === undefined) return net.readiness.refusal();
  // One that was not delivered yet is looked at when it is.
  if (node.state !== "active" || node.deliveredAt === null) return undefined;
  try {
    await followController(net, id);
  } catch (error) {
    // Whoever has a lease is in the mesh, also while the controller is away.
    net.log("member-not-read", { node: id, error: errorText(error) });
  }
  return undefined;
}
