import { hexFromBytes } from "../base/hex.ts";
import { type NodeId, parseNodeId } from "../lease/ids.ts";
import { Salsa20 } from "./salsa20.ts";

/** Size of the memory that the derivation fills and walks through: 2 MiB (ZeroTierOne, node/Identity.cpp). */
const MEMORY_WORDS = 2 ** 21 / 4;
const BLOCK_WORDS = 16;
/** A key makes an address only when the first byte of its digest is below this: one key in 15 does. */
const HASHCASH_BELOW = 17;

/**
 * The node id that follows from a public key (64 bytes), by ZeroTier's memory-hard derivation. Undefined when
 * the key makes no address at all. Takes about 28 ms and 2 MiB: run it where there is CPU time for it.
 */
export async function deriveNodeId(publicKey: Uint8Array<ArrayBuffer>): Promise<NodeId | undefined> {
  const digest = wordsFromBytes(new Uint8Array(await crypto.subtle.digest("SHA-512", publicKey)));
  stir(digest);
  const bytes = bytesFromWords(digest);
  const [first = HASHCASH_BELOW] = bytes;
  return first < HASHCASH_BELOW ? parseNodeId(hexFromBytes(bytes.subarray(59))) : undefined;
}

/** Fills the memory from the digest, then swaps 64-bit words between both, encrypting the digest each time. */
function stir(digest: Uint32Array): void {
  const cipher = new Salsa20(digest.slice(0, 8), digest.slice(8, 10));
  const memory = new Uint32Array(MEMORY_WORDS);
  cipher.encrypt(memory, 0);
  for (let at = BLOCK_WORDS; at < MEMORY_WORDS; at += BLOCK_WORDS) {
    memory.copyWithin(at, at - BLOCK_WORDS, at);
    cipher.encrypt(memory, at);
  }
  for (let at = 0; at < MEMORY_WORDS; at += 4) {
    const own = 2 * (lowBits(memory, at) & 7);
    const other = 2 * (lowBits(memory, at + 2) & 0x3ffff);
    swap(digest, own, memory, other);
    swap(digest, own + 1, memory, other + 1);
    cipher.encrypt(digest, 0);
  }
}

/** The low 32 bits of the big-endian 64-bit number that lies at two little-endian words. */
function lowBits(words: Uint32Array, at: number): number {
  const word = words[at + 1] ?? 0;
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function swap(a: Uint32Array, at: number, b: Uint32Array, bt: number): void {
  const kept = a[at] ?? 0;
  a[at] = b[bt] ?? 0;
  b[bt] = kept;
}

/** By DataView, so that the result does not depend on the machine's own byte order. */
function wordsFromBytes(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

function bytesFromWords(words: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  return new Uint8Array(view.buffer);
}
