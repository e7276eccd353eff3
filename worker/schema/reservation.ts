import { nodeName } from "./names.ts";
import { z } from "./openapi.ts";

/** A name to be kept, with its slot. */
export const wantedReservationSchema = z
  .strictObject({
    name: nodeName,
    slot: z
      .number()
      .int()
      .min(1)
      .max(2 ** 24)
      .optional()
      .openapi({
        description: "Left out: that of the node which has the name, or a free one.",
      }),
  })
  .openapi("WantedReservation");

export const reservationSchema = z
  .object({
    name: z.string().openapi({ example: "db1" }),
    slot: z.number().int().openapi({ example: 7 }),
    node: z.string().nullable().openapi({ description: "The node that has it now." }),
    zerotier: z.object({ ipv4: z.string().openapi({ example: "10.147.17.7/24" }) }),
    docker: z.object({
      ipv4: z.object({
        subnet: z.string().openapi({ example: "172.28.7.0/24" }),
        gateway: z.string().openapi({ example: "172.28.7.1" }),
      }),
    }),
    createdAt: z.iso.datetime(),
  })
  .openapi("Reservation", {
    description:
      "A name that keeps its slot. The IPv6 addresses are not kept: they follow from the server's ZeroTier identity.",
  });

/** A reservation as answers show it. */
export type ReservationView = z.output<typeof reservationSchema>;

/** What ends with a reservation. */
export const reservationEndSchema = reservationSchema
  .extend({
    keys: z
      .array(z.string())
      .openapi({ description: "The ids of keys that were made for it, and are taken back with it." }),
  })
  .openapi("ReservationEnd");

export type ReservationEnd = z.output<typeof reservationEndSchema>;

export const reservationsSchema = z
  .object({ items: z.array(reservationSchema), next: z.string().nullable() })
  .openapi("Reservations");
