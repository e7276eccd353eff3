// Texts that are stored so that only who knows a secret can read them: AES-256-GCM, its key made of the secret by
// HKDF-SHA-256. A secret has 128 random bits: it needs no stretching.

/** Seals texts, and opens them again. */
export interface Seals {
  seal(text: string): Promise<ArrayBuffer>;
  /** Undefined when it was sealed under a secret that is lost. */
  unseal(sealed: ArrayBuffer): Promise<string | undefined>;
}

const VECTOR_BYTES = 12;

/** Seals a text under a secret. */
export async function seal(
  text: string,
  secret: string,
  random: (bytes: Uint8Array) => Uint8Array,
): Promise<ArrayBuffer> {
  const iv = new Uint8Array(random(new Uint8Array(VECTOR_BYTES)));
  const encrypted = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv },
    await keyOf(secret),
    new TextEncoder().encode(text),
  );
  const sealed = new Uint8Array(VECTOR_BYTES + encrypted.byteLength);
  sealed.set(iv);
  sealed.set(new Uint8Array(encrypted), VECTOR_BYTES);
  return sealed.buffer;
}

/** The text that was sealed; undefined when it was under another secret. */
export async function unseal(sealed: ArrayBuffer, secret: string): Promise<string | undefined> {
  const iv = new Uint8Array(sealed, 0, VECTOR_BYTES);
  const encrypted = new Uint8Array(sealed, VECTOR_BYTES);
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await keyOf(secret), encrypted);
    return new TextDecoder().decode(text);
  } catch {
    return undefined;
  }
}

async function keyOf(secret: string) {
  const encode = (text: string) => new TextEncoder().encode(text);
  const material = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: encode("meshboot-seal-v1") },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
