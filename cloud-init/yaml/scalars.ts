// How a scalar's text is taken from where it stands, as PyYAML's scanner does it (see scanner.ts).
import { END, isEndOfLine, isGap, isLineBreak, type Reader, YamlError } from "./reader.ts";

/** A text without quotes, and whether it was read to the end of its last line, so that a key may follow. */
export function takePlainScalar(
  reader: Reader,
  indent: number,
  isInFlow: boolean,
): { value: string; endsLine: boolean } {
  let value = "";
  let spaces = "";
  let endsLine = false;
  for (;;) {
    const length = reader.peek() === "#" ? 0 : plainLength(reader, isInFlow);
    if (length === 0) break;
    endsLine = false;
    value += spaces + reader.take(length);
    const between = takePlainSpaces(reader);
    endsLine = between.endsLine;
    spaces = between.value;
    if (spaces === "" || reader.peek() === "#" || (!isInFlow && reader.column < indent + 1)) break;
  }
  return { value, endsLine };
}

function plainLength(reader: Reader, isInFlow: boolean): number {
  return reader.count((character, at) => {
    if (isGap(character)) return false;
    if (isInFlow && ",?[]{}".includes(character)) return false;
    if (character !== ":") return true;
    const next = reader.peek(at + 1);
    return !isGap(next) && !(isInFlow && ",[]{}".includes(next));
  });
}

