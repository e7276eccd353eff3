import type { Seals } from "../base/seal.ts";
import type { Webhook } from "../store/webhook-store.ts";

// A secret has to sign, so that no hash of it will do, and is kept sealed.

/** Why a webhook sends nothing whose secret was sealed before both of the settings' tokens became other ones. */
export const SEALED =
  "its secret was sealed before ADMIN_TOKEN and ZEROTIER_TOKEN were changed at once, and cannot be read: make a new one with POST /v1/webhooks/:id/rotate, and give it to the receiver";

/** The secrets that sign a webhook's calls at that time (ms since 1970), the newest first; none when it cannot be read. */
export async function secretsOf(
  { sealed, earlier }: Pick<Webhook, "sealed" | "earlier">,
  seals: Seals,
  now: number,
): Promise<string[]> {
  const newest = await seals.unseal(sealed);
  if (newest === undefined) return [];
  if (earlier === null || earlier.until <= now) return [newest];
  const before = await seals.unseal(earlier.sealed);
  return before === undefined ? [newest] : [newest, before];
}
