import { holdsSecret } from "../base/redact.ts";
import { z } from "./openapi.ts";

/** What the operator writes beside a thing that he makes. `listed`: in which list it is seen. */
export function note(listed: string) {
  return z
    .string()
    .max(200)
    .refine((text) => !holdsSecret(text), `leave keys and tokens out: whoever lists ${listed} sees it`)
    .optional();
}
