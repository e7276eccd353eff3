import { InvalidArgumentError } from "@commander-js/extra-typings";

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of a text such as `90s`, `10m`, `12h` or `7d`. Throws what commander shows. */
export function parseDuration(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  if (unit !== "s" && unit !== "m" && unit !== "h" && unit !== "d")
    throw new InvalidArgumentError("Give a number and s, m, h or d, such as 10m.");
  return Number(count) * UNITS[unit];
}

/** The same, for how long somebody waits: a timer of Node's goes no further, and would end at once. */
export function parseWait(text: string): number {
  const seconds = parseDuration(text);
  if (seconds > 24 * UNITS.d) throw new InvalidArgumentError("Give 24d at most.");
  return seconds;
}

/** So many seconds in the largest unit that says them roughly, in whole ones as `toWhole` makes them. */
export function durationText(seconds: number, toWhole = Math.floor): string {
  for (const unit of ["d", "h", "m"] as const)
    if (seconds >= 2 * UNITS[unit] || (seconds >= UNITS[unit] && unit !== "m"))
      return `${toWhole(seconds / UNITS[unit])}${unit}`;
  return `${Math.max(0, Math.round(seconds))}s`;
}

/** How long ago that was; `now`: ms since 1970. */
export function ago(time: string, now: number): string {
  return `${durationText((now - Date.parse(time)) / 1000)} ago`;
}

/** When that is, seen from now: ago, or in so long. */
export function when(time: string, now: number): string {
  const ahead = (Date.parse(time) - now) / 1000;
  // What is good for seven days is so in the first second too.
  return ahead > 0 ? `in ${durationText(ahead, Math.round)}` : ago(time, now);
}
