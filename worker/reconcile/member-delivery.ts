// Brings one member at the controller in line with its lease, whatever that is by now, and follows what the operator
// decided there. What differs is written and nothing else.
import type { ControllerMember } from "../controller/controller.ts";
import { mayTake } from "../lease/choose-slot.ts";
import { type NodeId, parseNodeId } from "../lease/ids.ts";
import { freeAt } from "../lease/lease-times.ts";
import type { Delivery } from "../outbox/outbox.ts";
import { queueCopy, queueRoutes, wasOffered } from "../outbox/queue.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import { decidedThere, takeOver } from "./follow-controller.ts";
import { waitForLast } from "./last-holder.ts";
import { differenceOf, wholeOf } from "./member-difference.ts";
import { takeSlot } from "./take-slot.ts";
import { againAt, leaving, send } from "./unheard-write.ts";
import type { Upkeep } from "./upkeep.ts";

/** ms until a lease is looked at again whose reserved slot somebody else has an address or a route in. */
const KEPT_OUT_MS = 10 * 60_000;

/** What delivering members works with. */
export interface MemberDeliveryOptions extends Upkeep {
  /** Finds out what others hold in the network by now, and its members. Rejects when that cannot be read. */
  readonly look: () => Promise<void>;
}

export function memberDelivery(options: MemberDeliveryOptions): Delivery {
  const { stores } = options;
  return {
    cost(subject) {
      const lease = stores.nodes.get(subject);
      if (lease === undefined) return 3;
      if (lease.deliveredAt === null && stores.slots.isRemovalDue(subject)) return 4;
      // The first time what is read is read for many.
      return lease.state === "active" && lease.deliveredAt !== null ? 2 : 1;
    },
    async deliver(subject) {
      const node = parseNodeId(subject);
      if (node === undefined) return undefined;
      const lease = stores.nodes.get(node);
      if (lease?.state === "active") return bringIn(options, lease);
      return takeOut(options, node, lease);
    },
  };
}

/** An active node is authorized, named and given its address in one call, if it is not yet. */
async function bringIn(options: MemberDeliveryOptions, found: StoredNode): Promise<number | undefined> {
  const { stores, members, config, now } = options;
  const { node } = found;
  const isFirst = found.deliveredAt === null;
  if (isFirst) await options.look();
  const member = isFirst ? members.newest(node) : await members.read(node);
  const planned = stores.transaction(() => {
    const lease = stores.nodes.get(node);
    // Ended or taken out meanwhile: whoever did that has queued what follows from it.
    if (lease?.state !== "active" || (lease.deliveredAt === null) !== isFirst) return undefined;
    if (member !== undefined && decidedThere(lease, member, stores.unheard.of(node)) === "revoked") {
      takeOver(options, lease, member, "revoked");
      return undefined;
    }
    const again = isFirst ? waitForLast(stores, lease, now()) : undefined;
    if (again !== undefined) return { again };
    const settled = isFirst ? settleSlot(options, lease) : lease;
    if (settled === undefined) return { again: now() + KEPT_OUT_MS };
    // What was read for many may be older than what we wrote ourselves.
    const change = (isFirst ? wholeOf : differenceOf)(config, stores, settled, member);
    return { lease: settled, change, write: change && leaving(stores, node, "in", now()) };
  });
  // The row of a removal that is due may have been taken for this delivery's own.
  if (planned === undefined) return stores.slots.isRemovalDue(node) ? now() : undefined;
  if ("again" in planned) {
    // Whom it waits for may wait for the slot that it had itself.
    if (stores.slots.isRemovalDue(node)) await takeOut(options, node, undefined);
    return planned.again;
  }
  const { lease, change, write } = planned;
  const taken = change === undefined ? member : await send(stores, write, () => members.put(node, change));
  return stores.transaction(() => {
    write?.heard();
    const current = stores.nodes.get(node);
    // He may have decided just before the write, whose answer shows it.
    const decided = current && taken && decidedThere(current, taken, stores.unheard.of(node));
    if (current !== undefined && taken !== undefined && decided === "revoked")
      takeOver(options, current, taken, decided);
    else noteDelivery(options, lease, taken);
    return againAt(stores, node, ["in", "out"], now());
  });
}

