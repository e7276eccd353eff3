import { unseal } from "../base/seal.ts";
import type { Webhook } from "../store/webhook-store.ts";

// A secret has to sign, so that no hash of it will do. It is sealed under the admin token, which stands in the Worker's settings
// and nowhere in storage. A key made of random bytes that lie beside it in the same storage would protect it from nobody who reads
// that; the price is that another admin token makes the secrets of all webhooks useless, until each is made anew by a call.

/** Why a webhook sends nothing whose secret was sealed under another admin token. */
export const SEALED =
  "its secret was sealed with an earlier admin token and cannot be read: make a new one with POST /v1/webhooks/:id/rotate, and give it to the receiver";

/** The secrets that sign a webhook's calls at that time (ms since 1970), the newest first; none when it cannot be read. */
export async function secretsOf(
  { sealed, earlier }: Pick<Webhook, "sealed" | "earlier">,
  adminToken: string,
  now: number,
): Promise<string[]> {
  const newest = await unseal(sealed, adminToken);
  if (newest === undefined) return [];
  if (earlier === null || earlier.until <= now) return [newest];
  const before = await unseal(earlier.sealed, adminToken);
  return before === undefined ? [newest] : [newest, before];
}
