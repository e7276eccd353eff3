// Whom events are sent to, and how far they were: a place in the audit log for each, so that an event costs no row of its own. Not
// rows of the outbox: what waits here holds back no other kind.
import { z } from "zod";
import type { Database } from "./database.ts";
import { listByMaking, type MadePlace } from "./made-place.ts";

/** A webhook. Times in ms since 1970. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  /** Which events are sent; null: all. */
  readonly actions: readonly string[] | null;
  readonly note: string | null;
  readonly createdAt: number;
  /** The secret that its calls are signed with. */
  readonly sealed: ArrayBuffer;
  /** The one before, which signs beside it until then. */
  readonly earlier: { readonly sealed: ArrayBuffer; readonly until: number } | null;
  /** The id of the event up to which all that it wants were taken, or are counted in `missed`. */
  readonly sentThrough: number;
  /** How many that it wants were forgotten before they were taken. */
  readonly missed: number;
  /** How many calls in a row were not taken. */
  readonly failures: number;
  /** When the next call is to be made, or made again should nothing more be heard of it; null while nothing waits. */
  readonly dueAt: number | null;
  /** The last, the newest first. */
  readonly answers: readonly WebhookAnswer[];
}

/** What there is of a new one. */
export type NewWebhook = Pick<
  Webhook,
  "id" | "url" | "actions" | "note" | "createdAt" | "sealed" | "sentThrough"
>;

const answerSchema = z.object({
  /** When the call was made. */
  at: z.number(),
  /** The ids of the first and the last of the events in it, and how many they were. */
  first: z.number(),
  last: z.number(),
  count: z.number(),
  attempt: z.number(),
  /** Null when there was no answer. */
  status: z.number().nullable(),
  /** Null when the events were taken. */
  fault: z.string().nullable(),
  /** How the answer began. */
  text: z.string(),
  ms: z.number(),
});

/** What a call came to. */
export type WebhookAnswer = z.infer<typeof answerSchema>;

/** What becomes of a webhook by a call. */
export type AfterCall = Pick<Webhook, "id" | "answers" | "failures" | "dueAt"> & {
  /** Up to where the events were taken, if they were, and how many missed ones were told. */
  readonly taken?: { readonly through: number; readonly missed: number };
};

type Row = {
  id: string;
  url: string;
  actions: string | null;
  note: string | null;
  created_at: number;
  sealed: ArrayBuffer;
  earlier_sealed: ArrayBuffer | null;
  earlier_until: number | null;
  sent_through: number;
  missed: number;
  failures: number;
  due_at: number | null;
  answers: string;
};

/** ms by which an event waits for others, to be sent with them. */
const TOGETHER_MS = 1_000;

const actionsSchema = z.array(z.string());

