// The characters of a YAML text, one after another, as PyYAML counts them.

/** A place in a text; both count from 1. */
export interface Mark {
  readonly line: number;
  readonly column: number;
}

/** Why a text is no YAML to PyYAML, in its words, and where. */
export class YamlError extends Error {
  readonly mark: Mark;

  constructor(reason: string, mark: Mark) {
    super(reason);
    this.name = "YamlError";
    this.mark = mark;
  }
}

/** What stands for the end of the text. No text that is taken has it. */
export const END = "\0";

export const isLineBreak = (character: string): boolean =>
  character === "\n" ||
  character === "\r" ||
  character === "\x85" ||
  character === "\u2028" ||
  character === "\u2029";
export const isEndOfLine = (character: string): boolean => character === END || isLineBreak(character);
/** Whether a token has to end before it. */
export const isGap = (character: string): boolean =>
  character === " " || character === "\t" || isEndOfLine(character);

const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Reads a text by its characters (code points, by which PyYAML counts columns). */
export class Reader {
  /** A plain string is read faster, where each of its characters is one code unit. */
  readonly #characters: string | readonly string[];
  #at = 0;
  #line = 0;
  #column = 0;

  /** Throws a YamlError for a text with a character that YAML does not have. */
  constructor(text: string) {
    const found = UNPRINTABLE.exec(text);
    this.#characters = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
    if (found === null) return;
    this.forward(Array.from(text.slice(0, found.index)).length);
    const code = found[0].codePointAt(0) ?? 0;
    throw new YamlError(`unacceptable character #x${code.toString(16).padStart(4, "0")}`, this.mark());
  }

  /** Characters read so far. */
  get index(): number {
    return this.#at;
  }

  /** From 0. */
  get line(): number {
    return this.#line;
  }

  /** From 0. */
  get column(): number {
    return this.#column;
  }

  mark(): Mark {
    return { line: this.#line + 1, column: this.#column + 1 };
  }

  /** The character that is so many further on; END behind the last one. */
  peek(further = 0): string {
    return this.#characters[this.#at + further] ?? END;
  }

  /** How many of the next characters, one after another, are as said. */
  count(isWanted: (character: string, further: number) => boolean, from = 0): number {
    let length = from;
    while (isWanted(this.peek(length), length)) length++;
    return length;
  }

  /** The next characters, passed over. */
  take(length: number): string {
    const taken = this.#characters.slice(this.#at, this.#at + length);
    this.forward(length);
    return typeof taken === "string" ? taken : taken.join("");
  }

  forward(length = 1): void {
    for (let n = 0; n < length; n++) {
      const character = this.peek();
      this.#at++;
      if (character === "\r" ? this.peek() !== "\n" : isLineBreak(character)) {
        this.#line++;
        this.#column = 0;
      } else if (character !== "\ufeff") this.#column++;
    }
  }

  skipSpaces(): void {
    while (this.peek() === " ") this.forward();
  }

  /** Up to the end of the line when a comment begins here. */
  skipComment(): void {
    if (this.peek() === "#") this.forward(this.count((character) => !isEndOfLine(character)));
  }

  /** The line break that is here, as YAML understands it, passed over; nothing where there is none. */
  takeLineBreak(): string {
    const character = this.peek();
    if (!isLineBreak(character)) return "";
    this.forward(character === "\r" && this.peek(1) === "\n" ? 2 : 1);
    return character === "\u2028" || character === "\u2029" ? character : "\n";
  }

  /** Whether the three characters stand here alone, as the marks between documents do. */
  isMarker(marker: "---" | "..."): boolean {
    const [character] = marker;
    return [0, 1, 2].every((further) => this.peek(further) === character) && isGap(this.peek(3));
  }
}
