/**
 * The agent as it travels in user-data, where every byte counts: the same program without its comment lines, empty
 * lines and indentation, and with short names for the functions whose name holds an underscore (no message and no
 * command of the system has such a word; a test holds that). The source is written so that none of this matters: no
 * here-document needs a comment or indentation.
 */
export function shipped(source: string): string {
  const lines = source
    .split("\n")
    .map((line) => line.trimStart().replace(/\(\) \{ # .*/, "() {"))
    .filter((line, index) => index === 0 || !/^(?:#|$)/.test(line));
  const short = shortNames(source);
  const text = lines.map((line) =>
    line.replace(/\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g, (word) => short.get(word) ?? word),
  );
  return `${text.join("\n")}\n`;
}

/** The functions of the program that get a short name, in the order in which they are defined, and that name. */
export function shortNames(source: string): ReadonlyMap<string, string> {
  const names = [...source.matchAll(/^([a-z0-9]+(?:_[a-z0-9]+)+)\(\) /gm)].map((match) => match[1] ?? "");
  return new Map(names.map((name, index) => [name, `_${index.toString(36)}`]));
}
