import { NAME_PATTERN } from "../../cloud-init/name-pattern.ts";

/** Longest DNS label, RFC 1035. */
const LONGEST = 63;

/** Whether the text can be a node's name. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** The name that comes nearest to what somebody calls a server, `web-server-1` for "Web server 1", `buro` for "Büro"; undefined when nothing of it can stay. */
export function nameFrom(text: string): string | undefined {
  const name = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, LONGEST)
    .replace(/-$/, "");
  return isName(text) ? text : isName(name) ? name : undefined;
}

/** Whether the name fits the pattern, in which one `*` stands for any characters, also none. */
export function matchesName(name: string, pattern: string): boolean {
  const [head = "", tail] = pattern.split("*");
  if (tail === undefined) return name === pattern;
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
}

/** Whether there are names that fit the pattern. */
export function canMatch(pattern: string): boolean {
  const [head = "", tail] = pattern.split("*");
  // The shortest name that fits: the star stands for what makes it a name, if need be.
  return tail === undefined ? isName(pattern) : isName(head + tail) || isName(`${head}a${tail}`);
}

/** A name, and the number by which it differs from the one that was wanted; 1 when it does not. */
export interface NumberedName {
  readonly name: string;
  readonly number: number;
}

/**
 * The wanted name, or when that is taken the first free of `web1-2`, `web1-3`, …, from the number `first` on (2 or more); never
 * longer than a DNS label. `wanted` must be a name, and `taken` must be false for some number, as it is for any finite set.
 */
export function uniqueName(wanted: string, taken: (name: string) => boolean, first: number): NumberedName {
  if (!taken(wanted)) return { name: wanted, number: 1 };
  for (let number = first; ; number++) {
    const suffix = `-${number}`;
    const name = wanted.slice(0, LONGEST - suffix.length).replace(/-+$/, "") + suffix;
    if (!taken(name)) return { name, number };
  }
}
