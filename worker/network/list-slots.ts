import { overlaps, parsePrefix } from "../address/prefix.ts";
import { isoTime } from "../base/iso-time.ts";
import { dockerSubnet, slotLimit } from "../lease/pool.ts";
import type { SlotRangeView } from "../schema/slots.ts";
import { shownState } from "./lease-view.ts";
import type { NetworkContext } from "./network-context.ts";

type SlotView = Omit<SlotRangeView, "from" | "to">;

const FREE: SlotView = {
  ...{ state: "free", node: null, name: null, lease: null, since: null, until: null, by: null },
};

/** Slots, and the first behind them; null at the end of the pool. */
export interface SlotsPart {
  readonly items: SlotRangeView[];
  readonly next: number | null;
}

/**
 * What each of `most` slots is, from `from` on, up to the end of the pool; free ones in a row are one item. Reads a row for each of
 * them that is leased, and all that are reserved or in quarantine.
 */
export function listSlots(net: NetworkContext, from: number, most: number): SlotsPart {
  const limit = slotLimit(net.config.pool);
  const last = Math.min(limit, from + most - 1);
  const slots = viewsBetween(net, from, last);
  const ranges: SlotRangeView[] = [];
  for (let slot = from; slot <= last; slot++) {
    const view = slots.get(slot) ?? FREE;
    const before = ranges.at(-1);
    if (before !== undefined && before.state === "free" && view === FREE) before.to = slot;
    else ranges.push({ from: slot, to: slot, ...view });
  }
  return { items: ranges, next: last < limit ? last + 1 : null };
}

/** What there is to say of those that are not free; a lease counts before whatever else is there. */
function viewsBetween(
  { stores, config, now }: NetworkContext,
  from: number,
  to: number,
): Map<number, SlotView> {
  const at = now();
  const views = new Map<number, SlotView>();
  for (const { slot, node, releasedAt, freeAt } of stores.slots.inQuarantine(at))
    views.set(slot, {
      ...{ ...FREE, state: "quarantined", node, since: isoTime(releasedAt) },
      until: isoTime(freeAt ?? null),
    });
  for (const { slot, name, createdAt } of stores.reservations.all())
    views.set(slot, { ...FREE, state: "reserved", name, since: isoTime(createdAt) });
  for (const slot of stores.slots.excluded())
    views.set(slot, { ...FREE, state: "excluded", by: holderOf(slot) });
  for (const node of stores.nodes.between(from, to))
    views.set(node.slot, {
      ...{ ...FREE, state: "leased", node: node.node, name: node.name },
      ...{ lease: shownState(node, at), since: isoTime(node.leasedAt) },
    });
  return views;

  /** The member that has the slot's address, or the route that touches its subnet. */
  function holderOf(slot: number): string | null {
    const held = stores.memory.slotsHeld()?.held.find((one) => one.slot === slot);
    if (held !== undefined) return held.member;
    const subnet = dockerSubnet(config.pool, slot);
    const route = stores.memory.conflicts().find(({ target }) => {
      const prefix = parsePrefix(target);
      return prefix !== undefined && overlaps(prefix, subnet);
    });
    return route?.target ?? null;
  }
}
