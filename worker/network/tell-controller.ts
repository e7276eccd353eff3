import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import { controllerRefusal } from "../controller/controller-refusal.ts";
import type { NodeId } from "../lease/ids.ts";
import { awaited, type LastHolder } from "../reconcile/last-holder.ts";
import { isUntold, type StoredNode } from "../store/stored-node.ts";
import type { NetworkContext } from "./network-context.ts";

/** How often it is tried: the last holder may have to be taken out once more. */
const TRIES = 3;

/** Seconds after which a server asks again that waits for the former holder of its slot, at most. */
const RETRY_MOST = 120;

/**
 * Tells the controller of the node's lease, once whoever had its slot before is out there. Returns the node as it is then, undefined
 * when it is not there any more.
 */
export async function tellController(
  net: NetworkContext,
  id: NodeId,
): Promise<Result<StoredNode | undefined, Refusal>> {
  let told = await tell(net, [id], id);
  for (let tries = 1; tries < TRIES && told.ok && told.value.held !== undefined; tries++)
    told = await tell(net, [told.value.held.node, id], id);
  if (!told.ok) return told;
  const { node, held } = told.value;
  if (node === undefined || !isUntold(node)) return ok(node);
  if (held !== undefined) {
    const seconds = Math.ceil((held.until - net.now()) / 1000);
    const retryAfter = Math.min(RETRY_MOST, Math.max(1, seconds));
    return err({ problem: "former-holder", node: held.node, slot: node.slot, retryAfter });
  }
  if (net.stores.slots.isExcludedFor(net.config.pool, id, node.slot))
    return err({ problem: "slot-taken", slot: node.slot, hold: { by: "exclusion" } });
  return ok(node);
}

/** One try: the node as it is then, and whom it still waits for. */
async function tell(
  { stores, outbox, now }: NetworkContext,
  subjects: readonly string[],
  id: NodeId,
): Promise<Result<{ node: StoredNode | undefined; held: LastHolder | undefined }, Refusal>> {
  for (const subject of subjects) {
    const delivered = await outbox.deliver("member", subject);
    if (!delivered.ok) return err(controllerRefusal(delivered.error.cause, now(), delivered.error.attempts));
  }
  const node = stores.nodes.get(id);
  const held = node !== undefined && isUntold(node) ? awaited(stores, node, now()) : undefined;
  return ok({ node, held });
}
