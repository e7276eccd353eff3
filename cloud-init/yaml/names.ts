// Names in a YAML text: of anchors and tags, and the lines that begin with %, as PyYAML's scanner takes them (see scanner.ts).
import { END, isEndOfLine, isGap, isLineBreak, type Reader, YamlError } from "./reader.ts";

/** A line that begins with %; one that YAML does not know has neither. */
export interface Directive {
  /** The major number of %YAML. */
  readonly version?: number;
  /** What %TAG says. */
  readonly tag?: { readonly handle: string; readonly prefix: string };
}

/** A tag as it stands there: a handle such as ! or !!, if any, and what follows. */
export interface TagName {
  readonly handle: string | undefined;
  readonly suffix: string;
}

const isWord = (character: string): boolean => /^[0-9A-Za-z_-]$/.test(character);
const isInUri = (character: string): boolean => /^[0-9A-Za-z\-;/?:@&=+$,_.!~*'()[\]]$/.test(character);

export function takeDirective(reader: Reader): Directive {
  reader.forward();
  const name = takeWord(reader);
  if (!isAtSpaceOrEnd(reader)) throw unexpected(reader, "alphabetic or numeric character");
  let directive: Directive = {};
  if (name === "YAML") directive = { version: takeVersion(reader) };
  else if (name === "TAG") directive = { tag: takeTagDirective(reader) };
  else reader.forward(reader.count((character) => !isEndOfLine(character)));
  reader.skipSpaces();
  reader.skipComment();
  if (!isEndOfLine(reader.peek())) throw unexpected(reader, "a comment or a line break");
  reader.takeLineBreak();
  return directive;
}

/** What follows & or *. */
export function takeAnchorName(reader: Reader): string {
  reader.forward();
  const name = takeWord(reader);
  const next = reader.peek();
  if (!isGap(next) && !"?:,]}%@`".includes(next)) throw unexpected(reader, "alphabetic or numeric character");
  return name;
}

/** What begins with !. */
export function takeTagName(reader: Reader): TagName {
  const name = takeTagParts(reader);
  if (!isAtSpaceOrEnd(reader)) throw unexpected(reader, "' '");
  return name;
}

function takeTagParts(reader: Reader): TagName {
  const next = reader.peek(1);
  if (next === "<") {
    reader.forward(2);
    const suffix = takeUri(reader);
    if (reader.peek() !== ">") throw unexpected(reader, "'>'");
    reader.forward();
    return { handle: undefined, suffix };
  }
  if (isGap(next)) {
    reader.forward();
    return { handle: undefined, suffix: "!" };
  }
  const length = reader.count(
    (character) => character !== "!" && character !== " " && !isEndOfLine(character),
    1,
  );
  if (reader.peek(length) === "!") return { handle: takeTagHandle(reader), suffix: takeUri(reader) };
  reader.forward();
  return { handle: "!", suffix: takeUri(reader) };
}

function takeVersion(reader: Reader): number {
  reader.skipSpaces();
  const major = takeNumber(reader);
  if (reader.peek() !== ".") throw unexpected(reader, "a digit or '.'");
  reader.forward();
  takeNumber(reader);
  if (!isAtSpaceOrEnd(reader)) throw unexpected(reader, "a digit or ' '");
  return major;
}

function takeNumber(reader: Reader): number {
  const length = reader.count((character) => character >= "0" && character <= "9");
  if (length === 0) throw unexpected(reader, "a digit");
  return Number(reader.take(length));
}

function takeTagDirective(reader: Reader): { handle: string; prefix: string } {
  reader.skipSpaces();
  const handle = takeTagHandle(reader);
  if (reader.peek() !== " ") throw unexpected(reader, "' '");
  reader.skipSpaces();
  const prefix = takeUri(reader);
  if (!isAtSpaceOrEnd(reader)) throw unexpected(reader, "' '");
  return { handle, prefix };
}

function takeTagHandle(reader: Reader): string {
  if (reader.peek() !== "!") throw unexpected(reader, "'!'");
  if (reader.peek(1) === " ") return reader.take(1);
  const length = reader.count(isWord, 1);
  if (reader.peek(length) !== "!") {
    reader.forward(length);
    throw unexpected(reader, "'!'");
  }
  return reader.take(length + 1);
}

function takeWord(reader: Reader): string {
  const length = reader.count(isWord);
  if (length === 0) throw unexpected(reader, "alphabetic or numeric character");
  return reader.take(length);
}

function takeUri(reader: Reader): string {
  let uri = "";
  for (;;) {
    uri += reader.take(reader.count(isInUri));
    if (reader.peek() !== "%") break;
    uri += takeUriEscapes(reader);
  }
  if (uri === "") throw unexpected(reader, "URI");
  return uri;
}

function takeUriEscapes(reader: Reader): string {
  const mark = reader.mark();
  let escapes = "";
  while (reader.peek() === "%") {
    const digits = reader.count((character, at) => at < 3 && /[0-9A-Fa-f]/.test(character), 1) - 1;
    if (digits < 2) throw unexpected(reader, "URI escape sequence of 2 hexadecimal numbers");
    escapes += reader.take(3);
  }
  try {
    return decodeURIComponent(escapes);
  } catch {
    throw new YamlError("the escape sequence is no UTF-8", mark);
  }
}

function isAtSpaceOrEnd(reader: Reader): boolean {
  const next = reader.peek();
  return next === " " || isEndOfLine(next);
}

function unexpected(reader: Reader, wanted: string): YamlError {
  const found = reader.peek();
  const what = found === END || isLineBreak(found) ? "the line's end" : JSON.stringify(found);
  return new YamlError(`expected ${wanted}, but found ${what}`, reader.mark());
}
