/** Something that happens at its time, unless its owner is gone by then. */
interface Event {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

/**
 * The simulation's time. Nothing waits for the wall clock: time jumps from one event to the next, and between two events
 * every promise that can go on does.
 */
export class Clock {
  #now: number;
  #order = 0;
  /** What was noted, the oldest first. */
  readonly journal: string[] = [];
  #events: Event[] = [];
  #countdown: { left: number; happen: () => void } | undefined;

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  /** Notes what happens now, for whoever wants to know later how it came. */
  note(what: string): void {
    this.journal.push(`${new Date(this.#now).toISOString().slice(8, 23)} ${what}`);
  }

  /** Makes something happen after so many ms; what is asked for first happens first. */
  after(ms: number, happen: () => void): void {
    const event = { at: this.#now + Math.max(0, ms), order: this.#order++, happen };
    // Ordered by time: most are soon, and there are few.
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.at ?? 0) > event.at) index--;
    this.#events.splice(index, 0, event);
  }

  /** Makes something happen before the event number `events` from now, whatever that is. */
  afterEvents(events: number, happen: () => void): void {
    this.#countdown = { left: events, happen };
  }

  /** Lets so many ms pass with all that happens in them. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0]) {
      const countdown = this.#countdown;
      if (countdown !== undefined && countdown.left-- <= 0) {
        this.#countdown = undefined;
        countdown.happen();
        await settle();
        continue;
      }
      this.#events.shift();
      this.#now = next.at;
      next.happen();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets every promise go on that can: the queue of microtasks is empty before Node takes the next immediate. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
