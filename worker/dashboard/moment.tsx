/** @jsxImportSource hono/jsx */

/** A time of the API's as people read it. */
export function Moment({ time }: { time: string }) {
  return <time datetime={time}>{sayMoment(time)}</time>;
}

/** The same as a text: `2026-12-07 22:19 UTC`. */
export function sayMoment(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
