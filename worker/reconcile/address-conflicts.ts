import type { Stores } from "../store/stores.ts";

/** A leased ZeroTier address that another member holds as well: neither of the two works reliably. */
export interface AddressConflict {
  readonly slot: number;
  readonly address: string;
  /** Whose lease it is. */
  readonly node: string;
  /** Who holds it besides: a member that was given it by hand or by the controller. */
  readonly member: string;
}

/** The conflicts, as the members were last listed. */
export function addressConflicts({ facts, nodes }: Stores): AddressConflict[] {
  const held = facts.slotsHeld()?.held ?? [];
  if (held.length === 0) return [];
  const holders = new Map(nodes.all().map(({ slot, node }) => [slot, node]));
  return held.flatMap(({ slot, address, member }) => {
    const node = holders.get(slot);
    return node === undefined || node === member ? [] : [{ slot, address, node, member }];
  });
}
