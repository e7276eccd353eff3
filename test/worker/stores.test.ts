import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { openStores, type Stores } from "../../worker/store/stores.ts";
import { useWorld } from "./world.ts";

const use = useWorld();

/** Does something with the tables of the object. */
function inStores<T>(work: (stores: Stores, storage: DurableObjectStorage) => T): Promise<T> {
  return runInDurableObject(use.world.object, (_, { storage }) =>
    work(
      openStores(storage, () => {}),
      storage,
    ),
  );
}

describe("the object's tables", () => {
  it("are written only within a transaction", async () => {
    await inStores((stores) => {
      const write = (): void => stores.memory.setSlotsPublished([1]);
      expect(write).toThrow("outside a transaction");
      stores.transaction(write);
      expect(stores.memory.slotsPublished()).toEqual([1]);
      expect(write).toThrow("outside a transaction");
    });
  });

  it("are as before when a transaction fails, and can be written after it", async () => {
    await inStores(({ memory, transaction }) => {
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
    await inStores(({ memory, transaction }) => {
      const outer = (): void => transaction(() => memory.setSlotsPublished([1]));
      expect(() => transaction(outer)).toThrow("within a transaction");
      expect(memory.slotsPublished()).toEqual([]);
    });
  });

  it("keep the form in which released versions stored the last check", async () => {
    await inStores(({ memory, transaction }, { sql }) => {
      const check = { at: 2, unbrokenSince: 1, unreachable: "refused", faults: ["public"] };
      transaction(() => memory.setLastCheck(check));
      const stored = { at: 2, since: 1, unread: "refused", faults: ["public"] };
      const { value } = sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'look'").one();
      expect(JSON.parse(value)).toEqual(stored);
      expect(memory.lastCheck()).toEqual(check);
    });
  });
});
