/**
 * The agent as it travels in user-data: the same program, with the same names, without its comment lines, what functions
 * say of their arguments, empty lines and indentation. The source is written so that none of these matters: no
 * here-document and no quoted text needs them.
 */
export function shipped(source: string): string {
  const lines = source
    .split("\n")
    .map((line) => line.trimStart().replace(/^([a-z_0-9]+\(\) [{(]) # .*$/, "$1"))
    .filter((line, index) => index === 0 || !/^(?:#|$)/.test(line));
  return `${lines.join("\n")}\n`;
}
