/** One thing that was looked at. */
export interface Finding {
  readonly level: "ok" | "warn" | "FAIL";
  readonly thing: string;
  readonly saw: string;
  /** What to do; left out where all is well. */
  readonly remedy?: string;
}
