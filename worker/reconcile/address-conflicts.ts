import type { MemberList } from "../controller/controller.ts";
import { slotOfText } from "../lease/pool.ts";
import type { PoolUse } from "../schema/pool.ts";
import type { Holders } from "../store/slot-pages.ts";
import type { Stores } from "../store/stores.ts";
import type { Upkeep } from "./upkeep.ts";

/** A leased ZeroTier address that another member, given it by hand or by the controller, holds as well: neither works reliably. */
type AddressConflict = PoolUse["addressConflicts"][number];

/** Members that a line of the log names at most. */
const SHOWN = 20;

/** The conflicts, as the members were last listed. `holders`: those to whom the slots are leased. */
export function addressConflicts({ memory }: Stores, holders: Holders): AddressConflict[] {
  const held = memory.slotsHeld()?.held ?? [];
  return held.flatMap(({ slot, address, member }) => {
    const node = holders.of(slot);
    return node === undefined || node === member ? [] : [{ slot, address, node, member }];
  });
}

/**
 * Within a transaction: remembers the slots whose addresses members hold to whom they are not leased. `readAt`: when the
 * list was asked for (ms since 1970); what was read later stays.
 */
export function noteMembers(
  { config, stores, log }: Upkeep,
  { members, unread }: MemberList,
  readAt: number,
): void {
  if ((stores.memory.slotsHeld()?.at ?? 0) > readAt) return;
  if (unread.length > 0)
    log("members-unread", { count: unread.length, members: unread.slice(0, SHOWN).join(", ") });
  const holders = stores.slots.holders();
  // The proof that a server without a lease had its slot already counts until the controller was told of its lease.
  const proofs = (stores.memory.slotsHeld()?.held ?? []).filter(
    ({ slot, member }) => holders.of(slot) === member && isNeverDelivered(stores, member),
  );
  const isProof = (slot: number, member: string): boolean =>
    proofs.some((proof) => proof.slot === slot && proof.member === member);
  const held = members.flatMap(({ node: member, addresses }) =>
    addresses.flatMap((text) => {
      const slot = slotOfText(config.pool, text);
      if (slot === undefined || (holders.of(slot) === member && !isProof(slot, member))) return [];
      return [{ slot, address: text, member }];
    }),
  );
  const before = JSON.stringify(addressConflicts(stores, holders));
  stores.memory.setSlotsHeld({ at: readAt, held });
  const conflicts = addressConflicts(stores, holders);
  if (JSON.stringify(conflicts) === before) return;
  const shown = conflicts.map(({ address, member, node }) => `${address} of ${node} at ${member}`);
  log("address-conflicts", { count: conflicts.length, addresses: shown.join(", ") });
}

function isNeverDelivered({ nodes }: Stores, member: string): boolean {
  return nodes.get(member)?.deliveredAt === null;
}
