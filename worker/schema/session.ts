import { SCOPES } from "../base/scope.ts";
import { z } from "./openapi.ts";

const time = z.iso.datetime();

/** Somebody who is signed in, without the secret. */
export const sessionSchema = z
  .object({
    id: z.string(),
    token: z.string().openapi({
      description:
        "The id of the admin token that it was begun with, and whose scopes it has; `root` for the secret ADMIN_TOKEN. It ends with that token. Of one that was begun by Cloudflare Access, the e-mail.",
    }),
    address: z.string().nullable().openapi({
      description: "Where it was begun from, as this Worker saw it.",
      example: "192.0.2.7",
    }),
    createdAt: time,
    expiresAt: time,
  })
  .openapi("Session");

export type SessionView = z.output<typeof sessionSchema>;

/** What the call carries. */
export const currentSessionSchema = sessionSchema
  .pick({ token: true })
  .extend({
    id: z.string().nullable().openapi({ description: "The session's; null with an admin token." }),
    scopes: z.array(z.enum(SCOPES)),
    expiresAt: time.nullable().openapi({ description: "The session's end; null with an admin token." }),
  })
  .openapi("CurrentSession");

/** A session just begun: the only time that its secret is shown. */
export const newSessionSchema = sessionSchema
  .extend({ session: z.string().openapi({ example: "mbs_q3l2sVdZ0nQmFh4m1yXv7A" }) })
  .openapi("NewSession");

export type NewSession = z.output<typeof newSessionSchema>;

export const sessionsSchema = z
  .object({ items: z.array(sessionSchema), next: z.string().nullable() })
  .openapi("Sessions");
