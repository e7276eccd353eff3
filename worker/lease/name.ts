import { NAME_PATTERN } from "../../cloud-init/name-pattern.ts";

/** Longest DNS label, RFC 1035. */
const LONGEST = 63;

/** Whether the text can be a node's name. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/**
 * The wanted name, or when that is taken the first free of `web1-2`, `web1-3`, …; never longer than a DNS
 * label. `wanted` must be a name, and `taken` must be false for some number, as it is for any finite set.
 */
export function uniqueName(wanted: string, taken: (name: string) => boolean): string {
  let name = wanted;
  for (let number = 2; taken(name); number++) {
    const suffix = `-${number}`;
    name = wanted.slice(0, LONGEST - suffix.length).replace(/-+$/, "") + suffix;
  }
  return name;
}
