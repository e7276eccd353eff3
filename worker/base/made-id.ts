import { hexFromBytes } from "./hex.ts";

/** A new id for what the operator makes: 64 random bits as 16 hex digits. */
export function makeId(random: (bytes: Uint8Array) => Uint8Array): string {
  return hexFromBytes(random(new Uint8Array(8)));
}
