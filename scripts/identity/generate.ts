import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { deriveNodeId } from "../../worker/identity/address.ts";
import { type EnrolmentFields, enrolMessage } from "../../worker/identity/proof.ts";
import type { NodeId } from "../../worker/lease/ids.ts";

/** A genuine ZeroTier identity: `identity` and `secret` are the texts of identity.public and identity.secret. */
export interface GeneratedIdentity {
  readonly node: NodeId;
  readonly identity: string;
  readonly secret: string;
}

/** The DER of a PKCS#8 private key up to its 32 raw bytes (RFC 8410). */
const PKCS8_HEAD = {
  x25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
  ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
};
const SECRET_PATTERN = /^[0-9a-f]{10}:0:[0-9a-f]{128}:([0-9a-f]{128})$/;

/**
 * Makes an identity as `zerotier-idtool generate` does: keys until one makes an address, about 15 tries or
 * 0.4 s. With a `random` of one's own (which gives that many bytes) the result is reproducible.
 */
export async function generateIdentity(
  random: (size: number) => Uint8Array = randomBytes,
): Promise<GeneratedIdentity> {
  const seed = Buffer.from(random(32));
  const signingKey = rawPublicKey(privateKey("ed25519", seed));
  for (;;) {
    const scalar = Buffer.from(random(32));
    const publicKey = new Uint8Array([...rawPublicKey(privateKey("x25519", scalar)), ...signingKey]);
    const node = await deriveNodeId(publicKey);
    if (node === undefined) continue;
    const identity = `${node}:0:${Buffer.from(publicKey).toString("hex")}`;
    return { node, identity, secret: `${identity}:${scalar.toString("hex")}${seed.toString("hex")}` };
  }
}

/** Signs an enrolment with a secret identity. The result is what `zerotier-idtool sign` prints. */
export function signEnrolment(secret: string, fields: EnrolmentFields): string {
  return signMessage(secret, enrolMessage(fields));
}

/**
 * Signs any bytes as `zerotier-idtool sign` does: Ed25519 over the first 32 bytes of their SHA-512, followed
 * by these 32 bytes. Throws when `secret` is no secret identity.
 */
export function signMessage(secret: string, message: Uint8Array): string {
  const keys = SECRET_PATTERN.exec(secret)?.[1];
  if (keys === undefined) throw new Error("not a secret ZeroTier identity (node:0:public:secret)");
  const key = privateKey("ed25519", Buffer.from(keys.slice(64), "hex"));
  const digest = createHash("sha512").update(message).digest().subarray(0, 32);
  return Buffer.concat([sign(null, digest, key), digest]).toString("hex");
}

function privateKey(kind: keyof typeof PKCS8_HEAD, raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD[kind], raw]), format: "der", type: "pkcs8" });
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}
