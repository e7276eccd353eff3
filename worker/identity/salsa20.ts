/**
 * Salsa20/20 as ZeroTier's address derivation uses it: block after block under one running counter, XORed in
 * place. 160,000 blocks a derivation, so the rounds work on local 32-bit integers and allocate nothing.
 */
export class Salsa20 {
  readonly #key: Uint32Array;
  readonly #iv0: number;
  readonly #iv1: number;
  #counter = 0;

  /** `key`: 8 words, `iv`: 2 words, both little-endian. Good for 2^32 blocks. */
  constructor(key: Uint32Array, iv: Uint32Array) {
    this.#key = key.slice(0, 8);
    this.#iv0 = iv[0] ?? 0;
    this.#iv1 = iv[1] ?? 0;
  }

  /** Encrypts the 16 little-endian words from `at` in place. */
  encrypt(words: Uint32Array, at: number): void {
    const key = this.#key;
    const k0 = key[0] ?? 0;
    const k1 = key[1] ?? 0;
    const k2 = key[2] ?? 0;
    const k3 = key[3] ?? 0;
    const k4 = key[4] ?? 0;
    const k5 = key[5] ?? 0;
    const k6 = key[6] ?? 0;
    const k7 = key[7] ?? 0;
    const counter = this.#counter++;
    let x0 = 0x61707865;
    let x1 = k0 | 0;
    let x2 = k1 | 0;
    let x3 = k2 | 0;
    let x4 = k3 | 0;
    let x5 = 0x3320646e;
    let x6 = this.#iv0 | 0;
    let x7 = this.#iv1 | 0;
    let x8 = counter | 0;
    let x9 = 0;
    let x10 = 0x79622d32;
    let x11 = k4 | 0;
    let x12 = k5 | 0;
    let x13 = k6 | 0;
    let x14 = k7 | 0;
    let x15 = 0x6b206574;
    let t = 0;
    for (let round = 0; round < 20; round += 2) {
      t = (x0 + x12) | 0;
      x4 ^= (t << 7) | (t >>> 25);
      t = (x4 + x0) | 0;
      x8 ^= (t << 9) | (t >>> 23);
      t = (x8 + x4) | 0;
      x12 ^= (t << 13) | (t >>> 19);
      t = (x12 + x8) | 0;
      x0 ^= (t << 18) | (t >>> 14);
      t = (x5 + x1) | 0;
      x9 ^= (t << 7) | (t >>> 25);
      t = (x9 + x5) | 0;
      x13 ^= (t << 9) | (t >>> 23);
      t = (x13 + x9) | 0;
      x1 ^= (t << 13) | (t >>> 19);
      t = (x1 + x13) | 0;
      x5 ^= (t << 18) | (t >>> 14);
      t = (x10 + x6) | 0;
      x14 ^= (t << 7) | (t >>> 25);
      t = (x14 + x10) | 0;
      x2 ^= (t << 9) | (t >>> 23);
      t = (x2 + x14) | 0;
      x6 ^= (t << 13) | (t >>> 19);
      t = (x6 + x2) | 0;
      x10 ^= (t << 18) | (t >>> 14);
      t = (x15 + x11) | 0;
      x3 ^= (t << 7) | (t >>> 25);
      t = (x3 + x15) | 0;
      x7 ^= (t << 9) | (t >>> 23);
      t = (x7 + x3) | 0;
      x11 ^= (t << 13) | (t >>> 19);
      t = (x11 + x7) | 0;
      x15 ^= (t << 18) | (t >>> 14);
      t = (x0 + x3) | 0;
      x1 ^= (t << 7) | (t >>> 25);
      t = (x1 + x0) | 0;
      x2 ^= (t << 9) | (t >>> 23);
      t = (x2 + x1) | 0;
      x3 ^= (t << 13) | (t >>> 19);
      t = (x3 + x2) | 0;
      x0 ^= (t << 18) | (t >>> 14);
      t = (x5 + x4) | 0;
      x6 ^= (t << 7) | (t >>> 25);
      t = (x6 + x5) | 0;
      x7 ^= (t << 9) | (t >>> 23);
      t = (x7 + x6) | 0;
      x4 ^= (t << 13) | (t >>> 19);
      t = (x4 + x7) | 0;
      x5 ^= (t << 18) | (t >>> 14);
      t = (x10 + x9) | 0;
      x11 ^= (t << 7) | (t >>> 25);
      t = (x11 + x10) | 0;
      x8 ^= (t << 9) | (t >>> 23);
      t = (x8 + x11) | 0;
      x9 ^= (t << 13) | (t >>> 19);
      t = (x9 + x8) | 0;
      x10 ^= (t << 18) | (t >>> 14);
      t = (x15 + x14) | 0;
      x12 ^= (t << 7) | (t >>> 25);
      t = (x12 + x15) | 0;
      x13 ^= (t << 9) | (t >>> 23);
      t = (x13 + x12) | 0;
      x14 ^= (t << 13) | (t >>> 19);
      t = (x14 + x13) | 0;
      x15 ^= (t << 18) | (t >>> 14);
    }
    words[at] = (words[at] ?? 0) ^ (x0 + 0x61707865);
    words[at + 1] = (words[at + 1] ?? 0) ^ (x1 + k0);
    words[at + 2] = (words[at + 2] ?? 0) ^ (x2 + k1);
    words[at + 3] = (words[at + 3] ?? 0) ^ (x3 + k2);
    words[at + 4] = (words[at + 4] ?? 0) ^ (x4 + k3);
    words[at + 5] = (words[at + 5] ?? 0) ^ (x5 + 0x3320646e);
    words[at + 6] = (words[at + 6] ?? 0) ^ (x6 + this.#iv0);
    words[at + 7] = (words[at + 7] ?? 0) ^ (x7 + this.#iv1);
    words[at + 8] = (words[at + 8] ?? 0) ^ (x8 + counter);
    words[at + 9] = (words[at + 9] ?? 0) ^ x9;
    words[at + 10] = (words[at + 10] ?? 0) ^ (x10 + 0x79622d32);
    words[at + 11] = (words[at + 11] ?? 0) ^ (x11 + k4);
    words[at + 12] = (words[at + 12] ?? 0) ^ (x12 + k5);
    words[at + 13] = (words[at + 13] ?? 0) ^ (x13 + k6);
    words[at + 14] = (words[at + 14] ?? 0) ^ (x14 + k7);
    words[at + 15] = (words[at + 15] ?? 0) ^ (x15 + 0x6b206574);
  }
}
