import { bytesFromHex } from "../base/hex.ts";
import { MINUTE_MS } from "../base/time-units.ts";

/** What a node signs when it enrols. All fields are parsed already: none holds a line feed. */
export interface EnrolmentFields {
  /** The Worker's host as in the `Host` header, so that a proof made for one deployment is none for another. */
  readonly host: string;
  readonly node: string;
  readonly name: string;
  readonly machineId: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** How far a node's clock may be off: a first boot has no NTP yet, a replay should not work for long. */
const TIMELY_MS = 15 * MINUTE_MS;
const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** How a signature is written, as `zerotier-idtool sign` prints it: 64 + 32 bytes in hex. */
export const SIGNATURE_PATTERN = /^[0-9a-f]{192}$/;

/** The signed bytes: six lines, each ended by one line feed. */
export function enrolMessage(fields: EnrolmentFields): Uint8Array<ArrayBuffer> {
  const { host, node, name, machineId, timestamp } = fields;
  const lines = ["meshboot-enroll-v1", host, node, name, machineId, String(timestamp)];
  return new Uint8Array(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}

/**
 * Whether `signatureHex` is `zerotier-idtool`'s signature of the message by the identity with that public key
 * (64 bytes): Ed25519 over the first 32 bytes of the message's SHA-512, followed by these 32 bytes.
 */
export async function verifySignature(
  publicKey: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  signatureHex: string,
): Promise<boolean> {
  if (!SIGNATURE_PATTERN.test(signatureHex)) return false;
  const signature = bytesFromHex(signatureHex);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", message));
  const digest = hash.slice(0, DIGEST_BYTES);
  if (!digest.every((byte, i) => byte === signature[SIGNATURE_BYTES + i])) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey.slice(32), "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature.slice(0, SIGNATURE_BYTES), digest);
  } catch {
    // A runtime may refuse bytes that are no point of the curve when it imports them: no such key signed.
    return false;
  }
}

/** Whether the timestamp (Unix seconds) is at most 15 minutes from `now` (ms since 1970). */
export function isTimely(timestamp: number, now: number): boolean {
  return Math.abs(timestamp * 1000 - now) <= TIMELY_MS;
}
