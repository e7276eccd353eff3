// No two servers ever have one address: whoever had a slot before is out at the controller before another is let in with it.
// After a quarantine that is long so. A reserved slot has none.
import { queueMember } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { canStillLand, LATEST_MS } from "../store/unheard-store.ts";

/** A slot's last holder, who may still have its address at the controller. */
export interface LastHolder {
  readonly node: string;
  /** When to look again (ms since 1970). */
  readonly until: number;
  /** It is to be taken out once more: a call that let it in may have taken effect after it was. */
  readonly isDue: boolean;
}

/** ms until the alarm looks again whether the last holder was taken out; what takes it out sees to it before. */
const LOOK_MS = 60_000;

/** The last holder of the lease's slot, while it is not sure that the controller lets it in no more. */
export function awaited(
  { slots, unheard }: Stores,
  { node, slot }: Pick<StoredNode, "node" | "slot">,
  now: number,
): LastHolder | undefined {
  const last = slots.released(slot);
  if (last === undefined || last.node === node) return undefined;
  if (last.freeAt === undefined) return { node: last.node, until: now + LOOK_MS, isDue: false };
  const written = unheard.of(last.node).in;
  if (written === undefined) return undefined;
  return {
    node: last.node,
    until: Math.max(now, written + LATEST_MS + 1),
    isDue: !canStillLand(written, now),
  };
}

/**
 * Within a transaction: when to look again whether the lease's slot is free of its last holder; undefined once it is. One
 * of which a call may have landed late is taken out once more.
 */
export function waitForLast(stores: Stores, lease: StoredNode, now: number): number | undefined {
  const last = awaited(stores, lease, now);
  if (last === undefined || !last.isDue) return last?.until;
  stores.unheard.forget(last.node, now);
  stores.slots.reopen(lease.slot);
  queueMember(stores, last.node, now);
  return now + LOOK_MS;
}
