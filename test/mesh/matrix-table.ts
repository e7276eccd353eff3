const OK = "ok";
const FAILED = "FAIL";
const NOT_MEASURED = "-";

/** What was asked of a row in each state, and what was seen where it did not hold. */
export class MatrixTable<State extends string> {
  readonly #states: readonly State[];
  readonly #rows = new Map<string, Map<State, string[]>>();

  /** `rows` by their titles, of which each is a line of the table, in this order. */
  constructor(states: readonly State[], rows: readonly string[]) {
    this.#states = states;
    for (const row of rows) this.#rows.set(row, new Map());
  }

  /** Notes one measurement; without faults it is as promised. Several of one cell add up. */
  note(row: string, state: State, faults: readonly string[]): void {
    const cells = this.#rows.get(row);
    if (!cells) throw new Error(`the matrix has no row ${row}`);
    cells.set(state, [...(cells.get(state) ?? []), ...faults]);
  }

  /** By state: `ok`, or what was seen instead; a cell that was never measured is not ok. */
  outcome(row: string): Record<string, string> {
    const cells = this.#rows.get(row);
    return Object.fromEntries(
      this.#states.map((state) => {
        const faults = cells?.get(state);
        return [state, faults === undefined ? "not measured" : faults.join("; ") || OK];
      }),
    );
  }

  /** The table: a line a row, a mark a state; below it what was seen in the cells that failed. */
  toString(): string {
    const width = Math.max(...[...this.#rows.keys()].map((row) => row.length));
    const line = (title: string, marks: readonly string[]) =>
      `${title.padEnd(width)}  ${marks.map((mark, index) => mark.padEnd(this.#states[index]?.length ?? 0)).join("  ")}`.trimEnd();
    const lines = [line("", this.#states)];
    const seen: string[] = [];
    for (const [row, cells] of this.#rows) {
      const marks = this.#states.map((state) => {
        const faults = cells.get(state);
        if (faults === undefined) return NOT_MEASURED;
        seen.push(...faults.map((fault) => `${row}, ${state}: ${fault}`));
        return faults.length === 0 ? OK : FAILED;
      });
      lines.push(line(row, marks));
    }
    return [...lines, ...seen].join("\n");
  }
}
