/** C0 but the tab and the line feed, delete, C1, and what turns the direction of writing: none of it may reach a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
const COLOUR = /(\u001b\[\d{1,3}m)/;

/** A text of somebody else's with nothing in it that steers a terminal. Lines stay lines. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, "\ufffd");
}

/** The same, with the colours that a text has been given here. */
export function shown(text: string): string {
  return text
    .split(COLOUR)
    .map((part) => (COLOUR.test(part) ? part : printable(part)))
    .join("");
}

/** The same in one line. */
export function oneLine(text: string): string {
  return printable(text.replaceAll(/[\n\t]+/g, " "));
}

/** A document as JSON: to the letter, but what a terminal would obey is escaped, which means the same. */
export function jsonText(document: unknown, indent?: number): string {
  return JSON.stringify(document, null, indent).replaceAll(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
