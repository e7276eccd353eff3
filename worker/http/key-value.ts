// The answers' second form, for clients with a shell and no JSON parser: `KEY=value` lines. The reader takes
// them by a strict pattern and never evaluates them; so a value must not hold a control character.

/** A document of the API: objects, lists and scalars. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * A document as `KEY=value` lines, each ended by LF. The key is the path in upper snake case
 * (`docker.ipv4.subnet` is DOCKER_IPV4_SUBNET); absent and null values are left out; control characters in
 * a value become spaces; a list is joined by spaces, and an object in it is its values joined by colons.
 */
export function renderKeyValue(document: { readonly [key: string]: Json | undefined }): string {
  return lines(document, "").join("");
}

function lines(document: { readonly [key: string]: Json | undefined }, prefix: string): string[] {
  return Object.entries(document).flatMap(([key, value]) => {
    const name = prefix + snake(key);
    if (value === undefined || value === null) return [];
    if (isList(value)) return [`${name}=${value.map((item) => clean(itemText(item))).join(" ")}\n`];
    if (typeof value === "object") return lines(value, `${name}_`);
    return [`${name}=${clean(String(value))}\n`];
  });
}

function itemText(item: Json): string {
  return typeof item === "object" && item !== null ? Object.values(item).map(String).join(":") : String(item);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function snake(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[^A-Za-z0-9]/g, "_")
    .toUpperCase();
}

function clean(text: string): string {
  return text.replace(/\p{Cc}|\u2028|\u2029/gu, " ");
}
