import { type ParseArgsConfig, parseArgs } from "node:util";

/** A mistake in the options; the message says which and what would be right. */
export class BadOption extends Error {}

/** The command line's options by name and its other words, as node:util's parseArgs gives them. Throws a BadOption. */
export function parseCommandLine<const T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
}

/** The options alone; see parseCommandLine. */
export function readCommandLine<const T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>>["values"] {
  return parseCommandLine(config).values;
}

/** A decimal number from `least` to `most`. Throws a BadOption that names the option. */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new BadOption(`${name} ${text}: give a whole number from ${least} to ${most}`);
}
