// Delivers what the outbox holds. There is one way to deliver a row, whether a call or the alarm asks for it:
// what is on its way already is not sent again but waited for.

import { errorText, type Log } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { LIMITS } from "../config/limits.ts";
import { ControllerError } from "../controller/controller.ts";
import type { OutboxKind, OutboxRow } from "../store/outbox-store.ts";
import type { Stores } from "../store/stores.ts";
import { holdBack } from "./hold-back.ts";
import { routesLatest } from "./queue.ts";

/** How one kind is delivered. */
export interface Delivery {
  /** Outgoing calls that delivering takes at most. */
  cost(subject: string): number;
  /**
   * Brings the subject in line with what is stored now; rejects when that failed. Resolves to when it is to be looked at
   * again (ms since 1970), if at all.
   */
  deliver(subject: string): Promise<number | undefined>;
}

/** What {@link Outbox} needs; clock and randomness are arguments. */
export interface OutboxOptions {
  readonly stores: Stores;
  readonly deliveries: Record<OutboxKind, Delivery>;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** Why a delivery failed, and how often by now. */
export interface DeliveryFault {
  readonly cause: unknown;
  readonly attempts: number;
}

type DeliveryOutcome = Result<undefined, DeliveryFault>;

interface OnItsWay {
  readonly sequence: number;
  readonly outcome: Promise<DeliveryOutcome>;
}

/** ms that a failed delivery waits: at most after its first failure, at most after any, and at least. */
const RETRY_MS = { first: 2_000, longest: 10 * 60_000, shortest: 500 } as const;

/** ms after a write that was not heard of until the subject is looked at again: most of what comes late has come by then. */
export const SETTLE_MS = 60_000;

/** ms by which the routes wait again while members are on their way. */
const ROUTES_WAIT_MS = 500;

/**
 * How long (ms) to wait after the failure number `attempts` (0 is the first): up to twice as long each time,
 * with full jitter, so that what failed together is not tried together again. `random` gives [0, 1).
 */
export function retryDelay(attempts: number, random: () => number): number {
  const most = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(attempts, 20));
  return Math.max(RETRY_MS.shortest, Math.round(random() * most));
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #onItsWay = new Map<string, OnItsWay>();
  #arriving = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Runs an enrolment; the routes wait for those that are running, so that a burst makes one write. */
  async arriving<T>(enrolment: () => Promise<T>): Promise<T> {
    this.#arriving += 1;
    try {
      return await enrolment();
    } finally {
      this.#arriving -= 1;
    }
  }

  /** Delivers the row, or waits for the delivery that has begun. Succeeds at once when there is no row. */
  async deliver(kind: OutboxKind, subject: string): Promise<DeliveryOutcome> {
    const key = `${kind} ${subject}`;
    for (;;) {
      const row = this.#options.stores.outbox.get(kind, subject);
      const begun = this.#onItsWay.get(key);
      if (begun === undefined) return row === undefined ? ok(undefined) : this.#begin(key, row);
      if (row === undefined || row.sequence === begun.sequence) return begun.outcome;
      // The row has changed since that delivery read it: let it end first, never two of one subject at once.
      await begun.outcome;
    }
  }

  /** Delivers what is due, as much as one alarm may; the rest stays due. */
  async work(): Promise<void> {
    const { stores, now } = this.#options;
    const rows: OutboxRow[] = [];
    for (const row of stores.outbox.due(now(), LIMITS.alarmCalls)) {
      if (row.kind === "routes" && this.#routesWait(row))
        stores.transaction(() => stores.outbox.postpone(row, now() + ROUTES_WAIT_MS));
      else rows.push(row);
    }
    await this.#deliverSome(rows);
  }

  /** Delivers what waits of these subjects, whenever it is due, as much as one call may; the rest when it is due. */
  async hurry(kind: OutboxKind, subjects: readonly string[]): Promise<void> {
    const { outbox } = this.#options.stores;
    await this.#deliverSome(
      subjects.slice(0, LIMITS.alarmCalls).flatMap((subject) => outbox.get(kind, subject) ?? []),
    );
  }

  /** The first of the rows, as many as one invocation may, several at once; not those of a kind of which one fails. */
  async #deliverSome(rows: readonly OutboxRow[]): Promise<void> {
    let calls: number = LIMITS.alarmCalls;
    const batch: OutboxRow[] = [];
    for (const row of rows) {
      calls -= this.#options.deliveries[row.kind].cost(row.subject);
      if (calls < 0) break;
      batch.push(row);
    }
    const lane = async (): Promise<void> => {
      for (let row = batch.shift(); row !== undefined; row = batch.shift())
        if (!this.#isHeld(row)) await this.deliver(row.kind, row.subject);
    };
    await Promise.all(Array.from({ length: LIMITS.alarmConcurrency }, lane));
  }

  /** Whether another of the kind has failed since the batch was made. */
  #isHeld({ kind }: OutboxRow): boolean {
    return (this.#options.stores.outbox.held(kind)?.until ?? 0) > this.#options.now();
  }

  #routesWait(row: OutboxRow): boolean {
    if (row.isLook || this.#options.now() >= routesLatest(row.createdAt)) return false;
    return this.#arriving > 0 || this.#options.stores.outbox.hasFresh("member");
  }

  #begin(key: string, row: OutboxRow): Promise<DeliveryOutcome> {
    const outcome = this.#run(row).finally(() => this.#onItsWay.delete(key));
    this.#onItsWay.set(key, { sequence: row.sequence, outcome });
    return outcome;
  }

  async #run(row: OutboxRow): Promise<DeliveryOutcome> {
    const { stores, deliveries, now, random, log } = this.#options;
    try {
      const again = await deliveries[row.kind].deliver(row.subject);
      stores.transaction(() => {
        stores.outbox.done(row);
        stores.outbox.letGo(row.kind);
        if (again !== undefined) stores.outbox.again(row.kind, row.subject, now(), again);
      });
      return ok(undefined);
    } catch (error) {
      const retryAt = error instanceof ControllerError ? (error.retryAt ?? 0) : 0;
      const ownDueAt = Math.max(now() + retryDelay(row.attempts, random), retryAt);
      const fault = errorText(error);
      const failed = { row, error, fault, dueAt: ownDueAt };
      const dueAt = stores.transaction(() => holdBack(stores.outbox, failed, now()));
      log("delivery-failed", {
        kind: row.kind,
        subject: row.subject,
        attempts: row.attempts + 1,
        fault,
        dueAt,
      });
      return err({ cause: error, attempts: row.attempts + 1 });
    }
  }
}
