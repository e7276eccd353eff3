import { parseAddress } from "../address/prefix.ts";
import type { ControllerMember } from "../controller/controller.ts";
import { slotOfAddress } from "../lease/pool.ts";
import type { PoolUse } from "../schema/pool.ts";
import type { Stores } from "../store/stores.ts";
import type { Upkeep } from "./upkeep.ts";

/** A leased ZeroTier address that another member, given it by hand or by the controller, holds as well: neither works reliably. */
type AddressConflict = PoolUse["addressConflicts"][number];

/** The conflicts, as the members were last listed. */
export function addressConflicts({ memory, nodes }: Stores): AddressConflict[] {
  const held = memory.slotsHeld()?.held ?? [];
  if (held.length === 0) return [];
  const holders = new Map(nodes.all().map(({ slot, node }) => [slot, node]));
  return held.flatMap(({ slot, address, member }) => {
    const node = holders.get(slot);
    return node === undefined || node === member ? [] : [{ slot, address, node, member }];
  });
}

/** Within a transaction: remembers the slots whose addresses members hold to whom they are not leased. */
export function noteMembers(
  { config, stores, log, now }: Upkeep,
  members: readonly ControllerMember[],
): void {
  const held = members.flatMap(({ node: member, addresses }) => {
    const own = stores.nodes.get(member)?.slot;
    return addresses.flatMap((text) => {
      const address = parseAddress(text);
      const slot = address && slotOfAddress(config.pool, address);
      return slot === undefined || slot === own ? [] : [{ slot, address: text, member }];
    });
  });
  const before = JSON.stringify(addressConflicts(stores));
  stores.memory.setSlotsHeld({ at: now(), held });
  const conflicts = addressConflicts(stores);
  if (JSON.stringify(conflicts) === before) return;
  const shown = conflicts.map(({ address, member, node }) => `${address} of ${node} at ${member}`);
  log("address-conflicts", { count: conflicts.length, addresses: shown.join(", ") });
}
