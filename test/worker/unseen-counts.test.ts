// How many servers are shown as not seen: exactly, and in an outage of a large fleet without a row for each at each look.
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { defaultLeaseTimes } from "../../worker/lease/lease-times.ts";
import { UnseenCounts } from "../../worker/network/unseen-counts.ts";
import { countRows } from "./counted-rows.ts";
import { ownStores } from "./own-stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();
const NOW = 1_800_000_000_000;
const { offlineAfter, staleAfter } = defaultLeaseTimes;

/** Makes active nodes with these sights (ms since 1970); those in `kept` were set up by hand. */
function fill(sql: SqlStorage, sights: readonly number[], kept: ReadonlySet<number> = new Set()): void {
  for (const [at, seen] of sights.entries())
    sql.exec(
      `INSERT INTO nodes (node, name, slot, state, identity, token_hashes, leased_at, seen_at, delivered_at)
         VALUES (format('%010x', ?1), 'n' || ?1, ?1, 'active', ?2, '[]', ?3, ?3, ?3)`,
      at + 1,
      kept.has(at) ? null : "public",
      seen,
    );
}

it("counts each as what it is shown as, to the millisecond", async () => {
  await runInDurableObject(use.world.object, (_, { storage }) => {
    const sights = [0, offlineAfter - 1, offlineAfter, staleAfter - 1, staleAfter, staleAfter + 1];
    const both = [...sights, ...sights].map((ago) => NOW - ago);
    fill(storage.sql, both, new Set([6, 7, 8, 9, 10, 11]));
    const counts = new UnseenCounts();
    expect(counts.count(ownStores(storage).nodes, NOW)).toEqual({ offline: 2, stale: 4 });
    expect(counts.count(ownStores(storage).nodes, NOW + 1)).toEqual({ offline: 2, stale: 6 });
  });
});

it("reads no row for each server of a fleet that is not heard, but once in five minutes", async () => {
  await runInDurableObject(use.world.object, (_, { storage }) => {
    fill(
      storage.sql,
      Array.from({ length: 1500 }, () => NOW - offlineAfter),
    );
    const { nodes } = ownStores(storage);
    const counts = new UnseenCounts();
    const rowsOf = (now: number) => {
      const counted = countRows(storage);
      expect(counts.count(nodes, now)).toEqual({ offline: 1500, stale: 0 });
      return counted().read;
    };
    expect(rowsOf(NOW)).toBeGreaterThan(1500);
    for (const seconds of [1, 60, 299]) expect(rowsOf(NOW + seconds * 1000)).toBeLessThanOrEqual(610);
    expect(rowsOf(NOW + 300_000)).toBeGreaterThan(1500);
    // They are heard again: at once, and not only in five minutes.
    storage.sql.exec("UPDATE nodes SET seen_at = ? WHERE slot > 3", NOW + 300_000);
    expect(counts.count(nodes, NOW + 301_000)).toEqual({ offline: 3, stale: 0 });
  });
});
