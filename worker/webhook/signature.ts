// How a call of a webhook is signed: by the Standard Webhooks specification (standardwebhooks.com), for which receivers have
// libraries in a dozen languages. It signs the id of the message too, and has a way for two secrets at a time.

/** Bytes of a secret: the specification wants 24 at least, and so many make base64 without a `=` at its end. */
const SECRET_BYTES = 24;
const PREFIX = "whsec_";

/** A new secret: `whsec_` and 32 characters of base64, which may have `+` and `/`, as the libraries expect it. */
export function makeWebhookSecret(random: (bytes: Uint8Array) => Uint8Array): string {
  return PREFIX + base64(random(new Uint8Array(SECRET_BYTES)));
}

/** What is signed besides the body. */
export interface Message {
  /** The same for the same content, however often it is sent; without a dot. */
  readonly id: string;
  /** When it is sent: Unix seconds. */
  readonly timestamp: number;
}

/** The headers of a call with that body: a signature by each of the secrets, separated by spaces. */
export async function signatureHeaders(
  { id, timestamp }: Message,
  body: string,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = await Promise.all(
    secrets.map(async (secret) => `v1,${base64(await hmac(secret, signed))}`),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

async function hmac(secret: string, signed: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (character) => character.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed)));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
