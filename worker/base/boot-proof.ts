// How a report of a first boot is known for a key's without the key: where the connection cannot be trusted, as on a server whose
// clock is far off, nothing goes over it that lets anybody in.
import { bytesFromHex } from "./hex.ts";

/** Hex digits of the key's SHA-256 by which it is found; the rest of the digest stays between its two sides. */
export const KEY_PREFIX_DIGITS = 16;

/** What is signed stands behind this line, so that it can be taken for nothing else. */
const PURPOSE = "meshboot-first-boot-v1\n";

const encoder = new TextEncoder();

/** A report's proof: which key it is of, and HMAC-SHA256 of the body, keyed with that key's SHA-256 in hex. */
export interface BootProof {
  readonly keyPrefix: string;
  readonly mac: string;
  readonly body: string;
}

/** Whether the proof was made with the key of this SHA-256 (hex). The time taken tells nothing about where the two differ. */
export async function isProvenBy(keyHash: string, { mac, body }: BootProof): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(keyHash), algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, bytesFromHex(mac), encoder.encode(PURPOSE + body));
}
