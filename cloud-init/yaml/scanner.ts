// The tokens of a YAML text, as PyYAML's scanner finds them (scanner.py of PyYAML 6.0). Its copyright:
// Copyright (c) 2017-2021 Ingy döt Net, 2006-2016 Kirill Simonov; MIT license, as in LICENSE.
import { type Directive, type TagName, takeAnchorName, takeDirective, takeTagName } from "./names.ts";
import { END, isGap, type Mark, Reader, YamlError } from "./reader.ts";
import { takeBlockScalar, takePlainScalar, takeQuotedScalar } from "./scalars.ts";

/** A token that says all by its kind, which is PyYAML's name for it. */
export type Sign =
  | "<stream end>"
  | "<document start>"
  | "<document end>"
  | "<block sequence start>"
  | "<block mapping start>"
  | "<block end>"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "-"
  | "?"
  | ":";

export type Token = { readonly mark: Mark } & (
  | { readonly kind: Sign }
  | { readonly kind: "<scalar>"; readonly value: string; readonly isPlain: boolean }
  | { readonly kind: "<anchor>" | "<alias>"; readonly value: string }
  | { readonly kind: "<tag>"; readonly name: TagName }
  | { readonly kind: "<directive>"; readonly directive: Directive }
);

/** A place at which a mapping's key may have begun: only the `:` behind it will tell. */
interface PossibleKey {
  readonly token: number;
  /** Nothing else can stand there. */
  readonly isRequired: boolean;
  readonly index: number;
  readonly line: number;
  readonly column: number;
  readonly mark: Mark;
}

/** How far behind its beginning a key's `:` may be. */
const LONGEST_KEY = 1024;

/** Scans a text token by token. Throws a YamlError at what is no token. */
export class Scanner {
  readonly #reader: Reader;
  readonly #tokens: Token[] = [];
  #taken = 0;
  #isDone = false;
  /** How many flow collections ([, {) are open. */
  #flowLevel = 0;
  /** The column of the block collection that is open; -1: none. */
  #indent = -1;
  readonly #indents: number[] = [];
  #mayKeyBegin = true;
  /** By flow level. */
  readonly #possibleKeys = new Map<number, PossibleKey>();

  constructor(text: string) {
    this.#reader = new Reader(text);
  }

