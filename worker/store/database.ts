type Value = SqlStorageValue;

/** What a transaction gave, and the tables that it wrote as news. */
export interface Transacted<T> {
  readonly result: T;
  readonly tables: ReadonlySet<string>;
}

const WRITE = /^\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+(\w+)/;

/**
 * The object's SQLite. What changes together is written together or not at all, so a write outside a transaction is a
 * fault of ours, and is refused.
 */
export class Database {
  readonly #storage: DurableObjectStorage;
  #writable = false;
  #tables = new Set<string>();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The rows of a query. */
  read<Row extends Record<string, Value>>(query: string, ...values: Value[]): Row[] {
    return this.#storage.sql.exec<Row>(query, ...values).toArray();
  }

  /** The rows of a query, read one by one; to be used up before anything is written. */
  iterate<Row extends Record<string, Value>>(query: string, ...values: Value[]): Iterable<Row> {
    return this.#storage.sql.exec<Row>(query, ...values);
  }

  /** The row of a query that always has exactly one. */
  readOne<Row extends Record<string, Value>>(query: string, ...values: Value[]): Row {
    return this.#storage.sql.exec<Row>(query, ...values).one();
  }

  /** Runs a statement that changes rows of a table; returns how many it wrote. */
  write(statement: string, ...values: Value[]): number {
    const table = WRITE.exec(statement)?.[1];
    if (table === undefined) throw new Error(`a write of no table: ${statement}`);
    this.#tables.add(table);
    return this.writeQuietly(statement, ...values);
  }

  /** The same for what is no news to anybody, as that a server was heard once more. */
  writeQuietly(statement: string, ...values: Value[]): number {
    if (!this.#writable) throw new Error("a write outside a transaction");
    return this.#storage.sql.exec(statement, ...values).rowsWritten;
  }

  /** Runs the change as one transaction; one that throws changes nothing. */
  transaction<T>(change: () => T): Transacted<T> {
    // The inner one could be undone while what belongs to it, in the outer, stays.
    if (this.#writable) throw new Error("a transaction within a transaction");
    this.#writable = true;
    this.#tables = new Set();
    try {
      return { result: this.#storage.transactionSync(change), tables: this.#tables };
    } finally {
      this.#writable = false;
    }
  }
}