/** Spaces and line breaks within a plain scalar, folded; nothing where the scalar ends. */
function takePlainSpaces(reader: Reader): { value: string; endsLine: boolean } {
  const spaces = reader.take(reader.count((character) => character === " "));
  if (!isLineBreak(reader.peek())) return { value: spaces, endsLine: false };
  const first = reader.takeLineBreak();
  if (isAtDocumentMarker(reader)) return { value: "", endsLine: true };
  let breaks = "";
  for (;;) {
    if (reader.peek() === " ") reader.forward();
    else if (isLineBreak(reader.peek())) {
      breaks += reader.takeLineBreak();
      if (isAtDocumentMarker(reader)) return { value: "", endsLine: true };
    } else return { value: folded(first, breaks), endsLine: true };
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "\\": "\\",
  "/": "/",
  N: "\x85",
  _: "\xa0",
  L: "\u2028",
  P: "\u2029",
};

/** Hex digits behind an escape that names a character. */
const CODES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** A text in quotes, which stand around it here. */
export function takeQuotedScalar(reader: Reader, quote: "'" | '"'): string {
  reader.forward();
  let value = takeQuotedText(reader, quote);
  while (reader.peek() !== quote) value += takeQuotedSpaces(reader) + takeQuotedText(reader, quote);
  reader.forward();
  return value;
}

function takeQuotedText(reader: Reader, quote: "'" | '"'): string {
  let value = "";
  for (;;) {
    value += reader.take(reader.count((character) => !isGap(character) && !"'\"\\".includes(character)));
    const character = reader.peek();
    if (isGap(character)) return value;
    if (quote === '"' && character === "\\") value += takeEscape(reader);
    else if (quote === "'" && character === "'" && reader.peek(1) === "'") value += reader.take(2).slice(1);
    else if (character === quote) return value;
    else value += reader.take(1);
  }
}

function takeEscape(reader: Reader): string {
  reader.forward();
  const character = reader.peek();
  const plain = ESCAPES[character];
  if (plain !== undefined && character !== END) {
    reader.forward();
    return plain;
  }
  const digits = CODES[character];
  if (digits !== undefined) {
    reader.forward();
    return takeCode(reader, digits);
  }
  if (isLineBreak(character)) {
    reader.takeLineBreak();
    return takeQuotedBreaks(reader);
  }
  throw new YamlError(`found unknown escape character ${JSON.stringify(character)}`, reader.mark());
}

function takeCode(reader: Reader, digits: number): string {
  const mark = reader.mark();
  const found = reader.count((character, at) => at < digits && /[0-9A-Fa-f]/.test(character));
  if (found < digits) throw new YamlError(`expected escape sequence of ${digits} hexadecimal numbers`, mark);
  const code = Number.parseInt(reader.take(digits), 16);
  if (code > 0x10ffff) throw new YamlError("there is no such character", mark);
  return String.fromCodePoint(code);
}

function takeQuotedSpaces(reader: Reader): string {
  const spaces = reader.take(reader.count((character) => character === " " || character === "\t"));
  if (reader.peek() === END) throw new YamlError("found unexpected end of stream", reader.mark());
  if (!isLineBreak(reader.peek())) return spaces;
  const first = reader.takeLineBreak();
  return folded(first, takeQuotedBreaks(reader));
}

function takeQuotedBreaks(reader: Reader): string {
  let breaks = "";
  for (;;) {
    if (isAtDocumentMarker(reader)) throw new YamlError("found unexpected document separator", reader.mark());
    reader.forward(reader.count((character) => character === " " || character === "\t"));
    if (!isLineBreak(reader.peek())) return breaks;
    breaks += reader.takeLineBreak();
  }
}

/** A text of lines behind `|` or `>`, which stands here; `indent` is that of the collection around it. */
export function takeBlockScalar(reader: Reader, indent: number): string {
  const isFolded = reader.take(1) === ">";
  const { chomping, increment } = takeBlockIndicators(reader);
  reader.skipSpaces();
  reader.skipComment();
  if (!isEndOfLine(reader.peek())) throw new YamlError("expected a comment or a line break", reader.mark());
  reader.takeLineBreak();
  const least = Math.max(indent + 1, 1);
  let column = least + (increment ?? 1) - 1;
  let breaks = "";
  if (increment === undefined) {
    const found = takeBlockIndentation(reader);
    column = Math.max(least, found.most);
    breaks = found.breaks;
  } else breaks = takeBlockBreaks(reader, column);
  let value = "";
  let last = "";
  while (reader.column === column && reader.peek() !== END) {
    const isIndentedFurther = " \t".includes(reader.peek());
    value += breaks + reader.take(reader.count((character) => !isEndOfLine(character)));
    last = reader.takeLineBreak();
    breaks = takeBlockBreaks(reader, column);
    if (reader.column !== column || reader.peek() === END) break;
    const joins = isFolded && last === "\n" && !isIndentedFurther && !" \t".includes(reader.peek());
    if (!joins) value += last;
    else if (breaks === "") value += " ";
  }
  if (chomping === "-") return value;
  return chomping === "+" ? value + last + breaks : value + last;
}

function takeBlockIndicators(reader: Reader): { chomping?: "+" | "-"; increment?: number } {
  let chomping: "+" | "-" | undefined;
  let increment: number | undefined;
  for (let n = 0; n < 2; n++) {
    const character = reader.peek();
    if (chomping === undefined && (character === "+" || character === "-")) chomping = character;
    else if (increment === undefined && /^[0-9]$/.test(character)) increment = Number(character);
    else break;
    if (increment === 0)
      throw new YamlError("expected indentation indicator in the range 1-9, but found 0", reader.mark());
    reader.forward();
  }
  if (reader.peek() !== " " && !isEndOfLine(reader.peek()))
    throw new YamlError("expected chomping or indentation indicators", reader.mark());
  return { ...(chomping && { chomping }), ...(increment !== undefined && { increment }) };
}

/** Empty lines at the beginning, and how far the first line with something on it is indented at most. */
function takeBlockIndentation(reader: Reader): { breaks: string; most: number } {
  let breaks = "";
  let most = 0;
  for (;;) {
    if (isLineBreak(reader.peek())) breaks += reader.takeLineBreak();
    else if (reader.peek() === " ") {
      reader.forward();
      most = Math.max(most, reader.column);
    } else return { breaks, most };
  }
}

function takeBlockBreaks(reader: Reader, column: number): string {
  let breaks = "";
  for (;;) {
    while (reader.column < column && reader.peek() === " ") reader.forward();
    if (!isLineBreak(reader.peek())) return breaks;
    breaks += reader.takeLineBreak();
  }
}

/** One line break is a space, more are one less. */
function folded(first: string, breaks: string): string {
  if (first !== "\n") return first + breaks;
  return breaks === "" ? " " : breaks;
}

function isAtDocumentMarker(reader: Reader): boolean {
  return reader.isMarker("---") || reader.isMarker("...");
}