  /** The next token; the stream's end stays the next one for ever. */
  peek(): Token {
    while (this.#needsMore()) this.#fetch();
    return this.#tokens[0] ?? { kind: "<stream end>", mark: this.#reader.mark() };
  }

  take(): Token {
    const token = this.peek();
    this.#tokens.shift();
    this.#taken++;
    return token;
  }

  #needsMore(): boolean {
    if (this.#isDone) return false;
    if (this.#tokens.length === 0) return true;
    this.#dropStaleKeys();
    // While the first token may yet become a key, its `?` has to be put before it.
    for (const { token } of this.#possibleKeys.values()) if (token === this.#taken) return true;
    return false;
  }

  #fetch(): void {
    this.#skipToToken();
    this.#dropStaleKeys();
    this.#unwind(this.#reader.column);
    const character = this.#reader.peek();
    if (this.#fetchSign(character) || this.#fetchText(character)) return;
    throw this.#error(`found character ${JSON.stringify(character)} that cannot start any token`);
  }

  /** Fetches the sign that begins with the character here, or the stream's end; false when that begins none. */
  #fetchSign(character: string): boolean {
    const isAtMargin = this.#reader.column === 0;
    const isInFlow = this.#flowLevel > 0;
    const isAlone = (): boolean => isGap(this.#reader.peek(1));
    if (character === END) this.#fetchEnd();
    else if (character === "%" && isAtMargin) this.#fetchDirective();
    else if (isAtMargin && this.#reader.isMarker("---")) this.#fetchMarker("<document start>");
    else if (isAtMargin && this.#reader.isMarker("...")) this.#fetchMarker("<document end>");
    else if (character === "[" || character === "{") this.#fetchFlowStart(character);
    else if (character === "]" || character === "}") this.#fetchFlowEnd(character);
    else if (character === ",") this.#fetchFlowEntry();
    else if (character === "-" && isAlone()) this.#fetchBlockEntry();
    else if (character === "?" && (isInFlow || isAlone())) this.#fetchKey();
    else if (character === ":" && (isInFlow || isAlone())) this.#fetchValue();
    else return false;
    return true;
  }

  /** Fetches the name, tag or scalar that begins with the character here; false when that begins none. */
  #fetchText(character: string): boolean {
    if (character === "*") this.#fetchName("<alias>");
    else if (character === "&") this.#fetchName("<anchor>");
    else if (character === "!")
      this.#fetchInline((mark) => ({ kind: "<tag>", name: takeTagName(this.#reader), mark }));
    else if ((character === "|" || character === ">") && this.#flowLevel === 0) this.#fetchBlockScalar();
    else if (character === "'" || character === '"')
      this.#fetchInline((mark) => scalar(takeQuotedScalar(this.#reader, character), false, mark));
    else if (this.#isPlainStart(character)) this.#fetchPlain();
    else return false;
    return true;
  }

  #isPlainStart(character: string): boolean {
    if (!isGap(character) && !"-?:,[]{}#&*!|>'\"%@`".includes(character)) return true;
    if (isGap(this.#reader.peek(1))) return false;
    return character === "-" || (this.#flowLevel === 0 && (character === "?" || character === ":"));
  }

  #error(reason: string): YamlError {
    return new YamlError(reason, this.#reader.mark());
  }

  #push(kind: Sign, mark = this.#reader.mark()): void {
    this.#tokens.push({ kind, mark });
  }

  /** A sign of so many characters. */
  #pushAndPass(kind: Sign, length = 1): void {
    this.#push(kind);
    this.#reader.forward(length);
  }

  // Keys of mappings.

  #dropStaleKeys(): void {
    if (this.#possibleKeys.size === 0) return;
    for (const [level, key] of this.#possibleKeys) {
      if (key.line === this.#reader.line && this.#reader.index - key.index <= LONGEST_KEY) continue;
      this.#dropKey(level, key);
    }
  }

  #notePossibleKey(): void {
    if (!this.#mayKeyBegin) return;
    this.#forgetPossibleKey();
    const { index, line, column } = this.#reader;
    this.#possibleKeys.set(this.#flowLevel, {
      token: this.#taken + this.#tokens.length,
      isRequired: this.#flowLevel === 0 && this.#indent === column,
      index,
      line,
      column,
      mark: this.#reader.mark(),
    });
  }

  #forgetPossibleKey(): void {
    const key = this.#possibleKeys.get(this.#flowLevel);
    if (key !== undefined) this.#dropKey(this.#flowLevel, key);
  }

  #dropKey(level: number, key: PossibleKey): void {
    if (key.isRequired) throw new YamlError("could not find expected ':'", key.mark);
    this.#possibleKeys.delete(level);
  }

  // Indentation.

  /** Ends the block collections that are further to the right. */
  #unwind(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#indent = this.#indents.pop() ?? -1;
      this.#push("<block end>");
    }
  }

  /** Whether a block collection begins at the column. */
  #indentTo(column: number): boolean {
    if (this.#indent >= column) return false;
    this.#indents.push(this.#indent);
    this.#indent = column;
    return true;
  }

  // One kind of token each.

  #fetchEnd(): void {
    this.#unwind(-1);
    this.#forgetPossibleKey();
    this.#possibleKeys.clear();
    this.#push("<stream end>");
    this.#isDone = true;
  }

