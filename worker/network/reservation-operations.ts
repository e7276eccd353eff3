// Names that keep their slots: a database's address can be written down before its server is ordered, and stays when that is
// ordered anew.
import { formatPrefix } from "../address/prefix.ts";
import type { Refusal } from "../base/refusal.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Operator } from "../lease/deed.ts";
import { dockerGateway, dockerSubnet, zerotierAddressWithPrefix } from "../lease/pool.ts";
import { NOBODY, takeSlot, takeWantedSlot } from "../reconcile/take-slot.ts";
import type { ReservationEnd, ReservationView } from "../schema/reservation.ts";
import type { Reservation } from "../store/reservation-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";
import type { NetworkContext } from "./network-context.ts";

/** What the operator wants to keep; without a slot, one is chosen. */
export interface WantedReservation {
  readonly name: string;
  readonly slot: number | undefined;
}

/** A reservation, and whether it was made just now. */
export interface Reserved {
  readonly reservation: ReservationView;
  readonly created: boolean;
}

/** Keeps a slot for the name: that of the node which has the name, or a free one, as a server would get. */
export async function reserve(
  net: NetworkContext,
  wanted: WantedReservation,
  by: Operator,
): Promise<Result<Reserved, Refusal>> {
  const { stores, now } = net;
  if (needsSlot(stores, wanted)) {
    // What others hold in the network must be known, as for a lease.
    stores.writePause.prove();
    const notReady = await net.readiness.refusal();
    if (notReady !== undefined) return err(notReady);
  }
  return stores.transaction(() => {
    const known = stores.reservations.byName(wanted.name);
    const slot = slotFor(net, known, wanted);
    if (!slot.ok) return slot;
    const reservation = known ?? { name: wanted.name, slot: slot.value, createdAt: now() };
    if (known === undefined) add(stores, reservation, now(), by);
    return ok({ reservation: reservationView(net, reservation), created: known === undefined });
  });
}

function needsSlot({ reservations, names }: Stores, { name }: WantedReservation): boolean {
  return reservations.byName(name) === undefined && names.holder(name) === undefined;
}

function slotFor(
  { stores, config: { pool }, now }: NetworkContext,
  known: Reservation | undefined,
  { name, slot: wanted }: WantedReservation,
): Result<number, Refusal> {
  const holder = stores.names.holder(name);
  const has = known?.slot ?? (holder === undefined ? undefined : stores.nodes.get(holder)?.slot);
  if (has !== undefined) {
    if (wanted === undefined || wanted === has) return ok(has);
    if (holder === undefined) return err({ problem: "name-reserved", name, slot: has });
    return err({ problem: "slot-taken", slot: wanted, hold: { by: "other-slot", node: holder, has } });
  }
  if (wanted !== undefined) return takeWantedSlot(stores, pool, NOBODY, wanted, now());
  const slot = takeSlot(stores, pool, NOBODY, now());
  return slot === undefined ? err({ problem: "pool-exhausted" }) : ok(slot);
}

/** Within a transaction: the reservation of the node's name and slot, made if need be. */
export function reservationOf(
  stores: Stores,
  { name, slot }: Pick<StoredNode, "name" | "slot">,
  now: number,
  by: Operator,
): Reservation {
  const known = stores.reservations.bySlot(slot);
  if (known !== undefined) return known;
  const reservation = { name, slot, createdAt: now };
  add(stores, reservation, now, by);
  return reservation;
}

function add({ reservations, events }: Stores, reservation: Reservation, now: number, by: Operator): void {
  reservations.add(reservation);
  events.add(now, { by, action: "reserved" }, reservation);
}

/** Reservations in the order of their names, at most `limit`, those after the name. */
export function listReservations(
  net: NetworkContext,
  limit: number,
  after: string | undefined,
): ReservationView[] {
  return net.stores.reservations.list(limit, after).map((reservation) => reservationView(net, reservation));
}

/** What would end with the reservation. */
export function previewDrop(net: NetworkContext, name: string): Result<ReservationEnd, Refusal> {
  const { reservations, keys } = net.stores;
  const reservation = reservations.byName(name);
  if (reservation === undefined)
    return err({ problem: "not-found", missing: { what: "reservation", id: name } });
  return ok({ ...reservationView(net, reservation), keys: keys.goodReserved(reservation.slot) });
}

/** Gives up a reservation, and takes back the keys that were made for it; a node that has the name keeps its lease. */
export function dropReservation(net: NetworkContext, name: string, by: Operator): Result<true, Refusal> {
  const { stores, now } = net;
  return stores.transaction(() => {
    const reservation = stores.reservations.byName(name);
    if (reservation === undefined)
      return err({ problem: "not-found", missing: { what: "reservation", id: name } });
    dropReservationOf(stores, reservation.slot, now(), by);
    return ok(true);
  });
}

/** Within a transaction: the same for the slot, if it is reserved. */
export function dropReservationOf(
  { reservations, keys, userData, events }: Stores,
  slot: number,
  now: number,
  by: Operator,
): void {
  const reservation = reservations.bySlot(slot);
  if (reservation === undefined) return;
  reservations.remove(slot);
  events.add(now, { by, action: "reservation-dropped" }, reservation);
  for (const { id, wasGood } of keys.revokeReserved(slot, now)) {
    userData.forget(id);
    if (wasGood) events.add(now, { by, action: "key-revoked", key: id, why: "with-its-reservation" });
  }
}

/** A reservation as the operator sees it, with the addresses that servers under the name have. */
export function reservationView(
  { stores, config: { pool } }: NetworkContext,
  { name, slot, createdAt }: Reservation,
): ReservationView {
  return {
    name,
    slot,
    node: stores.slots.holder(slot) ?? null,
    zerotier: { ipv4: zerotierAddressWithPrefix(pool, slot) },
    docker: {
      ipv4: { subnet: formatPrefix(dockerSubnet(pool, slot)), gateway: dockerGateway(pool, slot) },
    },
    createdAt: new Date(createdAt).toISOString(),
  };
}
