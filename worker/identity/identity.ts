import { bytesFromHex } from "../base/hex.ts";
import { type NodeId, parseNodeId } from "../lease/ids.ts";

/** A public ZeroTier identity. The key: 32 bytes X25519, then 32 bytes Ed25519. */
export interface Identity {
  readonly node: NodeId;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** How a public identity is written (`identity.public`): node id, key type 0, 64 bytes of keys. */
export const IDENTITY_PATTERN = /^[0-9a-f]{10}:0:[0-9a-f]{128}$/;

/**
 * Reads a public identity; undefined for anything else, secret ones included. Says nothing on whether the
 * node id follows from the key: `deriveNodeId` does.
 */
export function parseIdentity(text: string): Identity | undefined {
  if (!IDENTITY_PATTERN.test(text)) return undefined;
  const node = parseNodeId(text.slice(0, 10));
  return node === undefined ? undefined : { node, publicKey: bytesFromHex(text.slice(13)) };
}
