import { Database } from "./database.ts";
import { KeyStore } from "./key-store.ts";
import { MemoryStore } from "./memory-store.ts";
import { NodeStore } from "./node-store.ts";
import { OutboxStore } from "./outbox-store.ts";
import { SlotStore } from "./slot-store.ts";

/** The object's tables. They are read at any time, and written only within a transaction. */
export interface Stores {
  readonly memory: MemoryStore;
  readonly keys: KeyStore;
  readonly nodes: NodeStore;
  readonly outbox: OutboxStore;
  readonly slots: SlotStore;
  /** Changes several tables at once, or none. */
  transaction<T>(change: () => T): T;
}

/**
 * The tables over an object's storage; `migrate` must have run. `changed` is called after each transaction, before
 * anything else can happen, so that what it writes (the alarm) is committed together with it.
 */
export function openStores(storage: DurableObjectStorage, changed: (outbox: OutboxStore) => void): Stores {
  const db = new Database(storage);
  const memory = new MemoryStore(db);
  const outbox = new OutboxStore(db);
  return {
    memory,
    keys: new KeyStore(db),
    nodes: new NodeStore(db),
    outbox,
    slots: new SlotStore(db, memory),
    transaction(change) {
      const result = db.transaction(change);
      changed(outbox);
      return result;
    },
  };
}
