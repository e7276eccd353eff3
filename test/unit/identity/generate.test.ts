import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { generateIdentity, signEnrolment, signMessage } from "../../../scripts/identity/generate.ts";
import { deriveNodeId } from "../../../worker/identity/address.ts";
import { parseIdentity } from "../../../worker/identity/identity.ts";
import { enrolMessage, verifySignature } from "../../../worker/identity/proof.ts";
import vectors from "./vectors.json" with { type: "json" };

test("signs exactly as zerotier-idtool did", () => {
  for (const item of vectors.items) expect(signEnrolment(item.secret, item)).toBe(item.signature);
});

test("makes a genuine identity, whose signature verifies; the same randomness makes the same one", async () => {
  const made = await generateIdentity(seeded("a"));
  expect(await generateIdentity(seeded("a"))).toEqual(made);
  expect(made.secret.startsWith(`${made.identity}:`)).toBe(true);
  expect(made.secret).toHaveLength(270);
  const parsed = parseIdentity(made.identity);
  if (parsed === undefined) throw new Error("the identity does not parse");
  expect(await deriveNodeId(parsed.publicKey)).toBe(made.node);
  const fields = { host: "h", node: made.node, name: "web1", machineId: "0".repeat(64), timestamp: 1 };
  const signature = signEnrolment(made.secret, fields);
  expect(await verifySignature(parsed.publicKey, enrolMessage(fields), signature)).toBe(true);
});

test("refuses to sign with what is no secret identity", () => {
  expect(() => signMessage(vectors.items[0]?.identity ?? "", new Uint8Array())).toThrow(/secret/);
});

/** Reproducible bytes. */
function seeded(seed: string): (size: number) => Uint8Array {
  let count = 0;
  return (size) => createHash("sha256").update(`${seed}${count++}`).digest().subarray(0, size);
}
