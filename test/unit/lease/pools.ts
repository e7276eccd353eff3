import fc from "fast-check";
import { makePool, type Pool } from "../../../worker/lease/pool.ts";

/** A pool that is known to be good. */
export function poolOf(zerotier: string, docker: string, nodePrefix: number): Pool {
  const made = makePool({ zerotier, docker, nodePrefix });
  if (!made.ok) throw new Error(made.error.join("; "));
  return made.value;
}

/** The pool of a deployment that sets nothing. */
export const defaultPool = poolOf("10.147.17.0/24", "172.28.0.0/16", 24);

/** Pools of every size: ZeroTier ranges inside 10/8, Docker pools inside 11/8. */
export const anyPool: fc.Arbitrary<Pool> = fc
  .tuple(fc.integer({ min: 8, max: 27 }), fc.integer({ min: 8, max: 27 }), fc.nat(), fc.nat())
  .chain(([zerotier, docker, a, b]) =>
    fc
      .integer({ min: docker + 1, max: 28 })
      .map((nodePrefix) => poolOf(rangeIn(10, zerotier, a), rangeIn(11, docker, b), nodePrefix)),
  );

/** One of the ranges of that length in a /8. */
function rangeIn(first: number, length: number, index: number): string {
  const start = (index % 2 ** (length - 8)) * 2 ** (32 - length);
  return `${first}.${(start >>> 16) & 255}.${(start >>> 8) & 255}.${start & 255}/${length}`;
}
