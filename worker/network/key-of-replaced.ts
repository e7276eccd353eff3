import { z } from "zod";
import type { EnrolmentKey } from "../store/key-store.ts";
import type { StoredNode } from "../store/stored-node.ts";
import type { Stores } from "../store/stores.ts";

const options = z.record(z.string(), z.unknown());

/**
 * What a server in the place of this one is to have of the key that it came in with: the options of its user-data (JSON) and whether it
 * may overlap. Without them another layout would give its containers other addresses.
 */
export function keptOfKey(
  { keys }: Stores,
  { keyId }: Pick<StoredNode, "keyId">,
): Pick<EnrolmentKey, "userData" | "allowOverlap"> {
  const key = keyId === null ? undefined : keys.byId(keyId);
  if (key === undefined) return { userData: null, allowOverlap: false };
  return {
    userData: key.userData === null ? null : withoutName(key.userData),
    allowOverlap: key.allowOverlap,
  };
}

/** The name comes with the reservation. */
function withoutName(userData: string): string {
  const { name: _, ...others } = options.parse(JSON.parse(userData));
  return JSON.stringify(others);
}
