import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";

const TAG_BYTES = 16;

/** What the platform does with keys takes a thread and so real time; this is the same without: AES-GCM, HKDF and HMAC with SHA-256. */
export function keysAtOnce(): void {
  const material = new WeakMap<CryptoKey, Buffer>();
  const keyOf = (bytes: Buffer): CryptoKey => {
    const key: CryptoKey = { type: "secret", extractable: false, algorithm: { name: "" }, usages: [] };
    material.set(key, bytes);
    return key;
  };
  const bytesOf = (key: CryptoKey): Buffer => {
    const bytes = material.get(key);
    if (bytes === undefined) throw new Error("a key that was not made here");
    return bytes;
  };
  const { subtle } = crypto;
  Object.assign(subtle, {
    importKey: async (_: "raw", bytes: Uint8Array) => keyOf(Buffer.from(bytes)),
    deriveKey: async ({ info }: { info: Uint8Array }, key: CryptoKey) =>
      keyOf(Buffer.from(hkdfSync("sha256", bytesOf(key), "", info, 32))),
    sign: async (_: "HMAC", key: CryptoKey, text: Uint8Array) =>
      exactly(createHmac("sha256", bytesOf(key)).update(text).digest()),
    verify: async (_: "HMAC", key: CryptoKey, mac: Uint8Array, text: Uint8Array) =>
      createHmac("sha256", bytesOf(key)).update(text).digest().equals(mac),
    encrypt: async ({ iv }: { iv: Uint8Array }, key: CryptoKey, text: Uint8Array) => {
      const cipher = createCipheriv("aes-256-gcm", bytesOf(key), iv);
      return exactly(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]));
    },
    decrypt: async ({ iv }: { iv: Uint8Array }, key: CryptoKey, sealed: Uint8Array) => {
      const decipher = createDecipheriv("aes-256-gcm", bytesOf(key), iv);
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const text = sealed.subarray(0, sealed.length - TAG_BYTES);
      return exactly(Buffer.concat([decipher.update(text), decipher.final()]));
    },
  });
}

/** An array buffer of these bytes alone. */
function exactly(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
