import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveNodeId } from "../../../worker/identity/address.ts";
import { type Identity, parseIdentity } from "../../../worker/identity/identity.ts";
import { enrolMessage, isTimely, verifySignature } from "../../../worker/identity/proof.ts";
import vectors from "./vectors.json" with { type: "json" };

function identityOf(text: string): Identity {
  const identity = parseIdentity(text);
  if (identity === undefined) throw new Error(`${text} does not parse`);
  return identity;
}

/** The text with the hex digit at `at` changed. */
function altered(hex: string, at: number): string {
  return hex.slice(0, at) + (hex[at] === "0" ? "1" : "0") + hex.slice(at + 1);
}

describe.each(vectors.items)("vector $node, made by zerotier-idtool", (item) => {
  const identity = identityOf(item.identity);

  test("the address follows from the public key, and from no other", async () => {
    expect(identity.node).toBe(item.node);
    expect(await deriveNodeId(identity.publicKey)).toBe(item.node);
    const other = identity.publicKey.slice();
    other[0] = (other[0] ?? 0) ^ 1;
    expect(await deriveNodeId(other)).not.toBe(item.node);
  });

  test("the message is the signed one", () => {
    expect(new TextDecoder().decode(enrolMessage(item))).toBe(item.message);
  });

  test("the signature verifies; altered ones and those of altered messages do not", async () => {
    const message = enrolMessage(item);
    expect(await verifySignature(identity.publicKey, message, item.signature)).toBe(true);
    for (const at of [0, 63, 64, 127, 128, 191]) {
      expect(await verifySignature(identity.publicKey, message, altered(item.signature, at))).toBe(false);
    }
    const changes = [
      { name: `${item.name}x` },
      { host: "other.example.com" },
      { timestamp: item.timestamp + 1 },
    ];
    for (const change of [...changes, { node: "0000000001" }, { machineId: "0".repeat(64) }]) {
      const changed = enrolMessage({ ...item, ...change });
      expect(await verifySignature(identity.publicKey, changed, item.signature)).toBe(false);
    }
  });

  test("the signature is nobody else's", async () => {
    const other = vectors.items.find(({ node }) => node !== item.node);
    if (other === undefined) throw new Error("one vector only");
    const { publicKey } = identityOf(other.identity);
    expect(await verifySignature(publicKey, enrolMessage(item), item.signature)).toBe(false);
  });
});

test("a signature that is none is refused without an error, also under a key that is none", async () => {
  const [item] = vectors.items;
  if (item === undefined) throw new Error("no vector");
  const { publicKey } = identityOf(item.identity);
  const message = enrolMessage(item);
  for (const junk of [
    "",
    "00",
    item.signature.toUpperCase(),
    `${item.signature}\n`,
    item.signature.slice(0, 128),
  ]) {
    expect(await verifySignature(publicKey, message, junk)).toBe(false);
  }
  for (const byte of [0, 1, 0xff]) {
    expect(await verifySignature(new Uint8Array(64).fill(byte), message, item.signature)).toBe(false);
  }
  expect(await verifySignature(new Uint8Array(10), message, item.signature)).toBe(false);
});

test("an identity with anything before, after or in it is refused, and so is a secret one", () => {
  const [item] = vectors.items;
  if (item === undefined) throw new Error("no vector");
  const { identity, secret } = item;
  for (const text of [
    secret,
    ` ${identity}`,
    `${identity}\n`,
    identity.toUpperCase(),
    identity.replace(":0:", ":1:"),
  ]) {
    expect(parseIdentity(text)).toBeUndefined();
  }
  expect(parseIdentity(`0000000000${identity.slice(10)}`)).toBeUndefined();
  expect(parseIdentity(`ff00000001${identity.slice(10)}`)).toBeUndefined();
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:]{0,160}$/)),
      (text) => parseIdentity(text) === undefined,
    ),
  );
});

test("a timestamp is timely up to 15 minutes either way", () => {
  const now = 1_790_000_000_000;
  for (const off of [-900, 0, 900]) expect(isTimely(1_790_000_000 + off, now)).toBe(true);
  for (const off of [-901, 901]) expect(isTimely(1_790_000_000 + off, now)).toBe(false);
  expect(isTimely(Number.NaN, now)).toBe(false);
});

test("a key whose digest is not below ZeroTier's threshold makes no address", async () => {
  const derived = await Promise.all(
    vectors.items.slice(1, 4).map(({ identity }) => {
      const key = identityOf(identity).publicKey.slice();
      key[0] = (key[0] ?? 0) ^ 1;
      return deriveNodeId(key);
    }),
  );
  expect(derived).toEqual([undefined, undefined, undefined]);
});
