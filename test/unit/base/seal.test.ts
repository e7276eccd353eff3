import { expect, test } from "vitest";
import { seal, unseal } from "../../../worker/base/seal.ts";

const SECRET = "mba_operator-of-the-tests-0123";
const random = (bytes: Uint8Array): Uint8Array => crypto.getRandomValues(bytes);

test("what is sealed is read again under the same secret, and under no other", async () => {
  const sealed = await seal("mbk_Zoë", SECRET, random);
  expect(await unseal(sealed, SECRET)).toBe("mbk_Zoë");
  expect(await unseal(sealed, `${SECRET}4`)).toBeUndefined();
});

test("one text is sealed differently each time, and is not to be seen in it", async () => {
  const text = "mbk_AbCdEfGhIjKlMnOpQrSt-_";
  const [one, other] = await Promise.all([seal(text, SECRET, random), seal(text, SECRET, random)]);
  expect(Buffer.from(one).equals(Buffer.from(other))).toBe(false);
  expect(Buffer.from(one).includes("mbk_")).toBe(false);
});

test("what was changed is not read, and neither is what was never sealed", async () => {
  const sealed = await seal("mbk_", SECRET, random);
  const bytes = new Uint8Array(sealed);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  expect(await unseal(sealed, SECRET)).toBeUndefined();
  expect(await unseal(new ArrayBuffer(40), SECRET)).toBeUndefined();
});
