import { KeyStore } from "./key-store.ts";
import { FactStore } from "./memory-store.ts";
import { NodeStore } from "./node-store.ts";
import { OutboxStore } from "./outbox-store.ts";
import { SlotStore } from "./slot-store.ts";

/** The object's tables, and the transaction that changes several of them at once or none. */
export interface Stores {
  readonly facts: FactStore;
  readonly keys: KeyStore;
  readonly nodes: NodeStore;
  readonly outbox: OutboxStore;
  readonly slots: SlotStore;
  transaction<T>(change: () => T): T;
}

/**
 * The tables over an object's storage; `migrate` must have run. `changed` is called after each transaction, before
 * anything else can happen, so that what it writes (the alarm) is committed together with it.
 */
export function openStores(storage: DurableObjectStorage, changed: (outbox: OutboxStore) => void): Stores {
  const facts = new FactStore(storage.sql);
  const outbox = new OutboxStore(storage.sql);
  return {
    facts,
    keys: new KeyStore(storage.sql),
    nodes: new NodeStore(storage.sql),
    outbox,
    slots: new SlotStore(storage.sql, facts),
    transaction(change) {
      const result = storage.transactionSync(change);
      changed(outbox);
      return result;
    },
  };
}
