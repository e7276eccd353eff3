import type { MappingNode, Node } from "./parser.ts";
import { YAML_TAG } from "./tags.ts";

/** The entries by key; what `<<` merges stands for what the mapping does not say itself. `known`: those of mappings seen before, to which an alias may lead back. */
export function entriesOf(
  mapping: MappingNode,
  known = new Map<Node, Map<string, Node>>(),
): Map<string, Node> {
  const before = known.get(mapping);
  if (before !== undefined) return before;
  const entries = new Map<string, Node>();
  known.set(mapping, entries);
  for (const [key, value] of mapping.entries) {
    if (!isMerge(key)) continue;
    const merged = value.kind === "sequence" ? value.items.toReversed() : [value];
    for (const each of merged) {
      if (each.kind !== "mapping") continue;
      for (const [name, node] of [...entriesOf(each, known)]) entries.set(name, node);
    }
  }
  for (const [key, value] of mapping.entries) {
    if (key.kind === "scalar" && !isMerge(key)) entries.set(key.value, value);
  }
  return entries;
}

/** Whether the key merges another mapping into its own. */
export function isMerge(key: Node): boolean {
  return key.tag === `${YAML_TAG}merge`;
}
