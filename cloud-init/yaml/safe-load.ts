import { type MappingNode, type Node, parse, type SequenceNode } from "./parser.ts";
import { YamlError } from "./reader.ts";
import { scalarFault, YAML_TAG } from "./tags.ts";

const SEQUENCES = ["seq", "omap", "pairs"].map((name) => YAML_TAG + name);
const MAPPINGS = ["map", "set"].map((name) => YAML_TAG + name);

/**
 * The document of a text by the rules of PyYAML's `safe_load`, by which cloud-init reads: YAML 1.1, a tab begins no token,
 * the lines of a flow collection may stand anywhere. No YAML library for JavaScript takes and refuses the same texts.
 * Undefined for a text without a document. Throws a YamlError for a text of which PyYAML makes no values.
 */
export function safeLoad(text: string): Node | undefined {
  const root = parse(text);
  if (root !== undefined) checkNode(root, new Map());
  return root;
}

/** How many mappings may merge each other in a row: Python gives up somewhat later. */
const MOST_MERGES = 100;

/** The collections whose content is checked, since aliases may name one again and again; with each, how many it merges in a row. */
type Checked = Map<Node, number>;

function checkNode(node: Node, checked: Checked): void {
  if (node.kind === "scalar") {
    const fault = scalarFault(node.tag, node.value);
    if (fault !== undefined) throw new YamlError(fault, node.mark);
  } else {
    checkTag(node, node.kind === "sequence" ? SEQUENCES : MAPPINGS);
    checkContent(node, checked);
  }
}

function checkContent(node: SequenceNode | MappingNode, checked: Checked): void {
  if (checked.has(node)) return;
  checked.set(node, 0);
  if (node.kind === "sequence") checkItems(node, checked);
  else checkEntries(node, checked);
}

function checkItems(node: SequenceNode, checked: Checked): void {
  for (const item of node.items) {
    if (node.tag !== SEQUENCES[0] && (item.kind !== "mapping" || item.entries.length !== 1))
      throw new YamlError("expected a mapping of length 1", item.mark);
    checkNode(item, checked);
  }
}

function checkEntries(node: MappingNode, checked: Checked): void {
  for (const [key, value] of node.entries) {
    if (key.tag === `${YAML_TAG}merge`) {
      for (const merged of mergedBy(value)) {
        checkContent(merged, checked);
        const behind = 1 + (checked.get(merged) ?? 0);
        if (behind > MOST_MERGES)
          throw new YamlError(`more than ${MOST_MERGES} mappings merge each other in a row`, key.mark);
        checked.set(node, Math.max(behind, checked.get(node) ?? 0));
      }
      continue;
    }
    if (key.kind !== "scalar") throw new YamlError("found unhashable key", key.mark);
    // As a key, and only there, a = stands for itself.
    if (key.tag !== `${YAML_TAG}value`) checkNode(key, checked);
    checkNode(value, checked);
  }
}

/** Only their entries are made use of: what tag they have does not matter. */
function mergedBy(value: Node): MappingNode[] {
  const merged = value.kind === "sequence" ? value.items : [value];
  return merged.map((node) => {
    if (node.kind === "mapping") return node;
    throw new YamlError(`expected a mapping for merging, but found ${node.kind}`, node.mark);
  });
}

function checkTag({ kind, tag, mark }: SequenceNode | MappingNode, known: readonly string[]): void {
  if (!known.includes(tag)) throw new YamlError(`the tag '${tag}' makes no ${kind} that is known`, mark);
}
