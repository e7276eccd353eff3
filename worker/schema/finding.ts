import { LIMITS } from "../config/limits.ts";
import { z } from "./openapi.ts";

const text = z.string().max(LIMITS.findingCharacters);

const link = z
  .string()
  .regex(/^[a-z0-9]{1,32}$/)
  .openapi({ description: "Which link of the chain, as in docs/doctor.md.", example: "sysctls" });

/** What `meshboot doctor` found at a link that is not as it should be, or is worth a note. */
export const findingSchema = z
  .object({
    link,
    level: z.enum(["note", "warning", "fault"]).openapi({ example: "fault" }),
    saw: text.openapi({ example: "net/ipv4/ip_forward=0" }),
    expected: text.openapi({ example: "1" }),
    remedy: text.openapi({ example: "meshboot up" }),
  })
  .openapi("Finding");

/** What a server's doctor found, and when it said so. */
export const findingsSchema = z.object({ at: z.iso.datetime(), items: z.array(findingSchema) });

/** The worst of what a server's doctor found: a fault, or a warning. */
export const worstFindingSchema = z.object({
  link: z.string().openapi({ example: "sysctls" }),
  level: z.enum(["warning", "fault"]),
  at: z.iso.datetime(),
});