  #fetchDirective(): void {
    this.#unwind(-1);
    this.#forgetPossibleKey();
    this.#mayKeyBegin = false;
    const mark = this.#reader.mark();
    this.#tokens.push({ kind: "<directive>", directive: takeDirective(this.#reader), mark });
  }

  #fetchMarker(kind: "<document start>" | "<document end>"): void {
    this.#unwind(-1);
    this.#forgetPossibleKey();
    this.#mayKeyBegin = false;
    this.#pushAndPass(kind, 3);
  }

  #fetchFlowStart(kind: "[" | "{"): void {
    this.#notePossibleKey();
    this.#flowLevel++;
    this.#mayKeyBegin = true;
    this.#pushAndPass(kind);
  }

  #fetchFlowEnd(kind: "]" | "}"): void {
    this.#forgetPossibleKey();
    this.#flowLevel--;
    this.#mayKeyBegin = false;
    this.#pushAndPass(kind);
  }

  #fetchFlowEntry(): void {
    this.#mayKeyBegin = true;
    this.#forgetPossibleKey();
    this.#pushAndPass(",");
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) {
      if (!this.#mayKeyBegin) throw this.#error("sequence entries are not allowed here");
      if (this.#indentTo(this.#reader.column)) this.#push("<block sequence start>");
    }
    this.#mayKeyBegin = true;
    this.#forgetPossibleKey();
    this.#pushAndPass("-");
  }

  #fetchKey(): void {
    this.#beginMapping("mapping keys are not allowed here");
    this.#forgetPossibleKey();
    this.#pushAndPass("?");
  }

  #fetchValue(): void {
    const key = this.#possibleKeys.get(this.#flowLevel);
    if (key === undefined) {
      this.#beginMapping("mapping values are not allowed here");
      this.#forgetPossibleKey();
    } else {
      this.#possibleKeys.delete(this.#flowLevel);
      const begins = this.#flowLevel === 0 && this.#indentTo(key.column);
      this.#tokens.splice(
        key.token - this.#taken,
        0,
        ...(begins ? [{ kind: "<block mapping start>", mark: key.mark } as const] : []),
        { kind: "?", mark: key.mark },
      );
      this.#mayKeyBegin = false;
    }
    this.#pushAndPass(":");
  }

  /** Outside of flow collections a key or a value without one begins a mapping, or stands in one. */
  #beginMapping(refusal: string): void {
    if (this.#flowLevel === 0) {
      if (!this.#mayKeyBegin) throw this.#error(refusal);
      if (this.#indentTo(this.#reader.column)) this.#push("<block mapping start>");
    }
    this.#mayKeyBegin = this.#flowLevel === 0;
  }

  /** What may be a key, or stand before one. */
  #fetchInline(scan: (mark: Mark) => Token): void {
    this.#notePossibleKey();
    this.#mayKeyBegin = false;
    this.#tokens.push(scan(this.#reader.mark()));
  }

  #fetchName(kind: "<anchor>" | "<alias>"): void {
    this.#fetchInline((mark) => ({ kind, value: takeAnchorName(this.#reader), mark }));
  }

  #fetchPlain(): void {
    this.#notePossibleKey();
    const mark = this.#reader.mark();
    const { value, endsLine } = takePlainScalar(this.#reader, this.#indent, this.#flowLevel > 0);
    this.#mayKeyBegin = endsLine;
    this.#tokens.push(scalar(value, true, mark));
  }

  #fetchBlockScalar(): void {
    this.#mayKeyBegin = true;
    this.#forgetPossibleKey();
    const mark = this.#reader.mark();
    this.#tokens.push(scalar(takeBlockScalar(this.#reader, this.#indent), false, mark));
  }

  /** Comments, line breaks and spaces, but no tab: that begins no token. */
  #skipToToken(): void {
    if (this.#reader.index === 0 && this.#reader.peek() === "\ufeff") this.#reader.forward();
    for (;;) {
      this.#reader.skipSpaces();
      this.#reader.skipComment();
      if (this.#reader.takeLineBreak() === "") return;
      if (this.#flowLevel === 0) this.#mayKeyBegin = true;
    }
  }
}

function scalar(value: string, isPlain: boolean, mark: Mark): Token {
  return { kind: "<scalar>", value, isPlain, mark };
}
