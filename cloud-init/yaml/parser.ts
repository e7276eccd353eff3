// The nodes of a YAML text, as PyYAML's parser and composer make them of the scanner's tokens (see scanner.ts).
import type { TagName } from "./names.ts";
import { type Mark, YamlError } from "./reader.ts";
import { Scanner, type Sign, type Token } from "./scanner.ts";
import { implicitTag, STRING_TAG, YAML_TAG } from "./tags.ts";

/** A value of a document with its tag; what an alias names is the very node, which may hold itself. */
export type Node = ScalarNode | SequenceNode | MappingNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly tag: string;
  readonly value: string;
  readonly mark: Mark;
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly tag: string;
  readonly items: Node[];
  readonly mark: Mark;
}

export interface MappingNode {
  readonly kind: "mapping";
  readonly tag: string;
  /** Keys and values as they stand there, also a key that stands there twice. */
  readonly entries: [key: Node, value: Node][];
  readonly mark: Mark;
}

/** How deep collections may lie in each other: Python gives up somewhat later, and nobody writes such a thing. */
const DEEPEST = 100;

const HANDLES: readonly (readonly [string, string])[] = [
  ["!", "!"],
  ["!!", YAML_TAG],
];

/** The one document of a text; undefined for a text without any. Throws a YamlError. */
export function parse(text: string): Node | undefined {
  return new Parser(text).document();
}

