import { createHash } from "node:crypto";
import { type GeneratedIdentity, generateIdentity } from "../../../scripts/identity/generate.ts";
import firstTries from "./first-tries.json" with { type: "json" };

/**
 * Makes so many genuine identities. Only one key in fifteen makes a node id, so an identity takes 0.4 s; these are made
 * from reproducible randomness that begins where the search for each one ended when it was first made. A wrong entry of
 * first-tries.json makes it slower, not wrong.
 */
export async function generateIdentities(count: number): Promise<GeneratedIdentity[]> {
  const identities: GeneratedIdentity[] = [];
  for (let number = 0; number < count; number++)
    identities.push(await generateIdentity(randomFor(number, firstTries[number] ?? 0)));
  return identities;
}

/** Gives, as `generateIdentity` asks, the seed of the signing key and then one scalar after the other. */
function randomFor(number: number, firstTry: number): (size: number) => Uint8Array {
  let asked = -1;
  return (size) => {
    asked += 1;
    const label = asked === 0 ? `seed ${number}` : `scalar ${number} ${firstTry + asked - 1}`;
    return createHash("sha512").update(label).digest().subarray(0, size);
  };
}
