import type { OutboxStore } from "../store/outbox-store.ts";

/** The object's one alarm: always set to when the next row of the outbox is due, or earlier. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  #setTo: number | undefined;
  #working = false;

  /** `setTo`: the alarm that storage holds already (ms since 1970). */
  constructor(storage: DurableObjectStorage, setTo: number | undefined) {
    this.#storage = storage;
    this.#setTo = setTo;
  }

  /** Sets the alarm for the next due row; leaves one that goes off earlier. */
  arm(outbox: OutboxStore): void {
    // While the alarm works, rows are due that it is about to deliver. It arms anew at its end; if it never
    // gets there, the platform calls it again.
    if (this.#working) return;
    const next = outbox.nextDue();
    if (next === undefined || (this.#setTo !== undefined && this.#setTo <= next)) return;
    this.#setTo = next;
    void this.#storage.setAlarm(next);
  }

  /** Runs the alarm's work, then sets the alarm for what is left. */
  async goOff(outbox: OutboxStore, work: () => Promise<void>): Promise<void> {
    this.#setTo = undefined;
    this.#working = true;
    try {
      await work();
    } finally {
      this.#working = false;
      this.arm(outbox);
    }
  }
}
