import type { Judge } from "./judge.ts";
import type { Storage } from "./storage.ts";

/** What came of a call: done, not done, or nobody knows. */
export type CallEnd = "done" | "kept" | "unsure";

type Change = (value: string) => string;

/** What is known of one lease. */
interface Known {
  readonly leasedAt: number;
  /** What it may be by now. */
  possible: ReadonlySet<string>;
  /** What the calls do that are under way, or were while another was. */
  changes: readonly Change[];
  open: number;
}

/**
 * Something that is kept of each server, as a text. While its lease lasts it is what it was, or what a call makes of it: whole or not at
 * all, and what was answered is there from then on.
 */
export class Kept {
  readonly #what: string;
  readonly #judge: Judge;
  readonly #storage: Storage;
  readonly #column: string;
  readonly #read: (stored: string | null) => string;
  readonly #known = new Map<string, Known>();

  constructor(options: {
    readonly what: string;
    readonly judge: Judge;
    readonly storage: Storage;
    /** Of the table of nodes. */
    readonly column: string;
    readonly read: (stored: string | null) => string;
  }) {
    this.#what = options.what;
    this.#judge = options.judge;
    this.#storage = options.storage;
    this.#column = options.column;
    this.#read = options.read;
  }

  /** A call begins that changes it so; the function returned takes what came of it, and what was answered that it is. */
  begin(node: string, change: Change): (end: CallEnd, answered?: string) => void {
    this.lookAround();
    const known = this.#knownOf(node);
    if (known === undefined) return () => {};
    const before = known.possible;
    const isAlone = known.open === 0;
    known.open += 1;
    known.changes = isAlone ? [change] : [...known.changes, change];
    const after = closure(before, known.changes);
    known.possible = after;
    return (end, answered) => {
      known.open -= 1;
      if (answered !== undefined && !known.possible.has(answered) && this.#isOf(node, known))
        this.#judge.accuse(`the ${this.#what} of ${node} are answered to be ${answered}`);
      // Of calls that overlap nobody knows which came last.
      if (!isAlone || known.possible !== after || end === "unsure") return;
      const made = new Set([...before].map(change));
      if (end === "done" && answered !== undefined && !made.has(answered) && this.#isOf(node, known))
        this.#judge.accuse(`the ${this.#what} of ${node} are answered to be ${answered}, as if unchanged`);
      if (end === "kept") known.possible = before;
      else known.possible = answered === undefined ? made : new Set([answered]);
    };
  }

  /** The storage is lost: a backup of before may have others. */
  lose(): void {
    this.#known.clear();
  }

  lookAround(): void {
    for (const { node, leasedAt, value } of this.#leases()) {
      const known = this.#known.get(node);
      if (known?.leasedAt === leasedAt && !known.possible.has(value))
        this.#judge.accuse(
          `the ${this.#what} of ${node} are ${value}, and may be ${[...known.possible].join(" or ")}`,
        );
    }
  }

  #knownOf(node: string): Known | undefined {
    const lease = this.#leases().find((one) => one.node === node);
    if (lease === undefined) return undefined;
    const known = this.#known.get(node);
    if (known?.leasedAt === lease.leasedAt) return known;
    const { leasedAt, value } = lease;
    const anew: Known = { leasedAt, possible: new Set([value]), changes: [], open: 0 };
    this.#known.set(node, anew);
    return anew;
  }

  #isOf(node: string, known: Known): boolean {
    return this.#leases().some((lease) => lease.node === node && lease.leasedAt === known.leasedAt);
  }

  #leases() {
    return this.#storage
      .rows<{ node: string; leasedAt: number; stored: string | null }>(
        `SELECT node, leased_at AS leasedAt, ${this.#column} AS stored FROM nodes`,
      )
      .map(({ stored, ...lease }) => ({ ...lease, value: this.#read(stored) }));
  }
}

/** All that the changes can make of the values, in any order, each done or not. */
function closure(values: ReadonlySet<string>, changes: readonly Change[]): ReadonlySet<string> {
  const after = new Set([...values, ...changes.flatMap((change) => [...values].map(change))]);
  return after.size === values.size ? after : closure(after, changes);
}
