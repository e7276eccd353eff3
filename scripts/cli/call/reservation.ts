import { type ReservationView, reservationsSchema } from "../../../worker/schema/reservation.ts";
import { allPages } from "./pages.ts";
import type { Worker } from "./worker.ts";

/** The reservation of that name; undefined when it is not reserved. */
export async function reservationOf(worker: Worker, name: string): Promise<ReservationView | undefined> {
  const { items } = await allPages(worker, "/v1/reservations", reservationsSchema, {});
  return items.find((reservation) => reservation.name === name);
}
