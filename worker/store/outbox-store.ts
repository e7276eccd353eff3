// What is still to be told to others. A row says only *that* something has to be brought in line, and the
// delivery reads what it should be; so rows coalesce, and an old one can never undo a newer change.
import type { Database } from "./database.ts";

/** A member at the controller, the network's managed routes, a lease's copy in KV. */
export type OutboxKind = "member" | "routes" | "copy";

/** One thing to deliver. Times in ms since 1970. */
export interface OutboxRow {
  /** Grows with each change of the row: a delivery removes only what it has seen. */
  readonly sequence: number;
  readonly kind: OutboxKind;
  /** The node; empty for the routes, which are one. */
  readonly subject: string;
  /** Of the oldest change that this row stands for. */
  readonly createdAt: number;
  readonly dueAt: number;
  readonly attempts: number;
}

type Row = {
  sequence: number;
  kind: string;
  subject: string;
  created_at: number;
  due_at: number;
  attempts: number;
};

export class OutboxStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(kind: OutboxKind, subject: string): OutboxRow | undefined {
    return this.#db
      .read<Row>("SELECT * FROM outbox WHERE kind = ? AND subject = ?", kind, subject)
      .map(fromRow)[0];
  }

  /**
   * Adds a change, or lets a waiting row stand for it as well; the row gets a new sequence. One that failed is not tried
   * earlier for that: whoever did not take the change before will hardly take the next, and servers that ask again and
   * again would undo every backoff. What cannot wait is delivered by whoever changes it, whatever the row says.
   */
  put(kind: OutboxKind, subject: string, now: number, dueAt: number): void {
    const waiting = this.get(kind, subject);
    const attempts = waiting?.attempts ?? 0;
    this.#db.write(
      "INSERT OR REPLACE INTO outbox (kind, subject, created_at, due_at, attempts) VALUES (?, ?, ?, ?, ?)",
      kind,
      subject,
      waiting?.createdAt ?? now,
      attempts > 0 ? Math.max(dueAt, waiting?.dueAt ?? 0) : dueAt,
      attempts,
    );
  }

  /** Removes the row if it is still the one that was delivered. */
  done(row: OutboxRow): void {
    this.#db.write("DELETE FROM outbox WHERE sequence = ?", row.sequence);
  }

  /** Puts off the row after a failure, if it is still the one that was tried. */
  failed(row: OutboxRow, dueAt: number, fault: string): void {
    this.#db.write(
      "UPDATE outbox SET due_at = ?, attempts = attempts + 1, fault = ? WHERE sequence = ?",
      dueAt,
      fault,
      row.sequence,
    );
  }

  /** Moves the row without counting it as a failure. */
  postpone(row: OutboxRow, dueAt: number): void {
    this.#db.write("UPDATE outbox SET due_at = ? WHERE sequence = ?", dueAt, row.sequence);
  }

  /** The rows that are due, the oldest first, at most `limit`. */
  due(now: number, limit: number): OutboxRow[] {
    return this.#db
      .read<Row>("SELECT * FROM outbox WHERE due_at <= ? ORDER BY due_at, sequence LIMIT ?", now, limit)
      .map(fromRow);
  }

  /** When the next row is due. */
  nextDue(): number | undefined {
    const { next } = this.#db.readOne<{ next: number | null }>("SELECT min(due_at) AS next FROM outbox");
    return next ?? undefined;
  }

  /** How many rows of a kind wait. */
  count(kind: OutboxKind): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM outbox WHERE kind = ?", kind)
      .number;
  }

  /** How many rows of a kind wait that have not failed yet. */
  countFresh(kind: OutboxKind): number {
    return this.count(kind) - this.countFailing(kind, 1);
  }

  /** How many rows of a kind have failed at least so many times, and wait still. */
  countFailing(kind: OutboxKind, attempts: number): number {
    return this.#db.readOne<{ number: number }>(
      "SELECT count(*) AS number FROM outbox WHERE kind = ? AND attempts >= ?",
      kind,
      attempts,
    ).number;
  }
}

function fromRow(row: Row): OutboxRow {
  return {
    sequence: row.sequence,
    kind: outboxKind(row.kind),
    subject: row.subject,
    createdAt: row.created_at,
    dueAt: row.due_at,
    attempts: row.attempts,
  };
}

function outboxKind(text: string): OutboxKind {
  if (text === "member" || text === "routes" || text === "copy") return text;
  throw new Error(
    `the table outbox holds the kind ${JSON.stringify(text)}, which this version does not know`,
  );
}