/** One that has no lease any more is removed; any other that is not active is deauthorized. */
async function takeOut(
  options: MemberDeliveryOptions,
  node: NodeId,
  lease: StoredNode | undefined,
): Promise<number | undefined> {
  const { stores, members, now } = options;
  // Whoever took it out at the controller may have let it in there again.
  const isTheirs = lease?.revokedBy === "controller";
  const member = isTheirs ? await members.read(node) : undefined;
  const write = stores.transaction(() => {
    const found = stores.nodes.get(node);
    if (isTheirs && found !== undefined && member !== undefined)
      if (decidedThere(found, member, stores.unheard.of(node)) === "active")
        return takeOver(options, found, member, "active");
    return leaving(stores, node, "out", now());
  });
  if (write === undefined) return undefined;
  const taken = await send(stores, write, async () =>
    lease === undefined ? members.remove(node) : members.put(node, { authorized: false }),
  );
  return stores.transaction(() => {
    write.heard();
    // Taken out before it was ever let in, its slot was told to nobody: it is compared when it is let in.
    if (lease === undefined || lease.deliveredAt === null)
      stores.slots.beginQuarantine(node, undefined, freeAt(now()));
    else noteDelivery(options, lease, taken ?? undefined);
    if (lease === undefined) hurryHeirs(stores, node, now());
    queueRoutes(stores, now());
    return againAt(stores, node, ["in"], now());
  });
}

/** Within a transaction: whoever waits for a slot that the node had is told to the controller now. */
function hurryHeirs({ slots, outbox }: Stores, node: string, now: number): void {
  for (const { slot } of slots.formerOf(node)) {
    const heir = slots.holder(slot);
    if (heir !== undefined && outbox.get("member", heir) !== undefined) outbox.put("member", heir, now, now);
  }
}

/**
 * Within a transaction, before the controller hears of the lease for the first time: nobody was told its slot, so when
 * somebody else has taken the address or the subnet by now, or it is reserved for it no more and in another's quarantine, it gets
 * another. A reserved one has been told: that waits, and undefined is returned.
 */
function settleSlot(
  { stores, config: { pool }, now, log }: MemberDeliveryOptions,
  lease: StoredNode,
): StoredNode | undefined {
  const { node, slot } = lease;
  let settled = lease;
  const isReserved = stores.reservations.bySlot(slot) !== undefined;
  const released = stores.slots.released(slot);
  const isResting = !isReserved && released !== undefined && !mayTake(released, node, now());
  if (isResting || stores.slots.isExcludedFor(pool, node, slot)) {
    if (isReserved) {
      log("reserved-slot-excluded", { node, slot });
      return undefined;
    }
    const free = takeSlot(stores, pool, node, now());
    if (free === undefined)
      throw new Error(`slot ${slot} of ${node} is held by others, and no other is free`);
    log("slot-changed", { node, slot, to: free });
    // A write of before may have told the controller of it.
    if (wasOffered(stores, lease)) stores.slots.release(slot, node, now());
    // A lease of this slot from now on: it may have been leased this one before, and have left it.
    settled = { ...lease, slot: free, leasedAt: now() };
    stores.nodes.put(settled);
    stores.events.add(
      now(),
      {
        by: { who: "controller" },
        action: "slot-changed",
        why: isResting ? "slot-in-quarantine" : "slot-held-by-others",
      },
      { ...settled, was: String(slot) },
    );
    queueCopy(stores, node, now());
  }
  // Its own of before is over: from here on such a row says that this lease has ended meanwhile.
  if (stores.slots.released(settled.slot)?.node === node) stores.slots.take(settled.slot);
  return settled;
}

function noteDelivery(
  { stores, now }: Upkeep,
  lease: StoredNode,
  member: ControllerMember | undefined,
): void {
  const { node, slot, leasedAt, letInAt } = lease;
  stores.memory.controllerAnswered();
  queueRoutes(stores, now());
  // It has ended meanwhile: of a lease that was made since then the controller knows nothing yet.
  if (stores.slots.hasLeft(node, slot, leasedAt)) return;
  stores.slots.take(slot);
  stores.nodes.delivered(node, now(), letInAt, member?.deauthorizedAt);
  stores.slots.beginQuarantine(node, slot, freeAt(now()));
}
