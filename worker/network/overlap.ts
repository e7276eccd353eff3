// A host that is attached to a network inside the mesh's ranges would be cut off from it, and perhaps from us.
import { encloses, type Prefix, parsePrefix } from "../address/prefix.ts";
import type { MeshRange, Refusal } from "../base/refusal.ts";
import type { Config } from "../config/config.ts";
import { dockerSubnet, type Pool } from "../lease/pool.ts";
import { sixPlanePrefix } from "../lease/six-plane.ts";
import type { EnrolmentKey } from "../store/key-store.ts";
import type { StoredNode } from "../store/stored-node.ts";

/** Why the host may not route the mesh's ranges; undefined when it may, or when the key allows it anyway. */
export function overlapRefusal(
  { pool, networkId }: Config,
  localPrefixes: readonly string[],
  key: EnrolmentKey,
  known: StoredNode | undefined,
): Refusal | undefined {
  if (key.allowOverlap) return undefined;
  const ours: { range: MeshRange; prefix: Prefix }[] = [
    { range: "docker", prefix: pool.docker },
    { range: "zerotier", prefix: pool.zerotier },
    { range: "six-plane", prefix: sixPlanePrefix(networkId) },
  ];
  for (const text of localPrefixes) {
    const local = parsePrefix(text);
    if (local === undefined) continue;
    if (known !== undefined && isOwn(pool, known, local)) continue;
    // A wider one, a provider's 10.0.0.0/8 or a default route, loses nothing: the mesh's routes are more specific, and what of the
    // host lies in its ranges (its addresses, gateways, resolvers) the agent names as prefixes of their own.
    const hit = ours.find(({ prefix }) => encloses(prefix, local));
    if (hit !== undefined) return { problem: "overlap", prefix: text, range: hit.range };
  }
  return undefined;
}

/** Whether a host that is in the mesh already has the prefix from it. */
function isOwn(pool: Pool, known: StoredNode, local: Prefix): boolean {
  if (local.family === 6) return encloses({ family: 6, first: 0xfcn << 120n, length: 8 }, local);
  return (
    encloses(dockerSubnet(pool, known.slot), local) ||
    (local.first === pool.zerotier.first && local.length === pool.zerotier.length)
  );
}
