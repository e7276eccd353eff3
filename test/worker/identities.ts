import { bytesFromHex, hexFromBytes } from "../../worker/base/hex.ts";
import { enrolMessage } from "../../worker/identity/proof.ts";
import { type NodeId, parseNodeId } from "../../worker/lease/ids.ts";
import vectors from "../unit/identity/vectors.json";

/** An identity that the real zerotier-idtool made; it is public, secret and all. */
export interface Identity {
  readonly node: NodeId;
  readonly identity: string;
  readonly secret: string;
}

/** Twelve of them. */
export const IDENTITIES: readonly Identity[] = vectors.items.map(({ node, identity, secret }) => {
  const id = parseNodeId(node);
  if (id === undefined) throw new Error(`${node} is no node id`);
  return { node: id, identity, secret };
});

/** One of them; throws when there are not so many. */
export function identity(number: number): Identity {
  const found = IDENTITIES[number];
  if (found === undefined) throw new Error(`there are ${IDENTITIES.length} identities`);
  return found;
}

/** The DER of a PKCS#8 Ed25519 key up to its 32 raw bytes (RFC 8410). */
const PKCS8_HEAD = bytesFromHex("302e020100300506032b657004220420");

/** Signs as `zerotier-idtool sign` does. */
export async function sign(
  secret: string,
  fields: { host: string; node: string; name: string; machineId: string; timestamp: number },
): Promise<string> {
  const seed = bytesFromHex(secret.slice(-64));
  const key = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array([...PKCS8_HEAD, ...seed]),
    "Ed25519",
    false,
    ["sign"],
  );
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", enrolMessage(fields)));
  const digest = hash.slice(0, 32);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, digest));
  return hexFromBytes(signature) + hexFromBytes(digest);
}
