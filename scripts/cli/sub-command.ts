import type { CommandUnknownOpts } from "@commander-js/extra-typings";

/** Has commands that do something without a word refuse one that they do not know, which commander takes for an argument. */
export function refuseUnknownWords(program: CommandUnknownOpts): void {
  for (const group of program.commands)
    if (group.commands.length > 0) group.hook("preSubcommand", demandKnown);
}

/** Throws what commander shows. */
function demandKnown(group: CommandUnknownOpts): void {
  const [word = ""] = group.args;
  const names = group.commands.map((command) => command.name());
  if (word === "" || word.startsWith("-") || names.includes(word) || word === "help") return;
  const closest = names.toSorted((a, b) => distance(word, a) - distance(word, b))[0] ?? "";
  const hint =
    distance(word, closest) <= 2 ? `(Did you mean ${closest}?)` : `(There are: ${names.join(", ")}.)`;
  group.error(`error: unknown command '${word}'\n${hint}`, { code: "commander.unknownCommand" });
}

/** How many letters have to be put in, taken out or changed to make the one of the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [at, its] of [...other].entries()) {
      const [left = 0, above = 0, before = 0] = [next[at], row[at + 1], row[at]];
      next.push(Math.min(left + 1, above + 1, before + (letter === its ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
