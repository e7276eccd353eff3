import { DatabaseSync, type StatementSync } from "node:sqlite";

/**
 * A Durable Object's storage on an in-process SQLite. As on the platform, what is written is seen at once and becomes
 * durable a moment later, together with all else that was written since; until then nothing leaves the object. A crash
 * before that moment loses it. The alarm is kept in the same database, so it is written and lost with the rest.
 */
export class Storage {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  readonly #written: () => void;
  #isOpen = false;
  /** Rows that statements have changed. */
  rowsWritten = 0;

  /** `written` is called at the first write that is not durable yet. */
  constructor(written: () => void) {
    this.#written = written;
    this.#db.exec("CREATE TABLE _alarm (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)");
  }

  /** Whether something was written that is not durable yet. */
  get isPending(): boolean {
    return this.#isOpen;
  }

  /** Makes durable what was written. */
  commit(): void {
    if (this.#isOpen) this.#db.exec("COMMIT");
    this.#isOpen = false;
  }

  /** Loses what is not durable. */
  rollBack(): void {
    if (this.#isOpen) this.#db.exec("ROLLBACK");
    this.#isOpen = false;
  }

  /** When the alarm is set to, as far as that is durable or not. */
  get alarm(): number | undefined {
    const [row] = this.rows<{ at: number }>("SELECT at FROM _alarm");
    return row?.at;
  }

  set alarm(at: number | undefined) {
    if (at === undefined) this.#run("DELETE FROM _alarm", []);
    else this.#run("INSERT OR REPLACE INTO _alarm (id, at) VALUES (0, ?)", [at]);
  }

  /** The rows of a query, for those who look on. */
  rows<Row>(query: string): Row[] {
    // The caller names the columns of his own query.
    return this.#prepare(query).all() as Row[];
  }

  /** All texts in all tables, for those who look on. */
  all(): string {
    return this.#tables()
      .map((name) => JSON.stringify(this.rows(`SELECT * FROM ${name}`)))
      .join("\n");
  }

  /** All that is stored is gone, durable or not; the empty tables stay, as a new object makes them. */
  lose(): void {
    this.rollBack();
    for (const name of this.#tables()) if (name !== "migrations") this.#db.exec(`DELETE FROM ${name}`);
  }

  #tables(): string[] {
    return this.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").map(
      ({ name }) => name,
    );
  }

  close(): void {
    this.#db.close();
  }

  /** The storage as an object sees it that is not gone yet. `later` resolves what it waits for. */
  view(later: <T>(value: T) => Promise<T>): DurableObjectStorage {
    const exec = (query: string, ...values: SqlStorageValue[]) => {
      const isRead = /^\s*(SELECT|EXPLAIN|PRAGMA)/i.test(query);
      if (isRead)
        return cursor(
          this.#prepare(query)
            .all(...values.map(sqlValue))
            .map(platformRow),
          0,
        );
      return cursor([], this.#run(query, values));
    };
    const view: Pick<DurableObjectStorage, "getAlarm" | "transactionSync"> & {
      sql: { exec: typeof exec };
      setAlarm(at: number): Promise<void>;
    } = {
      sql: { exec },
      transactionSync: (change) => this.#transaction(change),
      getAlarm: () => later(this.alarm ?? null),
      setAlarm: (at) => {
        this.alarm = at;
        return later(undefined);
      },
    };
    // Of the platform's storage the object uses no more.
    return view as unknown as DurableObjectStorage;
  }

  #transaction<T>(change: () => T): T {
    this.#open();
    this.#db.exec("SAVEPOINT change");
    try {
      const result = change();
      this.#db.exec("RELEASE change");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO change; RELEASE change");
      throw error;
    }
  }

  #run(query: string, values: readonly SqlStorageValue[]): number {
    this.#open();
    if (values.length === 0 && query.includes(";")) {
      this.#db.exec(query);
      return 0;
    }
    const changes = Number(this.#prepare(query).run(...values.map(sqlValue)).changes);
    this.rowsWritten += changes;
    return changes;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#db.exec("BEGIN");
    this.#isOpen = true;
    this.#written();
  }

  #prepare(query: string): StatementSync {
    const known = this.#statements.get(query);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(query);
    this.#statements.set(query, statement);
    return statement;
  }
}

function cursor(rows: readonly object[], rowsWritten: number) {
  return {
    [Symbol.iterator]: () => rows[Symbol.iterator](),
    toArray: () => rows,
    one: () => {
      if (rows.length !== 1) throw new Error(`${rows.length} rows instead of one`);
      return rows[0];
    },
    rowsWritten,
  };
}

function sqlValue(value: SqlStorageValue): string | number | null | Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

/** A row as the platform gives it, whose bytes come as an array buffer. */
function platformRow(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? new Uint8Array(value).buffer : value,
    ]),
  );
}
