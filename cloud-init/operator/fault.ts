import { UserDataError } from "../user-data-error.ts";
import type { Node } from "../yaml/parser.ts";
import type { Mark } from "../yaml/reader.ts";
import { YAML_TAG } from "../yaml/tags.ts";

/** That the operator's own cloud-config cannot be used as it is, and why. */
export function configFault(reason: string): UserDataError {
  return new UserDataError("cloudConfig", reason);
}

/** Where something stands in it. */
export function placeOf({ line, column }: Mark): string {
  return `line ${line}, column ${column}`;
}

/** What YAML takes a value for: `str`, `int`, `map` and so on, or the whole tag of what is not YAML's own. */
export function typeOf({ tag }: Node): string {
  return tag.startsWith(YAML_TAG) ? tag.slice(YAML_TAG.length) : tag;
}

/** The items of a list. Throws when the value of the key is none: cloud-init would give up on it. */
export function itemsOf(key: string, value: Node): readonly Node[] {
  if (value.kind !== "sequence") throw configFault(`${key} must be a list`);
  return value.items;
}
