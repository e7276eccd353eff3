import { describe, expect, it } from "vitest";
import { countRows } from "./counted-rows.ts";
import { migrateAnew } from "./earlier-tables.ts";
import { inOwnStores } from "./own-stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

describe("the object's tables", () => {
  it("are written only within a transaction", async () => {
    await inOwnStores(use.world.object, (stores) => {
      const write = (): void => stores.memory.setSlotsPublished([1]);
      expect(write).toThrow("outside a transaction");
      stores.transaction(write);
      expect(stores.memory.slotsPublished()).toEqual([1]);
      expect(write).toThrow("outside a transaction");
    });
  });

  it("are as before when a transaction fails, and can be written after it", async () => {
    await inOwnStores(use.world.object, ({ memory, transaction }) => {
      const failing = (): void => {
        memory.setSlotsPublished([1]);
        throw new Error("no");
      };
      expect(() => transaction(failing)).toThrow("no");
      expect(memory.slotsPublished()).toEqual([]);
      transaction(() => memory.setSlotsPublished([2]));
      expect(memory.slotsPublished()).toEqual([2]);
    });
  });

  it("take no transaction within another", async () => {
    await inOwnStores(use.world.object, ({ memory, transaction }) => {
      const outer = (): void => transaction(() => memory.setSlotsPublished([1]));
      expect(() => transaction(outer)).toThrow("within a transaction");
      expect(memory.slotsPublished()).toEqual([]);
    });
  });

  it("keep the form in which released versions stored the last check", async () => {
    await inOwnStores(use.world.object, ({ memory, transaction }, { sql }) => {
      const unreachable = { at: 3, reason: "timeout" as const, text: "too late" };
      const check = { at: 2, unbrokenSince: 1, heardSince: 1, unreachable, faults: ["public"] };
      transaction(() => memory.setLastCheck(check));
      const stored = {
        ...{ at: 2, since: 1, faults: ["public"] },
        ...{ unread: "too late", unreadAt: 3, unreadReason: "timeout", heardSince: 1 },
      };
      const { value } = sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'look'").one();
      expect(JSON.parse(value)).toEqual(stored);
      expect(memory.lastCheck()).toEqual(check);
      // As it was before there was a time and a reason, and before anybody asked whether servers were heard.
      const { unreadAt: _at, unreadReason: _reason, heardSince: _heard, ...before } = stored;
      sql.exec("UPDATE facts SET value = ? WHERE name = 'look'", JSON.stringify(before));
      const known = { at: 2, reason: undefined, text: "too late" };
      expect(memory.lastCheck()).toEqual({ ...check, heardSince: 2, unreachable: known });
    });
  });
});

describe("the name for a new node", () => {
  const add = (sql: SqlStorage, names: readonly string[]): void => {
    for (const [at, name] of names.entries())
      sql.exec(
        `INSERT INTO nodes (node, name, slot, state, token_hashes, leased_at, seen_at)
           VALUES (?, ?, ?, 'active', '[]', 0, 0)`,
        (0x1000000000 + at).toString(16),
        name,
        at + 1,
      );
  };

  it("takes no more rows when very many have the same, and no number is given twice", async () => {
    await inOwnStores(use.world.object, (stores, storage) => {
      add(storage.sql, ["web", ...Array.from({ length: 500 }, (_, at) => `web-${at + 2}`)]);
      migrateAnew(storage.sql);
      for (const name of ["web-502", "web-503", "web-504"]) {
        const rows = countRows(storage);
        expect(stores.transaction(() => stores.names.choose("web"))).toBe(name);
        expect(rows().read).toBeLessThanOrEqual(3);
      }
    });
  });

  it("goes on from the numbers that were there before they were kept, unless those are no numbers of ours", async () => {
    await inOwnStores(use.world.object, ({ names, transaction }, { sql }) => {
      add(sql, ["db", "db-4", "db-007", "big", "big-9999999", "one", "one-1", "mail-3", "x-y-2", "x-y"]);
      migrateAnew(sql);
      const choose = (name: string): string => transaction(() => names.choose(name));
      expect(["db", "big", "one", "mail", "x-y"].map(choose)).toEqual([
        "db-5",
        "big-2",
        "one-2",
        "mail",
        "x-y-3",
      ]);
    });
  });
});
