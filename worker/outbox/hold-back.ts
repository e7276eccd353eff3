// A controller or KV that does not take one thing takes no other of the kind either, whichever it is: all of them wait as one
// queue. Each with a pause of its own would cost calls, and rows of the object's day, for everything that waits.
import { isQuotaUsedUp, quotaBackAt } from "../base/quota.ts";
import { HOUR_MS, MINUTE_MS } from "../base/time-units.ts";
import { ControllerError, type ControllerFault } from "../controller/controller.ts";
import type { OutboxRow, OutboxStore } from "../store/outbox-store.ts";

/** ms that a kind waits: after the first failure and at most, and while a quota is used up. Whoever changes to a paid plan need not wait for midnight. */
const HOLD_MS = { first: 2_000, longest: 10 * MINUTE_MS, usedUp: HOUR_MS } as const;

/** What a controller says of the one thing that it was asked for. */
const OF_ONE: readonly ControllerFault[] = ["rejected", "not-found"];

/** The row that failed, and why. Times in ms since 1970. */
export interface FailedRow {
  readonly row: OutboxRow;
  readonly error: unknown;
  readonly fault: string;
  /** When the row itself is to be tried again. */
  readonly dueAt: number;
}

/** Within a transaction: puts off the row, and its kind when the failure speaks for all of it. Returns until when the row waits. */
export function holdBack(outbox: OutboxStore, { row, error, fault, dueAt }: FailedRow, now: number): number {
  // A controller may say the same of a quota of its own.
  const usedUp = !(error instanceof ControllerError) && isQuotaUsedUp(error);
  // That a quota is used up says nothing about this one.
  if (!usedUp) outbox.failed(row, dueAt, fault);
  if (!usedUp && !speaksForAll(row, error)) return dueAt;
  const held = outbox.held(row.kind);
  // Of those that were on their way together, the first speaks.
  if (held !== undefined && held.until > now) return Math.max(dueAt, held.until);
  const failures = (held?.failures ?? 0) + 1;
  const until = usedUp
    ? Math.min(now + HOLD_MS.usedUp, quotaBackAt(now))
    : now + Math.min(HOLD_MS.longest, HOLD_MS.first * 2 ** (failures - 1));
  outbox.hold(row.kind, { until, failures, usedUp });
  return Math.max(dueAt, until);
}

function speaksForAll({ kind }: OutboxRow, error: unknown): boolean {
  return kind === "copy" || (error instanceof ControllerError && !OF_ONE.includes(error.reason));
}
