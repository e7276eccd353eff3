/** A log whose lines are kept until they may be shown. */
export interface HeldLog {
  readonly write: (line: string) => void;
  /** Shows what was kept, and from now on each line at once. */
  readonly release: () => void;
}

/** Keeps back what is logged while something else is to be printed first; `show` gets the lines. */
export function holdLog(show: (line: string) => void): HeldLog {
  let held: string[] | undefined = [];
  return {
    write(line) {
      if (held === undefined) show(line);
      else held.push(line);
    },
    release() {
      const lines = held ?? [];
      held = undefined;
      for (const line of lines) show(line);
    },
  };
}
