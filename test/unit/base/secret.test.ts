import { describe, expect, it } from "vitest";
import { equalDigests, makeSecret, secretKind, sha256Hex } from "../../../worker/base/secret.ts";

describe("secrets", () => {
  it("are a prefix and 16 random bytes in base64url", () => {
    expect(makeSecret("mbk", (bytes) => bytes.fill(255))).toBe(`mbk_${"_".repeat(21)}w`);
    expect(makeSecret("mbn", (bytes) => bytes.fill(0))).toBe("mbn_AAAAAAAAAAAAAAAAAAAAAA");
    const made = makeSecret("mbk", (bytes) => crypto.getRandomValues(bytes));
    expect(secretKind(made)).toBe("mbk");
  });

  it("are told apart by their form", () => {
    expect(secretKind("mba_AAAAAAAAAAAAAAAAAAAAAAAAAAAA")).toBe("mba");
    expect(secretKind("mbk_AAAAAAAAAAAAAAAAAAAAA")).toBeUndefined();
    expect(secretKind("mbk_AAAAAAAAAAAAAAAAAAAAAAA")).toBeUndefined();
    expect(secretKind("mbx_AAAAAAAAAAAAAAAAAAAAAA")).toBeUndefined();
    expect(secretKind("")).toBeUndefined();
  });

  it("are kept as SHA-256", async () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(await sha256Hex("abc")).toBe(abc);
    expect(equalDigests(abc, abc)).toBe(true);
    expect(equalDigests(abc, abc.replace("b", "c"))).toBe(false);
    expect(equalDigests(abc, abc.slice(1))).toBe(false);
  });
});
