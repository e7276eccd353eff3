// What is still to be told to others. A row says only *that* something has to be brought in line, and the
// delivery reads what it should be; so rows coalesce, and an old one can never undo a newer change.
import type { Database } from "./database.ts";

/** A member at the controller, the network's managed routes, a lease's copy in KV. */
export type OutboxKind = (typeof OUTBOX_KINDS)[number];

export const OUTBOX_KINDS = ["member", "routes", "copy"] as const;

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
  /** Nothing has changed: what was delivered is only looked at once more. */
  readonly isLook: boolean;
}

/** That whoever takes a kind does not. */
export interface Held {
  /** Until when all of it waits (ms since 1970). */
  readonly until: number;
  /** How many in a row were not taken. */
  readonly failures: number;
  /** Because a quota is used up. */
  readonly usedUp: boolean;
}

/** How much waits of a kind. */
export type Backlog = {
  readonly waiting: number;
  /** Of the oldest change (ms since 1970). */
  readonly oldestAt: number | null;
  /** Those that were tried and not taken. */
  readonly failing: number;
  readonly fault: string | null;
};

type Row = {
  sequence: number;
  kind: string;
  subject: string;
  created_at: number;
  due_at: number;
  attempts: number;
  fault: string | null;
};

/** In place of a fault: nothing failed. */
const LOOK = "looked at again";

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

  /** Adds a subject that was delivered and is to be looked at once more; for what waits already that is done anyway. */
  again(kind: OutboxKind, subject: string, now: number, dueAt: number): void {
    this.#db.write(
      "INSERT INTO outbox (kind, subject, created_at, due_at, fault) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      kind,
      subject,
      now,
      dueAt,
      LOOK,
    );
  }

  /** Removes what waits of a subject, which is not to be told any more. */
  drop(kind: OutboxKind, subject: string): void {
    this.#db.write("DELETE FROM outbox WHERE kind = ? AND subject = ?", kind, subject);
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

  /**
   * The rows that are due, the oldest first, at most `limit`: none of a kind that is held back, and of one that was, a single one
   * until that is taken: the one that has failed least often, so that those which always fail keep no other back.
   */
  due(now: number, limit: number): OutboxRow[] {
    return OUTBOX_KINDS.flatMap((kind) => {
      const held = this.held(kind);
      if (held !== undefined && held.until > now) return [];
      return this.#db.read<Row>(
        `SELECT * FROM outbox WHERE kind = ? AND due_at <= ?
           ORDER BY ${held === undefined ? "" : "attempts, "}due_at, sequence LIMIT ?`,
        kind,
        now,
        held === undefined ? limit : 1,
      );
    })
      .map(fromRow)
      .sort((a, b) => a.dueAt - b.dueAt || a.sequence - b.sequence)
      .slice(0, limit);
  }

  /** When the next row is to be delivered (ms since 1970). */
  nextDue(): number | undefined {
    const times = OUTBOX_KINDS.flatMap((kind) => {
      const query = "SELECT min(due_at) AS next FROM outbox WHERE kind = ?";
      const { next } = this.#db.readOne<{ next: number | null }>(query, kind);
      return next === null ? [] : Math.max(next, this.held(kind)?.until ?? 0);
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Why rows of a kind wait, whenever they are due; undefined when the last that was tried was taken. */
  held(kind: OutboxKind): Held | undefined {
    return this.#db
      .read<{ until: number; failures: number; used_up: number }>("SELECT * FROM held WHERE kind = ?", kind)
      .map(({ until, failures, used_up }) => ({ until, failures, usedUp: used_up === 1 }))[0];
  }

  hold(kind: OutboxKind, { until, failures, usedUp }: Held): void {
    this.#db.write(
      "INSERT OR REPLACE INTO held (kind, until, failures, used_up) VALUES (?, ?, ?, ?)",
      kind,
      until,
      failures,
      Number(usedUp),
    );
  }

  /** One of the kind was taken. */
  letGo(kind: OutboxKind): void {
    this.#db.write("DELETE FROM held WHERE kind = ?", kind);
  }

  /** How many rows of a kind wait. */
  count(kind: OutboxKind): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM outbox WHERE kind = ?", kind)
      .number;
  }

  /** What waits of a kind but for what is only looked at again. `fault`: of the row that has failed most often. */
  backlog(kind: OutboxKind): Backlog {
    const { fault, ...counts } = this.#db.readOne<Backlog>(
      `SELECT count(*) AS waiting, min(created_at) AS oldestAt, count(*) FILTER (WHERE attempts > 0) AS failing,
         (SELECT fault FROM outbox WHERE kind = ?1 AND attempts > 0 ORDER BY attempts DESC, sequence DESC LIMIT 1) AS fault
         FROM outbox WHERE kind = ?1 AND fault IS NOT ?2`,
      kind,
      LOOK,
    );
    return { ...counts, fault: counts.failing === 0 ? null : fault };
  }

  /** When the change was made of the kind that waits longest (ms since 1970); undefined while none waits. */
  oldest(kind: OutboxKind): number | undefined {
    const query = "SELECT min(created_at) AS oldest FROM outbox WHERE kind = ?";
    return this.#db.readOne<{ oldest: number | null }>(query, kind).oldest ?? undefined;
  }

  /** Whether a row of a kind waits that is on its way for the first time. */
  hasFresh(kind: OutboxKind): boolean {
    return (
      this.#db.read("SELECT 1 AS one FROM outbox WHERE kind = ? AND fault IS NULL LIMIT 1", kind).length > 0
    );
  }

  /** Whether a row of a kind has failed at least so many times, and waits still. */
  hasFailing(kind: OutboxKind, attempts: number): boolean {
    return (
      this.#db.read("SELECT 1 AS one FROM outbox WHERE kind = ? AND attempts >= ? LIMIT 1", kind, attempts)
        .length > 0
    );
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
    isLook: row.fault === LOOK,
  };
}

function outboxKind(text: string): OutboxKind {
  if (text === "member" || text === "routes" || text === "copy") return text;
  throw new Error(
    `the table outbox holds the kind ${JSON.stringify(text)}, which this version does not know`,
  );
}