class Parser {
  readonly #scanner: Scanner;
  readonly #anchors = new Map<string, Node>();
  #handles = new Map(HANDLES);
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
  }

  document(): Node | undefined {
    if (this.#isNext("<stream end>")) return undefined;
    let root: Node;
    if (this.#isNext("<directive>", "<document start>")) {
      this.#startDocument();
      root = this.#isNext("<directive>", "<document start>", "<document end>", "<stream end>")
        ? this.#emptyScalar()
        : this.#blockNode();
    } else root = this.#blockNode();
    while (this.#isNext("<document end>")) this.#scanner.take();
    if (this.#isNext("<stream end>")) return root;
    const { mark } = this.#scanner.peek();
    this.#startDocument();
    throw new YamlError("expected a single document in the stream, but found another document", mark);
  }

  #startDocument(): void {
    const handles = new Map<string, string>();
    let hasVersion = false;
    for (let token = this.#scanner.peek(); token.kind === "<directive>"; token = this.#scanner.peek()) {
      this.#scanner.take();
      const { version, tag } = token.directive;
      if (version !== undefined) {
        if (hasVersion) throw new YamlError("found duplicate YAML directive", token.mark);
        if (version !== 1)
          throw new YamlError("found incompatible YAML document (version 1.* is required)", token.mark);
        hasVersion = true;
      }
      if (tag === undefined) continue;
      if (handles.has(tag.handle)) throw new YamlError(`duplicate tag handle ${tag.handle}`, token.mark);
      handles.set(tag.handle, tag.prefix);
    }
    this.#handles = new Map([...HANDLES, ...handles]);
    this.#expect("<document start>", "expected '<document start>'");
  }

  #blockNode(mayBeIndentless = false): Node {
    return this.#node(true, mayBeIndentless);
  }

  #flowNode(): Node {
    return this.#node(false, false);
  }

  #node(isBlock: boolean, mayBeIndentless: boolean): Node {
    const first = this.#scanner.peek();
    if (first.kind === "<alias>") {
      this.#scanner.take();
      const named = this.#anchors.get(first.value);
      if (named === undefined) throw new YamlError(`found undefined alias '${first.value}'`, first.mark);
      return named;
    }
    const { anchor, tag } = this.#properties();
    const { mark } = first;
    if (anchor !== undefined && this.#anchors.has(anchor))
      throw new YamlError(`found duplicate anchor '${anchor}'`, mark);
    const named = <N extends Node>(node: N): N => {
      if (anchor !== undefined) this.#anchors.set(anchor, node);
      return node;
    };
    const token = this.#scanner.peek();
    if (mayBeIndentless && token.kind === "-")
      return this.#collection(named(sequence(tag, mark)), (into) => this.#indentless(into));
    switch (token.kind) {
      case "<scalar>": {
        this.#scanner.take();
        const { value, isPlain } = token;
        const isImplicit = (isPlain && tag === undefined) || tag === "!";
        return named(scalar(isImplicit ? implicitTag(value) : (tag ?? STRING_TAG), value, mark));
      }
      case "[":
        return this.#collection(named(sequence(tag, mark)), (into) => this.#flowSequence(into));
      case "{":
        return this.#collection(named(mapping(tag, mark)), (into) => this.#flowMapping(into));
      case "<block sequence start>":
        if (!isBlock) break;
        return this.#collection(named(sequence(tag, mark)), (into) => this.#blockSequence(into));
      case "<block mapping start>":
        if (!isBlock) break;
        return this.#collection(named(mapping(tag, mark)), (into) => this.#blockMapping(into));
    }
    if (anchor === undefined && tag === undefined)
      throw new YamlError(`expected the node content, but found '${token.kind}'`, token.mark);
    return named(scalar(tag === undefined || tag === "!" ? implicitTag("") : tag, "", mark));
  }

  /** An anchor and a tag, in either order. */
  #properties(): { anchor?: string; tag?: string } {
    let anchor: string | undefined;
    let tag: string | undefined;
    for (;;) {
      const token = this.#scanner.peek();
      if (token.kind === "<anchor>" && anchor === undefined) anchor = token.value;
      else if (token.kind === "<tag>" && tag === undefined) tag = this.#tag(token.name, token.mark);
      else return { ...(anchor !== undefined && { anchor }), ...(tag !== undefined && { tag }) };
      this.#scanner.take();
    }
  }

  #tag({ handle, suffix }: TagName, mark: Mark): string {
    if (handle === undefined) return suffix;
    const prefix = this.#handles.get(handle);
    if (prefix === undefined) throw new YamlError(`found undefined tag handle '${handle}'`, mark);
    return prefix + suffix;
  }

  /** Reads a collection, which has its name by now: it may hold itself. */
  #collection<N extends Node>(node: N, read: (into: N) => void): N {
    this.#depth++;
    if (this.#depth > DEEPEST)
      throw new YamlError(`more than ${DEEPEST} collections lie in each other`, node.mark);
    read(node);
    this.#depth--;
    return node;
  }

  #blockSequence({ items }: SequenceNode): void {
    this.#scanner.take();
    while (this.#take("-")) {
      items.push(this.#isNext("-", "<block end>") ? this.#emptyScalar() : this.#blockNode());
    }
    this.#expect("<block end>", "expected <block end>");
  }

  /** One whose items stand no further to the right than the key before it. */
  #indentless({ items }: SequenceNode): void {
    while (this.#take("-")) {
      items.push(this.#isNext("-", "?", ":", "<block end>") ? this.#emptyScalar() : this.#blockNode());
    }
  }

  #blockMapping({ entries }: MappingNode): void {
    this.#scanner.take();
    const part = () => (this.#isNext("?", ":", "<block end>") ? this.#emptyScalar() : this.#blockNode(true));
    while (this.#take("?")) {
      const key = part();
      entries.push([key, this.#take(":") ? part() : this.#emptyScalar()]);
    }
    this.#expect("<block end>", "expected <block end>");
  }

  #flowSequence({ items }: SequenceNode): void {
    this.#scanner.take();
    for (let isFirst = true; !this.#isNext("]"); isFirst = false) {
      if (!isFirst) this.#expect(",", "expected ',' or ']'");
      if (this.#isNext("]")) break;
      const { mark } = this.#scanner.peek();
      if (!this.#take("?")) {
        items.push(this.#flowNode());
        continue;
      }
      // A mapping of one entry, without braces.
      const key = this.#isNext(":", ",", "]") ? this.#emptyScalar() : this.#flowNode();
      const hasValue = this.#take(":") && !this.#isNext(",", "]");
      const pair = mapping(undefined, mark);
      pair.entries.push([key, hasValue ? this.#flowNode() : this.#emptyScalar()]);
      items.push(pair);
    }
    this.#scanner.take();
  }

  #flowMapping({ entries }: MappingNode): void {
    this.#scanner.take();
    for (let isFirst = true; !this.#isNext("}"); isFirst = false) {
      if (!isFirst) this.#expect(",", "expected ',' or '}'");
      if (this.#isNext("}")) break;
      if (!this.#take("?")) {
        entries.push([this.#flowNode(), this.#emptyScalar()]);
        continue;
      }
      const key = this.#isNext(":", ",", "}") ? this.#emptyScalar() : this.#flowNode();
      const hasValue = this.#take(":") && !this.#isNext(",", "}");
      entries.push([key, hasValue ? this.#flowNode() : this.#emptyScalar()]);
    }
    this.#scanner.take();
  }

  #emptyScalar(): ScalarNode {
    return scalar(implicitTag(""), "", this.#scanner.peek().mark);
  }

  #isNext(...kinds: readonly Token["kind"][]): boolean {
    return kinds.includes(this.#scanner.peek().kind);
  }

  #take(kind: Sign): boolean {
    if (this.#scanner.peek().kind !== kind) return false;
    this.#scanner.take();
    return true;
  }

  #expect(kind: Sign, refusal: string): void {
    const found = this.#scanner.peek();
    if (!this.#take(kind)) throw new YamlError(`${refusal}, but found '${found.kind}'`, found.mark);
  }
}

/** The tag `!` says no more than that there is one. */
function collectionTag(tag: string | undefined, plain: string): string {
  return tag === undefined || tag === "!" ? plain : tag;
}

function scalar(tag: string, value: string, mark: Mark): ScalarNode {
  return { kind: "scalar", tag, value, mark };
}

function sequence(tag: string | undefined, mark: Mark): SequenceNode {
  return { kind: "sequence", tag: collectionTag(tag, `${YAML_TAG}seq`), items: [], mark };
}

function mapping(tag: string | undefined, mark: Mark): MappingNode {
  return { kind: "mapping", tag: collectionTag(tag, `${YAML_TAG}map`), entries: [], mark };
}
