/** @jsxImportSource hono/jsx */

const UNITS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
] as const;

/** A time as people say it, `now` being ms since 1970, and to the second for whoever points at it. */
export function TimeAgo({ time, now }: { time: string; now: number }) {
  return (
    <time datetime={time} title={time}>
      {sayAgo(Date.parse(time), now)}
    </time>
  );
}

/** How long before `now` that was; both ms since 1970. */
export function sayAgo(then: number, now: number): string {
  // What is good for seven days is so in the first second too.
  const span = sayFor(Math.abs(now - then), then > now ? Math.round : Math.floor);
  if (span === undefined) return "just now";
  return then > now ? `in ${span}` : `${span} ago`;
}

/** How long so many ms are, in the largest unit that they fill, in whole ones as `toWhole` makes them; undefined for less than a minute. */
export function sayFor(ms: number, toWhole = Math.floor): string | undefined {
  const seconds = ms / 1000;
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ["", 0];
  if (size === 0) return undefined;
  const count = toWhole(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
