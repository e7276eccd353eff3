// Tokens and keys: made from 128 random bits, kept only as SHA-256, compared in constant time.
import { hexFromBytes } from "./hex.ts";

/** What a secret is for: enrolment key, node token, admin token, session. */
export type SecretKind = "mbk" | "mbn" | "mba" | "mbs";

const encoder = new TextEncoder();

/** How many characters the operator may give an admin token after its prefix; so that a header's length has a bound. */
export const ADMIN_TOKEN_MOST = 200;

const FORMS = {
  mbk: /^mbk_[A-Za-z0-9_-]{22}$/,
  mbn: /^mbn_[A-Za-z0-9_-]{22}$/,
  mbs: /^mbs_[A-Za-z0-9_-]{22}$/,
  // The operator chooses it: it may be longer.
  mba: new RegExp(`^mba_[A-Za-z0-9_-]{22,${ADMIN_TOKEN_MOST}}$`),
} as const satisfies Record<SecretKind, RegExp>;

/** A new secret of a kind: its prefix and 16 random bytes in base64url (22 characters). */
export function makeSecret(kind: SecretKind, random: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = random(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return `${kind}_${text}`;
}

/** The kind of a text that has the form of a secret. */
export function secretKind(text: string): SecretKind | undefined {
  if (FORMS.mbk.test(text)) return "mbk";
  if (FORMS.mbn.test(text)) return "mbn";
  if (FORMS.mba.test(text)) return "mba";
  if (FORMS.mbs.test(text)) return "mbs";
  return undefined;
}

/** SHA-256 in lower-case hex: what is stored of a secret (128 random bits need no salt). */
export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text));
  return hexFromBytes(new Uint8Array(digest));
}

/** Whether two digests of one length are equal; the time taken tells nothing about where they differ. */
export function equalDigests(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}
