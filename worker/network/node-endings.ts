// How the operator ends a lease for good and keeps its name and slot. To give both up, see `releaseNode`.
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import type { Ending } from "../lease/ending.ts";
import type { NodeId } from "../lease/ids.ts";
import type { EndingView, Replaced, Replacement, Retired } from "../schema/ending.ts";
import type { Reservation } from "../store/reservation-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { endForGood } from "./change-lease.ts";
import { endingView } from "./ending-view.ts";
import { keptOfKey } from "./key-of-replaced.ts";
import { addKey, keyRequest, makeKey, newKeyView } from "./key-operations.ts";
import type { NetworkContext } from "./network-context.ts";
import { authorize } from "./node-access.ts";
import { reservationOf, reservationView } from "./reservation-operations.ts";

/** What that end of the node's lease would break. */
export function previewEnding(
  net: NetworkContext,
  node: NodeId,
  ending: Ending,
): Result<EndingView, Refusal> {
  const known = net.stores.nodes.get(node);
  if (known === undefined) return err({ problem: "not-found", missing: { what: "node", id: node } });
  return ok(endingOf(net, known, ending, true));
}

/** Takes the node out for good; its name and slot are reserved for a server that comes with a key for them. */
export async function retireNode(
  net: NetworkContext,
  node: NodeId,
  by: Operator,
): Promise<Result<Retired, Refusal>> {
  const { stores, now } = net;
  const retired = stores.transaction(() => {
    const known = authorize(stores, node, { admin: true, by }, now());
    if (!known.ok) return known;
    const view = endingOf(net, known.value, "retired", false);
    const reservation = retire(stores, known.value, now(), by);
    return ok({ ...view, reservation: reservationView(net, reservation) });
  });
  if (retired.ok) await net.outbox.deliver("member", node);
  return retired;
}

/** Within a transaction: the node is out for good. Gives the reservation that keeps its name and slot. */
export function retire(stores: Stores, known: StoredNode, now: number, by: Operator): Reservation {
  const reservation = reservationOf(stores, known, now, by);
  endForGood(stores, known, "retired", now, by);
  return reservation;
}

/**
 * Makes a key for one server, which takes name and slot over from the node: until it comes, the node stays as it is, and
 * name and slot are reserved.
 */
export async function replaceNode(
  net: NetworkContext,
  node: NodeId,
  terms: Replacement,
  by: Operator,
): Promise<Result<Replaced, Refusal>> {
  const { stores, now } = net;
  const made = await makeKey(net, keyRequest({ ...FOR_ONE, ...terms, tags: [] }, null));
  return stores.transaction(() => {
    const known = authorize(stores, node, { admin: true, by }, now());
    if (!known.ok) return known;
    const { name } = reservationOf(stores, known.value, now(), by);
    const { userData, allowOverlap } = keptOfKey(stores, known.value);
    const key = {
      ...made.key,
      ...{ reservation: name, tags: known.value.tags, userData },
      allowOverlap: made.key.allowOverlap || allowOverlap,
    };
    const added = addKey(net, { ...made, key }, true, by);
    if (!added.ok) return added;
    return ok({
      ...endingOf(net, known.value, "replaced", false),
      key: { ...newKeyView(added.value, now()), key: made.secret },
    });
  });
}

const FOR_ONE = { maxUses: 1, approval: false, takeover: true } as const;

/** What that end of the lease breaks. */
export function endingOf(
  { config, stores, now }: NetworkContext,
  node: StoredNode,
  ending: Ending,
  dryRun: boolean,
): EndingView {
  const isReserved = stores.reservations.bySlot(node.slot) !== undefined;
  return endingView(config, node, ending, { isReserved, dryRun, now: now() });
}
