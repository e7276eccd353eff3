import { deriveNodeId } from "../../worker/identity/address.ts";
import { parseIdentity } from "../../worker/identity/identity.ts";
import { enrolMessage, verifySignature } from "../../worker/identity/proof.ts";
import { generateIdentity, signEnrolment } from "../identity/generate.ts";
import { median } from "./load.ts";

const ROUNDS = 40;

/** The time in ms, as a median, that checking one enrolment's proof takes: signature, and node id from the key. */
export async function measureProof(): Promise<number> {
  const { node, identity, secret } = await generateIdentity();
  const fields = {
    host: "mesh.example.com",
    node,
    name: "web1",
    machineId: "0".repeat(64),
    timestamp: 1_790_000_000,
  };
  const signature = signEnrolment(secret, fields);
  const parsed = parseIdentity(identity);
  if (parsed === undefined) throw new Error(`a generated identity does not parse: ${identity}`);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    const signed = await verifySignature(parsed.publicKey, enrolMessage(fields), signature);
    const derived = await deriveNodeId(parsed.publicKey);
    times.push(performance.now() - began);
    if (!signed || derived !== node) throw new Error("a genuine proof was refused");
  }
  return median(times);
}
