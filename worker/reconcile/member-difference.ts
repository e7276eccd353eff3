import type { Config } from "../config/config.ts";
import type { ControllerMember, MemberChange } from "../controller/controller.ts";
import { hasAddressOf, isAutomatic, slotOfText, zerotierAddress } from "../lease/pool.ts";
import { wasOffered } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";

/**
 * Whether the member has the addresses that go with its lease: that of its slot, and what the controller gives by itself, its
 * 6PLANE address among it. Deleted and authorized again, it has one of the controller's choice, or none.
 */
export function hasItsAddresses(
  { pool }: Pick<Config, "pool">,
  { slot }: Pick<StoredNode, "slot">,
  { autoAssign, addresses }: ControllerMember,
): boolean {
  return autoAssign && hasAddressOf(pool, addresses, slot);
}

/**
 * What to write so that the member of an active lease is as it should be; undefined when it is. What the operator set of it
 * besides stays.
 */
export function differenceOf(
  config: Pick<Config, "pool">,
  stores: Stores,
  lease: StoredNode,
  member: ControllerMember | undefined,
): MemberChange | undefined {
  if (member === undefined) return wholeOf(config, stores, lease, undefined);
  const change: MemberChange = {
    ...(member.name !== lease.name && { name: lease.name }),
    ...(!member.authorized && { authorized: true }),
    ...(!hasAddressOf(config.pool, member.addresses, lease.slot) && {
      addresses: addressesOf(config, stores, lease, member),
    }),
    // Without, it would get no 6PLANE address.
    ...(!member.autoAssign && { autoAssign: true }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** All of it, whatever the member is by now: `member` is how it was a moment ago. */
export function wholeOf(
  config: Pick<Config, "pool">,
  stores: Stores,
  lease: StoredNode,
  member: ControllerMember | undefined,
): MemberChange {
  return {
    name: lease.name,
    authorized: true,
    addresses: addressesOf(config, stores, lease, member),
    autoAssign: true,
  };
}

/**
 * The address of the lease, and those that the member was given by hand: none that the controller chose because it had no
 * other, and none of another slot that is leased, or that it had before. A lease that was never told gives way to it.
 */
function addressesOf(
  { pool }: Pick<Config, "pool">,
  stores: Stores,
  { node, slot }: StoredNode,
  member: ControllerMember | undefined,
): string[] {
  const own = zerotierAddress(pool, slot);
  const others = member?.addresses ?? [];
  if (others.length === 0) return [own];
  const kept = others.filter((text) => {
    const other = slotOfText(pool, text);
    if (other === undefined) return !isAutomatic(pool, text);
    return other !== slot && !isOffered(stores, other) && stores.slots.released(other)?.node !== node;
  });
  return [own, ...kept];
}

function isOffered(stores: Stores, slot: number): boolean {
  const holder = stores.slots.holder(slot);
  const lease = holder === undefined ? undefined : stores.nodes.get(holder);
  return lease !== undefined && wasOffered(stores, lease);
}