export class WebhookStore {
  readonly #db: Database;
  // Read once and kept until something is written: the one is asked after each transaction, most of which are heartbeats, and the
  // other at each event, and most meshes have no webhook.
  #next: { readonly due: number | undefined } | undefined;
  #isNone: boolean | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  get(id: string): Webhook | undefined {
    return this.#db.read<Row>("SELECT * FROM webhooks WHERE id = ?", id).map(fromRow)[0];
  }

  /** Webhooks in the order of their making, at most `limit`, those after the place. */
  list(limit: number, after: MadePlace | undefined): Webhook[] {
    return listByMaking<Row>(this.#db, "SELECT * FROM webhooks", limit, after).map(fromRow);
  }

  count(): number {
    return this.#db.readOne<{ number: number }>("SELECT count(*) AS number FROM webhooks").number;
  }

  /** How many there are whose last call was not taken, and of the others. */
  countByHealth(): { failing: number; well: number } {
    return this.#db.readOne<{ failing: number; well: number }>(
      "SELECT count(*) FILTER (WHERE failures > 0) AS failing, count(*) FILTER (WHERE failures = 0) AS well FROM webhooks",
    );
  }

  /** The last of its transaction: undone with that, it must not have been looked at meanwhile. */
  add({ id, url, actions, note, createdAt, sealed, sentThrough }: NewWebhook): void {
    this.#isNone = undefined;
    this.#write(
      "INSERT INTO webhooks (id, url, actions, note, created_at, sealed, sent_through) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      url,
      actions === null ? null : JSON.stringify(actions),
      note,
      createdAt,
      sealed,
      sentThrough,
    );
  }

  /** The last of its transaction, as {@link add}. */
  remove(id: string): void {
    this.#isNone = undefined;
    this.#write("DELETE FROM webhooks WHERE id = ?", id);
  }

  /** Another secret, and until when the one before is good beside it (ms since 1970), if at all. */
  rotate(id: string, sealed: ArrayBuffer, until: number | undefined): void {
    this.#write(
      `UPDATE webhooks SET sealed = ?2, earlier_sealed = CASE WHEN ?3 IS NULL THEN NULL ELSE sealed END, earlier_until = ?3
         WHERE id = ?1`,
      id,
      sealed,
      until ?? null,
    );
  }

  /** An event of that action has been written. No row for a webhook that waits already. */
  wake(action: string, now: number): void {
    this.#isNone ??= this.count() === 0;
    if (this.#isNone) return;
    this.#write(
      `UPDATE webhooks SET due_at = ?2 WHERE due_at IS NULL
         AND (actions IS NULL OR EXISTS (SELECT 1 FROM json_each(actions) WHERE value = ?1))`,
      action,
      now + TOGETHER_MS,
    );
  }

  /** What waits of a webhook is due now. */
  hasten(id: string, now: number): void {
    this.#write("UPDATE webhooks SET due_at = ?2 WHERE id = ?1 AND due_at > ?2", id, now);
  }

  /** The events up to this id are about to be forgotten: counts those that were not taken, and begins behind them. */
  miss(last: number): void {
    this.#write(
      `UPDATE webhooks SET sent_through = ?1, missed = missed + (
         SELECT count(*) FROM events WHERE id > sent_through AND id <= ?1
           AND (actions IS NULL OR action IN (SELECT value FROM json_each(actions))))
         WHERE sent_through < ?1`,
      last,
    );
  }

  /** The ids of those that are due, whoever waits longest first. */
  due(now: number): string[] {
    return this.#db
      .read<{ id: string }>("SELECT id FROM webhooks WHERE due_at <= ? ORDER BY due_at, id", now)
      .map(({ id }) => id);
  }

  /** When the next is due (ms since 1970). */
  nextDue(): number | undefined {
    this.#next ??= { due: this.#readNextDue() };
    return this.#next.due;
  }

  /** A call is about to be made: should nothing more be heard of it, it is made again then (ms since 1970). */
  claim(id: string, until: number): void {
    this.#write("UPDATE webhooks SET due_at = ? WHERE id = ?", until, id);
  }

  /** A call was made. Forgets an earlier secret whose time is over. */
  called({ id, taken, failures, answers, dueAt }: AfterCall, now: number): void {
    this.#write(
      `UPDATE webhooks SET sent_through = max(sent_through, ?2), missed = max(0, missed - ?3), failures = ?4, answers = ?5, due_at = ?6,
         earlier_sealed = CASE WHEN earlier_until > ?7 THEN earlier_sealed END,
         earlier_until = CASE WHEN earlier_until > ?7 THEN earlier_until END
         WHERE id = ?1`,
      id,
      taken?.through ?? 0,
      taken?.missed ?? 0,
      failures,
      JSON.stringify(answers),
      dueAt,
      now,
    );
  }

  #readNextDue(): number | undefined {
    const query = "SELECT min(due_at) AS next FROM webhooks";
    return this.#db.readOne<{ next: number | null }>(query).next ?? undefined;
  }

  #write(statement: string, ...values: SqlStorageValue[]): number {
    this.#next = undefined;
    return this.#db.write(statement, ...values);
  }
}

function fromRow(row: Row): Webhook {
  const { earlier_sealed: sealed, earlier_until: until } = row;
  return {
    id: row.id,
    url: row.url,
    actions: row.actions === null ? null : actionsSchema.parse(JSON.parse(row.actions)),
    note: row.note,
    createdAt: row.created_at,
    sealed: row.sealed,
    earlier: sealed === null || until === null ? null : { sealed, until },
    sentThrough: row.sent_through,
    missed: row.missed,
    failures: row.failures,
    dueAt: row.due_at,
    answers: z.array(answerSchema).parse(JSON.parse(row.answers)),
  };
}
